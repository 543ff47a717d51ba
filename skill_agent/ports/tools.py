"""What an agent can do, as a Protocol."""

from dataclasses import dataclass
from typing import Any, Protocol

from skill_agent.values import Origin

from .models import ToolSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolOutcome:
    """What a tool gives back to the model."""

    text: str
    origins: tuple[Origin, ...] = ()
    """Who wrote it, or what it rests on, beside the person and this program."""


class Tool(Protocol):
    """Something an agent can do. Raises ToolFailed for what the model should read."""

    @property
    def spec(self) -> ToolSpec: ...

    def rule(self, arguments: dict[str, Any]) -> str:
        """The exact rule `always` would store for such a call, e.g. `http_get:example.org`."""
        ...

    def needs_approval(self, arguments: dict[str, Any], *, typed: str, tainted: bool) -> str:
        """Why a person must allow this call; empty when it may run.

        `typed` are the words of the person alone; `tainted` says that text of another origin stands
        anywhere in the prompt.
        """
        ...

    async def run(self, arguments: dict[str, Any]) -> ToolOutcome: ...
