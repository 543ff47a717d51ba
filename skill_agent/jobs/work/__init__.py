"""Long work in the background: in line by priority, a few at a time, paused, resumed, stopped,
tried again, given up; it survives the end of the process."""
