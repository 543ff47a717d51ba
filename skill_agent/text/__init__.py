"""Work on plain text."""
