"""The workstation of another process: its calls and events over a socket, or over the network."""
