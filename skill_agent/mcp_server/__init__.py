"""A home as tools, resources and prompts for other programs: a Model Context Protocol server."""
