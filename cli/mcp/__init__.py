"""`ska mcp`: the home for other programs, and their tools for agents."""
