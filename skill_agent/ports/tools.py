"""What an agent can do, as a Protocol."""

from collections.abc import Mapping
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


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolsWanted:
    """A turn that may use tools of others."""

    agent: str
    session: str
    turn: str
    allowed: tuple[str, ...]
    """What the agent's settings let it use, as they say it."""
    words: str
    """What the person typed."""
    window: int
    """Tokens of the model's window; 0 where unknown."""
    small: bool = False
    """The model reaches for whatever it is shown."""
    interactive: bool = True
    """Somebody is there to be asked."""


class OffersTools(Protocol):
    """Tools that other programs bring."""

    async def offered(self, wanted: ToolsWanted) -> "Mapping[str, Tool]":
        """Those for a turn by name, in a stable order: the same for the whole conversation, but for
        those a search has added, also while the turn runs. Never raises: what is not to be had is
        told as a notice. Empty without a cost where the agent may use none."""
        ...


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
