"""Who heard a message, and what they do with it: whether they read it, and share it."""

from collections.abc import Callable, Sequence

from skill_agent.agents.dna import MemoryConfig
from skill_agent.conversations.requesters import left_out
from skill_agent.errors import NotFound
from skill_agent.ports import Ledger
from skill_agent.values import Message

from .intake import Sharing
from .statement import Candidate


class Hearers:
    """The agents of one home as those who hear a person."""

    def __init__(
        self, ledger: Ledger, config: Callable[[str], MemoryConfig], *, team_memory: bool
    ) -> None:
        """Without `team_memory` what an agent hears is its own."""
        self._ledger, self._config, self._team_memory = ledger, config, team_memory

    def config(self, agent: str) -> MemoryConfig:
        """An agent's memory settings; those of one that is gone are the usual ones."""
        try:
            return self._config(agent)
        except NotFound:
            return MemoryConfig()

    def sharing(self, agent: str) -> Sharing:
        """What becomes of what it hears of the team."""
        wanted = self._team_memory and self.config(agent).auto_share
        return "ask" if wanted == "ask" else "share" if wanted else "keep"

    def shares(self, agent: str) -> Callable[[Message], bool]:
        """Whether who heard a message, or else this agent, has something to share."""
        return lambda message: self.sharing(message.agent or agent) != "keep"

    async def readable(self, messages: Sequence[Message], agent: str) -> list[Message]:
        """Those that may be read for memories."""
        silent = await left_out(self._ledger, (one.turn for one in messages))
        return [
            one
            for one in messages
            if one.turn not in silent and self.config(one.agent or agent).auto_extract
        ]


def by_hearer(
    candidates: Sequence[Candidate], messages: Sequence[Message], agent: str
) -> dict[str, list[Candidate]]:
    """What was found in messages, by the agent that heard it."""
    heard = {one.id: one.agent or agent for one in messages}
    groups: dict[str, list[Candidate]] = {}
    for one in candidates:
        by = next((heard[m] for m in one.source.message_ids if m in heard), agent)
        groups.setdefault(by, []).append(one)
    return groups
