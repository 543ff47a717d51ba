"""Commands that talk to agents, and what becomes of the conversations."""
