"""The home's HTTP interface: what listens, who may call, how it answers."""
