"""Pages of the web for the HTTP tool: where a URL leads, what came from there, and its text."""
