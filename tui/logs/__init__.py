"""What the home's host has to say, as a screen over the conversation."""
