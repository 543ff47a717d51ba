"""Tools of other programs for our agents, over the Model Context Protocol."""
