"""The skills as a screen over the conversation."""
