"""What is told to a person who did not just ask: the inbox, and the ways out of the home."""
