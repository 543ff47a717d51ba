"""What is below the conversation: questions, the composer, drafts, the status line."""
