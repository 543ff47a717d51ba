"""How fast things go: what Telegram asks of bots, and what a person would wait for."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """Seconds, and how many."""

    poll_s: float = 50.0
    """How long Telegram holds a poll that has nothing to tell."""
    stall_s: float = 120.0
    """Without an answer to any poll for so long the line is made anew."""
    call_s: float = 20.0
    """Longest wait for the answer to anything else."""
    between_s: float = 1.0
    """Between two messages or edits in one chat."""
    between_in_groups_s: float = 3.0
    at_once: int = 25
    """Calls in a second, over all chats."""
    typing_s: float = 4.5
    """How often it is said that something is being written."""
    back_off_s: float = 5.0
    """The first wait after a failure of the line; each further one is twice as long …"""
    most_back_off_s: float = 300.0
    """… up to this."""
    retry_s: float = 1.0
    most_retry_s: float = 30.0
    """The same for a single message."""
    chats: int = 32
    """In so many chats replies are brought at the same time."""
    again_s: float = 1.0
    """Between polls while something that came is not taken in yet."""


def doubling(first: float, most: float, failures: int) -> float:
    """The wait after so many failures in a row."""
    return min(most, first * 2 ** min(failures - 1, 20))
