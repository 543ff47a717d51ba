"""What a day came to: gathered by code from conversations, memory and work, at most worded by a
model."""
