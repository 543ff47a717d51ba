"""Agents that work together: who answers, on which model, tasks, collaborations, messages."""
