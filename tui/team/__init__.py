"""What the team does together, on the screen."""
