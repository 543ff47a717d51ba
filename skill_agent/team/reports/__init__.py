"""Reports in sections, asked of an agent and checked."""
