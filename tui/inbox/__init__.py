"""The inbox as a screen over the conversation."""
