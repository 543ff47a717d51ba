"""A turn's reply in the order it was told: the words, and each call where it was made.

The ledger keeps the words of a reply in one message, after the calls.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from skill_agent.values import CallOutcome, Message, ToolCall


@dataclass(frozen=True, slots=True)
class Said:
    """A stretch of words."""

    message: Message
    text: str


@dataclass(frozen=True, slots=True)
class Called:
    """A tool call, and its result where there is one."""

    call: ToolCall
    result: Message | None = None

    @property
    def outcome(self) -> CallOutcome | None:
        """None where it was not kept."""
        return self.result.outcome if self.result else None


def in_order(replies: Sequence[Message]) -> Iterator[Said | Called]:
    """What an agent said and did in a turn, given the turn's messages."""
    results = {one.tool_call_id: one for one in replies if one.role == "tool"}
    calls: list[Called] = []
    before = 0
    for message in replies:
        if message.role != "assistant":
            continue
        if message.content:
            yield from _woven(message, before, calls)
            before, calls = before + len(message.content), []
        calls += [Called(call, results.get(call.id)) for call in message.tool_calls]
    yield from calls


def _woven(message: Message, before: int, calls: Sequence[Called]) -> Iterator[Said | Called]:
    """A text with the calls that were made in its midst; so much was said `before` it."""
    text, at = message.content, 0
    for call in calls:
        said = call.outcome.said if call.outcome else 0
        upto = min(max(said - before, at), len(text))
        if upto > at:
            yield Said(message, text[at:upto])
        at = upto
        yield call
    if at < len(text):
        yield Said(message, text[at:])
