"""What earlier steps gave, made to fit the window of whoever reads it next."""

from collections.abc import Sequence

from skill_agent.ports import Model
from skill_agent.turns.fitting import Tokens, reply_room, window_of

from .wording import sections

SHARE = 2
"""Results of others take at most this fraction (1/2) of what a window has beside the reply: the
agent itself, its memory and the goal want the rest."""
_LEAST = 64

Piece = tuple[str, str]
"""Who gave it, and the text."""


async def fitted(
    pieces: Sequence[Piece], model: Model, max_output: int, goal: str, tokens: Tokens
) -> str:
    """The pieces below one another; where they are too long, the longest are cut until all are of
    one length, so that nobody's is left out."""
    window = window_of(model)
    room = (window - reply_room(max_output, window)) // SHARE - await tokens.count(model, goal)
    sizes = [await tokens.count(model, text) for _, text in pieces]
    limit = fair(sizes, max(_LEAST * len(pieces), room))
    cut = [(who, await tokens.clip(model, text, limit)) for who, text in pieces]
    return sections(cut)


def fair(sizes: Sequence[int], room: int) -> int:
    """The most that each may take so that all together take no more than the room."""
    if sum(sizes) <= room:
        return max(sizes, default=0)
    left, waiting = room, sorted(sizes)
    while waiting and waiting[0] <= left // len(waiting):
        left -= waiting.pop(0)
    return max(1, left // max(1, len(waiting)))
