"""Commands on what is remembered, and on everything kept about the person."""
