"""What a model may do with its agent's colleagues by itself, once it has proved able to."""
