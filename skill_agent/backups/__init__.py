"""Backups of a home: made while it is open, looked through, restored, removed."""
