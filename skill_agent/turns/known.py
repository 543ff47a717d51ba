"""What a turn has kept, recalled and found plausible before it is answered."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from skill_agent.memory.recall.budget import Selection
from skill_agent.ports import Tool
from skill_agent.values import Memory, Origin, ToolCall


@dataclass(frozen=True, slots=True, kw_only=True)
class Recollection:
    """What recall chose for a message, and the data block made of it."""

    selection: Selection
    block: str
    behind: int = 0
    """Log rows that could not be searched yet."""
    waited: float = 0.0
    """Seconds that went by until the model was loaded, which are not recall's."""
    sure: bool = True
    """Something known surely has to do with the message."""
    origins: tuple[Origin, ...] = ()
    """Who, beside the person, wrote of what is told."""
    others: tuple[str, ...] = ()
    """The texts of it that they wrote."""
    always: tuple[str, ...] = ()
    """What is told of person and team whatever the message."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What a message has put into memory."""

    memories: tuple[Memory, ...] = ()
    whole: bool = False
    """The message hardly holds anything else."""
    refused: bool = False
    """Something was to be remembered, and whoever asked may not have that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """The tools that are in play for one message."""

    tools: Mapping[str, Tool] = field(default_factory=dict)
    foreign: Mapping[str, Tool] = field(default_factory=dict)
    """Tools of other programs; there may be more of them after each call."""
    first: ToolCall | None = None
    """A call that is made before the model is asked at all."""
    then: Mapping[str, Tool] = field(default_factory=dict)
    """What is in play as soon as one call was made."""
