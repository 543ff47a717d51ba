"""Agents that work together, as commands."""
