"""The settings as a screen over the conversation, made from what the home says of each."""
