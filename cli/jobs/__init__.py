"""`ska jobs`: what is done at its times."""
