"""Who there is, and what agents write to one another."""
