"""What is answered: the table's operations, talking to an agent, events, OpenAI's interface."""
