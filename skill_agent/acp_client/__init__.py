"""Agents that run on programs of other makes, over the Agent Client Protocol."""
