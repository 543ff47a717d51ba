"""Files of a home and beside it."""
