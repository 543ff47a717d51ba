"""Bringing in what a person has in other programs: conversations, memories, notes."""
