"""What several agents in one conversation mean for a turn."""
