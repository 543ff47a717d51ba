"""How much of a server is taken: whatever it says is cut here, and it is told."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a server may take of this program's memory, time and patience."""

    message_bytes: int = 4 << 20
    """Of one message; a longer one is not read into memory, its request fails."""
    messages_a_second: int = 200
    """Of those that answer nothing; a server that sends more is read more slowly."""
    tools: int = 2_000
    pages: int = 100
    name_chars: int = 128
    description_chars: int = 4_000
    schema_bytes: int = 64_000
    text_chars: int = 200_000
    """Of a result."""
    waits_s: tuple[float, ...] = (1, 2, 4, 8, 16, 32, 60)
    """Before it is started again, by how often in a row it broke; after that it is not, until its
    settings change or somebody tests it."""
    waited_for_s: float = 2.0
    """A wait of this length at most is sat out; a longer one is told."""
    steady_s: float = 60.0
    """Having run so long, what broke before counts no more."""
    exit_s: float = 1.0
    """It may take so long to end by itself once its input has ended, then so long after SIGTERM."""
    ping_s: float = 5.0
    questions: int = 10
    """That it may put to the person in one call."""
    most_patience: int = 10
    """However much progress it tells, one call takes at most so many time-outs."""
