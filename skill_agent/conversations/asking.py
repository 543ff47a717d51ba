"""What somebody asks an agent for, refused where it cannot mean anything; nothing is begun here."""

from dataclasses import dataclass

from skill_agent.errors import UsageError
from skill_agent.ports import Ledger
from skill_agent.values import Submitted

from .address import without_address
from .idempotency import conflict

MAX_PROMPT = 10_000_000
"""Characters of one message; whether it fits a window is the model's to say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """The parameters of `submit`; raises UsageError for an empty or oversized prompt."""

    text: str
    session: str | None
    agent: str | None
    model: str | None
    use_memory: bool
    interactive: bool

    def __post_init__(self) -> None:
        if not self.text.strip():
            raise UsageError("the prompt is empty", hint='ska ask "your question"')
        if len(self.text) > MAX_PROMPT:
            raise UsageError(
                f"the prompt has {len(self.text):,} characters; {MAX_PROMPT:,} is the most",
                hint="give the part that matters, or the file's path",
            )


async def begun_before(ledger: Ledger, turn: str, text: str) -> Submitted | None:
    """What an earlier submit of this turn gave; raises Conflict for another text."""
    messages = await ledger.turn(turn)
    asked = next((one for one in messages if one.role == "user"), None)
    if asked is None:
        return None
    if asked.content != without_address(text, asked.agent or ""):
        raise conflict(turn)
    return Submitted(session=asked.session, turn=turn, agent=asked.agent or "")
