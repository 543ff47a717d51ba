"""Our agents inside editors, over the Agent Client Protocol."""
