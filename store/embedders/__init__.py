"""Embedders beside the shipped one, and which of all a name stands for."""
