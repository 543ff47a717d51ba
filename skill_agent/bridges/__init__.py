"""Ways to talk to the agents from elsewhere: who is let in, and how each fares."""
