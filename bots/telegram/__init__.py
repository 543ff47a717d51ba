"""Telegram: a bot of the person's own, whose chats are windows on the home."""
