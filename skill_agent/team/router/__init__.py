"""How hard a message is, and which tier of models answers it."""
