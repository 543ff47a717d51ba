"""What models consumed and cost, as a screen over the conversation."""
