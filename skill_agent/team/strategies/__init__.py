"""One message that several agents answer."""
