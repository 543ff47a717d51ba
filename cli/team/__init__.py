"""Commands on the agents of the team and the skills they use."""
