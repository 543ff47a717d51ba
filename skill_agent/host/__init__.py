"""The process that holds a home."""
