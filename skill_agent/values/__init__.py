"""The nouns of the product, what is asked for, and what comes of it: values only."""
