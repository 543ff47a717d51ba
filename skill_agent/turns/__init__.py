"""A turn: prompt, model, tools, and the task that runs it."""
