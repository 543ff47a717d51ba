"""One module for each form in which other programs write what they keep."""
