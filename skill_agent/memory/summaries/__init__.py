"""Many words told as few: of a conversation, of old events; nothing leaves before it is kept."""
