"""Recurrent layers: a cell that is applied to one step of a sequence after the other."""
