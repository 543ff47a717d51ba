"""Who takes part in a conversation, and how it goes from one agent to another."""
