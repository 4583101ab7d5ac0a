"""Merging layers: several tensors into one."""
