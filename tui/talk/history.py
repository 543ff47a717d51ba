"""A conversation read from the ledger as blocks; the live side is `turn_view`."""

from collections.abc import Iterable, Mapping

from textual.widget import Widget

from skill_agent.conversations.told_apart import told_apart
from skill_agent.values import Message, Rating, Usage

from ..frame.agents import AgentList
from .blocks import Block, Line, ToolBlock, UserBlock
from .prose import Prose
from .reply import ReplyBlock

SHOWN = 200
"""The newest messages of a conversation that are drawn; the rest stays in the ledger."""


def blocks_of(
    messages: Iterable[Message], agents: AgentList, ratings: Mapping[str, Rating] | None = None
) -> list[Block]:
    """One block a user message, one a reply with all its tool calls; `ratings` by message id."""
    rated = ratings or {}
    blocks: list[Block] = []
    reply: list[Message] = []
    for message in messages:
        if message.role == "user":
            blocks += _reply(reply, agents, rated)
            reply = []
            blocks.append(UserBlock(*told_apart(message)))
        elif message.role in ("assistant", "tool"):
            if reply and reply[0].turn != message.turn:
                blocks += _reply(reply, agents, rated)
                reply = []
            reply.append(message)
    return blocks + _reply(reply, agents, rated)


def _reply(messages: list[Message], agents: AgentList, rated: Mapping[str, Rating]) -> list[Block]:
    if not messages:
        return []
    parts: list[Widget] = []
    tools: dict[str, ToolBlock] = {}
    for message in messages:
        if message.role == "tool":
            if tool := tools.get(message.tool_call_id or ""):
                tool.finish(ok=True, result=message.content)
            continue
        if message.content:
            parts.append(Prose(message.content))
        for call in message.tool_calls:
            tools[call.id] = ToolBlock(call.name, call.arguments)
            parts.append(tools[call.id])
        if message.state == "partial":
            parts.append(Line("■", "Stopped here", kind="warning"))
    said = "\n\n".join(m.content for m in messages if m.role == "assistant" and m.content)
    agent = next((m.agent for m in messages if m.agent), "") or ""
    usage = next((m.usage for m in reversed(messages) if m.usage), None)
    last = next((m.id for m in reversed(messages) if m.role == "assistant"), None)
    return [
        ReplyBlock(
            agents[agent],
            messages[0].turn,
            parts=parts,
            said=said,
            meta=meta_of(usage),
            message_id=last,
            rating=next((rated[m.id] for m in messages if m.id in rated), None),
        )
    ]


def meta_of(usage: Usage | None, *, recalled: int = 0) -> str:
    """The quiet line under a reply; times under a second say nothing and are left out."""
    if usage is None:
        return ""
    parts = [f"{usage.completion_tokens} tokens"] if usage.completion_tokens else []
    if usage.total_s >= 1:
        parts.append(f"{usage.total_s:.1f} s")
    if usage.prompt_tokens and usage.cached_tokens:
        parts.append(f"{round(100 * usage.cached_tokens / usage.prompt_tokens)}% cached")
    if recalled:
        parts.append(f"{recalled} recalled")
    return " · ".join(parts)
