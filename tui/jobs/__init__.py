"""Long work in the background, on the screen."""
