"""What every event has, and how it is named and told in a line."""

import re
from dataclasses import dataclass, field
from functools import cache

from skill_agent.identifiers import new_id

LONGEST_LINE = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class AnyEvent:
    """What every event says of itself, whether or not one knows its kind."""

    session: str
    turn: str
    agent: str
    parent: str | None = None
    """The turn that started this one; a sub-agent is a nested turn."""
    id: str = field(default_factory=new_id)

    @property
    def line(self) -> str:
        """The event in one plain line for a person: what is shown where nothing better is."""
        return type_name(type(self)).replace("_", " ")


def one_line(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= LONGEST_LINE else text[: LONGEST_LINE - 1] + "…"


def counted(count: int, one: str, many: str) -> str:
    return f"{count:,} {one if count == 1 else many}"


@cache
def type_name(kind: type) -> str:
    """`TurnStarted` -> `turn_started`, the `type` of its JSON form."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", kind.__name__).lower()
