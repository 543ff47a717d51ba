"""Programs of others that are started here: what they are given, how they run, how they end."""
