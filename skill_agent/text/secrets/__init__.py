"""Credentials in text: where they stand and what they are, by shape and by name."""
