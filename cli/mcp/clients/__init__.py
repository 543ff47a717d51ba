"""Programs that use MCP servers, and the files in which each of them names its servers."""
