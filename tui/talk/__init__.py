"""The screen where one talks, from the composer to the reply."""
