"""Agents as configuration."""
