"""Looked at before it is read or shown: a small model's sentences, texts of others, secrets."""
