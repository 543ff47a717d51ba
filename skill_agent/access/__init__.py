"""Who may come in: API keys, and tokens made with them. Nothing here knows of HTTP."""
