"""Several agents on one goal, in patterns, each a group of tasks."""
