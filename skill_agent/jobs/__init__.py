"""Jobs: what is done at its times while nobody types, and long work in the background."""
