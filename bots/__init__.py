"""Bots: front ends in somebody else's chat."""
