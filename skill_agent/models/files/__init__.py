"""Model files: which there are, where they come from, which are here."""
