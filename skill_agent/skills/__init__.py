"""SKILL.md folders."""
