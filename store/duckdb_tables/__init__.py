"""Computes with a table that somebody handed over, in a database of its own in memory."""
