"""Calls of a client program's tools in a stored conversation: the reply that asked for them, and
the message their results came with.

What a model reads of both, and how a program is told, is not decided here.
"""

from collections.abc import Sequence

from skill_agent.values import Attachment, Message, ToolCall


def replies_in(turn: Sequence[Message]) -> list[Message]:
    """The replies among a turn's messages. One with calls is a reply where they were left to a
    client program; calls that were made here stand in messages of their own, without figures, and
    their results behind them."""
    made = {one.tool_call_id for one in turn if one.role == "tool"}
    return [
        one
        for one in turn
        if one.role == "assistant"
        and (not one.tool_calls or one.usage is not None)
        and not any(call.id in made for call in one.tool_calls)
    ]


def results_with(message: Message) -> tuple[Attachment, ...]:
    """The results of such calls that came with a message, in the order of the calls."""
    sent = message.client_context.attachments if message.client_context else ()
    return tuple(one for one in sent if one.origin == "tool" and message.role == "user")


def answers(message: Message, calls: Sequence[ToolCall]) -> tuple[Attachment, ...]:
    """Its results where they are those of these calls, one of each; otherwise none."""
    results = results_with(message)
    same = [one.name for one in results] == [one.name for one in calls]
    return results if calls and same else ()
