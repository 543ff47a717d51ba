"""What goes over the wire to providers and back, before and after litellm."""
