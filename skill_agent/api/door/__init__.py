"""What stands before a route: where is listened, who may come in, how often, how much is read."""
