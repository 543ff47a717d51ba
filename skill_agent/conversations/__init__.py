"""Sessions, who is addressed, what became of a turn."""
