"""The terminal workstation: knows `skill_agent` and Textual; no store, model or turn logic."""
