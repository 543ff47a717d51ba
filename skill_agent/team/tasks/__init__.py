"""Pieces of work for one agent: given, run as nested turns under limits, kept, taken up again."""
