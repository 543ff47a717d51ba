"""Whether a message can want a tool at all, decided before a small model is asked anything."""
