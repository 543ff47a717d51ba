"""Which conversation a client goes on with that keeps no name for it but sends its whole history.

The ledger is the only memory for that: a conversation fits if its completed exchanges are what the
client remembers, so it is found again after a restart. Nothing is written here.
"""

from collections.abc import Sequence
from itertools import groupby

from skill_agent.conversations.client_calls import replies_in
from skill_agent.conversations.client_context import Exchange, digest, plain, unaddressed
from skill_agent.values import Message, ToolCall
from skill_agent.workstation import Workstation

from .openai_talk import Talk
from .openai_tools import results_in, told_call

_CANDIDATES = 50
_NEEDLE = 200
"""Characters of the longest line that is searched for."""


async def continued(
    station: Workstation, talk: Talk, *, agent: str, busy: frozenset[str]
) -> tuple[str | None, str]:
    """The newest conversation of this talk so far, None where there is none, and the last
    instructions it was given. `busy` ones are not looked at: somebody else's words are on their way
    there."""
    needle = _needle(talk.spoken)
    if not needle:
        return None, ""
    hits = await station.conversations.search(needle, limit=_CANDIDATES)
    for session in dict.fromkeys(one.session for one in hits if one.session not in busy):
        messages = await station.conversations.messages(session)
        if agent in _agents(messages) and fits(messages, talk.earlier) and _asked(messages, talk):
            return session, last_instructions(messages)
    return None, ""


def _asked(messages: Sequence[Message], talk: Talk) -> bool:
    """Whether what the results answer was asked for there."""
    answered = [one.call for one in talk.results]
    return not answered or [one.id for one in waited_for(messages)] == answered


def waited_for(messages: Sequence[Message]) -> tuple[ToolCall, ...]:
    """The calls of the last whole reply, where they were left to a client program."""
    for turn in reversed(_turns(messages)):
        _, reply = _sides(turn)
        if reply is not None and reply.state == "complete":
            return reply.tool_calls
    return ()


def _needle(spoken: Sequence[str]) -> str:
    """The longest line that was said: the rarest thing to look for."""
    lines = (line.strip() for text in spoken for line in text.splitlines())
    return unaddressed(max(lines, key=len, default=""))[:_NEEDLE]


def fits(messages: Sequence[Message], earlier: Sequence[Exchange]) -> bool:
    """Whether a conversation is exactly this talk. Messages without a whole reply may be known to
    the client or not: it may have hung up, or seen an error."""
    turns = _turns(messages)
    sent = turns[0][0].client_context if turns else None
    elsewhere = sent.exchanges if sent else 0
    if sent and elsewhere and digest(earlier[:elsewhere]) != sent.digest:
        return False
    left = list(earlier[elsewhere:])
    for turn in turns:
        said, reply = _sides(turn)
        if left and plain(left[0][0]) == said and _same_reply(left[0][1], turn, reply):
            left.pop(0)
        elif reply is not None and reply.state == "complete":
            return False
    return not left


def _turns(messages: Sequence[Message]) -> list[list[Message]]:
    """In order: a message queued behind a running turn is saved before that turn's reply."""
    first: dict[str, int] = {}
    for message in messages:
        first.setdefault(message.turn, message.position)
    ordered = sorted(messages, key=lambda one: (first[one.turn], one.position))
    return [list(turn) for _, turn in groupby(ordered, key=lambda one: one.turn)]


def _sides(turn: Sequence[Message]) -> tuple[str, Message | None]:
    said = next((plain(one.content) for one in turn if one.role == "user"), "")
    replies = replies_in(turn)
    return said, replies[-1] if replies else None


def _same_reply(known: str, turn: Sequence[Message], reply: Message | None) -> bool:
    """A reply that was cut short may have got through to the client only in part."""
    if reply is None:
        return not known
    brought = (results_in(one) for one in turn if one.role == "user")
    calls = (told_call(one.name, one.arguments) for one in reply.tool_calls)
    known, kept = plain(known), plain("\n\n".join((*brought, reply.content, *calls)))
    if reply.state == "complete":
        return known == kept
    return kept.startswith(known) or known.startswith(kept)


def _agents(messages: Sequence[Message]) -> set[str | None]:
    return {one.agent for one in messages if one.role == "user"}


def last_instructions(messages: Sequence[Message]) -> str:
    """What a program last told the agent in this conversation."""
    sent = (one.client_context for one in reversed(messages))
    return next((one.instructions for one in sent if one and one.instructions), "")
