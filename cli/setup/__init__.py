"""Commands that make a home, show its settings and models, and find what is wrong with it."""
