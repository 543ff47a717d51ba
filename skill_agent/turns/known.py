"""What a turn has kept and recalled before it is answered."""

from dataclasses import dataclass

from skill_agent.memory.recall.budget import Selection
from skill_agent.values import Memory


@dataclass(frozen=True, slots=True, kw_only=True)
class Recollection:
    """What recall chose for a message, and the data block made of it."""

    selection: Selection
    block: str
    behind: int = 0
    """Log rows that could not be searched yet."""
    sure: bool = True
    """Something known surely has to do with the message."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What a message has put into memory."""

    memories: tuple[Memory, ...] = ()
    whole: bool = False
    """The message hardly holds anything else."""
