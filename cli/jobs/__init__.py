"""What is done while nobody types."""
