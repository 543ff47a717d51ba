"""What follows from a failed run: another try, or an end, and after how many ends the job is
stopped."""

from datetime import datetime, timedelta

from skill_agent.values import ErrorKind

PAUSES = (timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=15))
"""Before each further try of what may pass."""
NEAR = timedelta(minutes=2)
"""So close before the next fire time nothing is tried again: that is the next try."""


def again_at(
    kind: ErrorKind, *, attempt: int, most: int, now: datetime, next_fire: datetime | None
) -> datetime | None:
    """When a failed run is tried again; None: never. Only what may pass by itself is."""
    if kind != "passing" or attempt >= most:
        return None
    moment = now + PAUSES[min(attempt, len(PAUSES)) - 1]
    if next_fire is not None and moment > next_fire - NEAR:
        return None
    return moment


def is_dead(failures: int, crashes: int, *, give_up_after: int) -> bool:
    """Whether a job that failed so often in a row is stopped."""
    return failures >= give_up_after or crashes >= give_up_after
