"""Unread messages as they stand beside a person's message: a few, short, and as data."""

from collections.abc import Sequence

from skill_agent.text.clock import day_of
from skill_agent.text.gate import tamed, tamed_line
from skill_agent.turns.colleagues.nearby import NO_LETTERS, Letters
from skill_agent.turns.prompt import as_result
from skill_agent.values import AgentMessage, all_origins

from .messages import PERSON

MOST, LONGEST = 5, 1_000
FEW, SHORT = 2, 200
"""For a small model, which takes all it reads for the matter itself."""


def how_many(*, small: bool) -> int:
    return FEW if small else MOST


def as_letters(messages: Sequence[AgentMessage], *, small: bool, turn: str) -> Letters:
    """The messages, the oldest first, ready for a prompt. What agents wrote stands in a frame that
    it cannot end; the person's own are told as theirs."""
    if not messages:
        return NO_LETTERS
    longest = SHORT if small else LONGEST
    own = [_line(one, longest) for one in messages if not one.origins]
    others = [_line(one, longest) for one in messages if one.origins]
    origins = all_origins(*(one.origins for one in messages))
    parts = ["\n".join(own), as_result("\n".join(others), origins, turn) if others else ""]
    return Letters(
        ids=tuple(one.id for one in messages),
        block="\n\n".join(part for part in parts if part),
        origins=origins,
    )


def _line(message: AgentMessage, longest: int) -> str:
    who = "The user" if message.sender == PERSON else tamed_line(message.sender, 60)
    text = tamed(message.content)
    cut = text if len(text) <= longest else text[: longest - 1] + "…"
    return f"{who} wrote to you ({day_of(message.created_at)}): {cut}"
