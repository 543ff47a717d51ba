"""Origins in words for a person and a model."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # a screen paints before it loads them
    from skill_agent.values import Origin

_WRITERS: "Mapping[Origin, str]" = MappingProxyType(
    {
        "pipe": "a pipe",
        "file": "a file",
        "paste": "a paste",
        "client": "another program",
        "web": "the web",
        "tool": "a tool",
        "import": "an import",
        "agent": "another agent",
        "skill": "a skill that was not approved",
    }
)
ARRIVED: "Mapping[Origin, str]" = MappingProxyType(
    {
        "pipe": "piped in",
        "file": "file",
        "paste": "pasted",
        "client": "sent by a program",
        "web": "from the web",
        "tool": "from a tool",
        "import": "imported",
        "agent": "from another agent",
        "skill": "from a skill",
    }
)
"""How a text came to stand beside a person's words."""


def in_words(origins: "Sequence[Origin]") -> str:
    """As in "from the web and a pipe"; empty where all is the person's own."""
    *some, last = [_WRITERS[one] for one in origins] or [""]
    return f"{', '.join(some)} and {last}" if some else last
