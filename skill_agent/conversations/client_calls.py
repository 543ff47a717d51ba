"""Calls of a client program's tools in a stored conversation: the reply that asked for them, and
the message their results came with.

What a model reads of both, and how a program is told, is not decided here.
"""

from collections.abc import Sequence

from skill_agent.values import Attachment, Message, ToolCall


def is_reply(message: Message) -> bool:
    """Whether it ends a turn: one with calls does where they were left to a client program. Calls
    that were made here stand in messages of their own, without figures."""
    if message.role != "assistant":
        return False
    return not message.tool_calls or message.usage is not None


def left_to_client(message: Message) -> tuple[ToolCall, ...]:
    """The calls a reply leaves to a client program."""
    return message.tool_calls if is_reply(message) else ()


def results_with(message: Message) -> tuple[Attachment, ...]:
    """The results of such calls that came with a message, in the order of the calls."""
    sent = message.client_context.attachments if message.client_context else ()
    return tuple(one for one in sent if one.origin == "tool" and message.role == "user")


def answers(message: Message, calls: Sequence[ToolCall]) -> tuple[Attachment, ...]:
    """Its results where they are those of these calls, one of each; otherwise none."""
    results = results_with(message)
    same = [one.name for one in results] == [one.name for one in calls]
    return results if calls and same else ()
