"""Tools of other people's servers in our agents' turns: which, called what, how far trusted."""
