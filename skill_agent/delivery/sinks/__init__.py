"""The ways out of the home that this machine has by itself; others are registered once they run."""
