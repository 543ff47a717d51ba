"""A conversation as it was, told to an editor that opens it again."""

from collections.abc import AsyncIterator, Sequence

from acp.helpers import (
    image_block,
    start_tool_call,
    text_block,
    tool_content,
    update_agent_message_text,
    update_agent_thought_text,
    update_user_message,
    update_user_message_text,
)
from acp.interfaces import Client

from skill_agent.conversations.client_context import in_fence
from skill_agent.conversations.in_order import Called, Said, in_order
from skill_agent.conversations.in_words import cut_short
from skill_agent.conversations.told_apart import told_apart
from skill_agent.text.attachments import label
from skill_agent.text.printing import printable
from skill_agent.text.shaping import one_line
from skill_agent.values import Message, TurnState
from skill_agent.workstation import Workstation
from skill_agent.workstation.past import Past, past_of

from .kinds import kind_of, title_of
from .telling import call_id
from .texts import plain, shown

MOST_MESSAGES = 2_000
"""The newest of a longer conversation."""


async def replay(station: Workstation, client: Client, session: str) -> None:
    """Tells all of it; returns once the editor has it."""
    past = await past_of(station, session, last=MOST_MESSAGES)
    async for update in _retold(past):
        await client.session_update(session, update)  # pyright: ignore[reportArgumentType]


async def _retold(past: Past) -> AsyncIterator[object]:
    for messages in past.by_turn():
        state = past.turns.get(messages[0].turn)
        for message in messages:
            if message.role == "user":
                for update in _asked(message):
                    yield update
        for line in _beside(past, state):
            yield update_agent_thought_text(f"{one_line(shown(line, 1_000))}\n\n")
        for update in _replied(messages):
            yield update
        if state is not None and (line := _end(state)):
            yield update_agent_thought_text(f"{one_line(shown(line, 1_000))}\n\n")


def _asked(message: Message) -> list[object]:
    """The words, what was shown with them, and the name of each text that came beside them."""
    words, attachments = told_apart(message)
    told = [printable(words)] if words else []
    told += [f"[{one_line(shown(label(one), 400))}]" for one in attachments]
    images = message.client_context.images if message.client_context else ()
    pictures = [update_user_message(image_block(one.data, one.media_type)) for one in images]
    return [update_user_message_text("\n\n".join(told)), *pictures] if told else [*pictures]


def _beside(past: Past, state: TurnState | None) -> list[str]:
    if state is None:
        return []
    saved = [past.saved[one].content for one in state.saved if one in past.saved]
    return [f"✓ remembered: {one}" for one in saved] + [f"⚠ {one}" for one in state.notices]


def _replied(messages: Sequence[Message]) -> list[object]:
    told: list[object] = []
    for part in in_order(messages):
        match part:
            case Said(text=text):
                told.append(update_agent_message_text(printable(text)))
            case Called():
                told.append(_called(part, messages[0].turn))
    return told


def _called(made: Called, turn: str) -> object:
    outcome = made.outcome
    result = shown(made.result.content) if made.result else ""
    return start_tool_call(
        call_id(turn, made.call.id),
        title_of(made.call.name, made.call.arguments),
        kind=kind_of(made.call.name),
        status="completed" if outcome and outcome.ok else "failed",
        content=[tool_content(text_block(in_fence(result)))] if result.strip() else None,
        raw_input=plain(made.call.arguments),
        raw_output=result,
    )


def _end(state: TurnState) -> str:
    if state.state in ("running", "finished"):
        return ""
    reason = state.reason or "host_lost"
    if said := cut_short(reason, kept=bool(state.text)):
        return f"■ {said}"
    told = f"{state.agent} could not answer: {state.problem}"
    return f"■ {told} ({state.hint})" if state.hint else f"■ {told}"
