"""What every screen is made with: colours, agents, keys, the status line, the terminal."""
