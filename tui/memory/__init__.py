"""The screen of all memories, and the column beside a conversation."""
