"""What background work is held to, all in one place."""

from skill_agent.errors import ConfigError, ModelRejected, UsageError
from skill_agent.values.backoff import Backoff

AT_ONCE = 2
"""Pieces of work that run at the same time."""
AT_ONCE_LOCAL = 1
"""The same where the model runs on this machine."""
PAUSES = Backoff(1.0, 60.0)
"""Between two tries."""
MOST_TRIES = 100
PATIENCE_S = 1.0
"""Whoever pauses or stops work waits so long to see it stand still."""
KEPT_IN_MEMORY_S, CLEANED_EVERY_S = 3_600.0, 300.0
"""How long work that nobody asks for stays in memory, and how often that is looked at."""
TOLD_EVERY_S = 0.25
"""Seconds between two events of mere progress."""
GRACE_S = 2.0
"""Whoever looks at work so soon after its end has watched it, and need not be told."""
LONGEST_TITLE, LONGEST_TEXT = 160, 20_000
LASTING: tuple[type[Exception], ...] = (UsageError, ConfigError, ModelRejected)
"""What another try would only meet again."""
_LOCAL = ("embedded/", "ollama/")


def at_once(model: str) -> int:
    """How many pieces of work run at the same time where that is the usual model."""
    return AT_ONCE_LOCAL if model.startswith(_LOCAL) else AT_ONCE
