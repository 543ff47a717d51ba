"""What an agent can do, as a Protocol."""

from dataclasses import dataclass
from typing import Any, Protocol

from .models import ToolSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolOutcome:
    """What a tool gives back to the model, and whether the outside world wrote it."""

    text: str
    untrusted: bool = False


class Tool(Protocol):
    """Something an agent can do. Raises ToolFailed for what the model should read."""

    @property
    def spec(self) -> ToolSpec: ...

    def rule(self, arguments: dict[str, Any]) -> str:
        """The exact rule `always` would store for such a call, e.g. `http_get:example.org`."""
        ...

    def needs_approval(self, arguments: dict[str, Any], *, user_text: str, tainted: bool) -> str:
        """Why a person must allow this call; empty when it may run.

        `tainted` says that text of outside origin is in the context since the user spoke.
        """
        ...

    async def run(self, arguments: dict[str, Any]) -> ToolOutcome: ...
