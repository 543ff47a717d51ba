"""The kinds of background work that come with the program, one module each."""
