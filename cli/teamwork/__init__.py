"""What a team does together."""
