"""The agents as a screen over the conversation, and choosing their models."""
