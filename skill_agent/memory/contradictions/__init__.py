"""Whether memories agree: how two differ, which gives way, and who looks."""
