"""Layers in which positions of a sequence read from positions of another."""
