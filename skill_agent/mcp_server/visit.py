"""Who came in, what they may do, and with whose eyes they see; nothing of the protocol."""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from skill_agent.errors import Forbidden
from skill_agent.skills.activations import OF_CLIENTS
from skill_agent.values import Requester
from skill_agent.workstation import Workstation

_LONGEST = 40


def own_agent(client: str) -> str:
    """The agent of its own that a client sees with: `mcp-claude-code`."""
    plain = re.sub(r"[^a-z0-9]+", "-", client.lower()).strip("-") or "client"
    return (OF_CLIENTS + plain)[:_LONGEST].rstrip("-")


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """One client's stay in a home."""

    station: Workstation
    """As the client may use it: confined, where an API key asks."""
    client: str = "client"
    """What the client calls itself."""
    version: str = ""
    sees_as: str = ""
    """The agent that was named for it; empty: an agent of its own."""
    read_only: bool = False
    requester: Requester | None = None
    """Whose API key asks; None on this machine's own socket."""
    counted: Callable[[str], None] = lambda scope: None
    """Counts what is done by what it takes; raises SkillAgentError where that was too often."""

    @property
    def agent(self) -> str:
        """Whose eyes it sees with, and as whom it writes."""
        own = self.requester.name if self.requester else self.client
        return self.sees_as or own_agent(own)

    @property
    def told(self) -> dict[str, str]:
        """The client, as the source of what it writes."""
        return {"name": self.client, "version": self.version}

    def called(self, client: str, version: str) -> "Visit":
        """The same stay, once the client has said its name."""
        return replace(self, client=client or "client", version=version)

    def may(self, scope: str) -> bool:
        """Whether it may do what takes this scope: `read`, `chat`, `memory`."""
        if self.read_only and scope != "read":
            return False
        return self.requester is None or self.requester.may(scope)

    def demand(self, scope: str) -> None:
        """Raises Forbidden where it may not."""
        if not self.may(scope):
            why = "this server was started with --read-only" if self.read_only else ""
            raise Forbidden(why or f'the API key lacks the scope "{scope}"')
        self.counted(scope)
