"""Finding again: the index that follows the ledger, what it ranks, and what enters a prompt."""
