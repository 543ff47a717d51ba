"""From conversations to memories: what was stated, what of it is kept, and who reads when."""
