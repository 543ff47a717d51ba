"""A conversation as Markdown: what was said, and what became of it."""

from collections.abc import Iterator, Sequence

from skill_agent.conversations.client_context import in_fence
from skill_agent.conversations.in_order import Called, Said, in_order
from skill_agent.conversations.in_words import (
    BROKEN_OFF,
    answered,
    answered_by,
    cut_short,
    recalled,
)
from skill_agent.conversations.seats_told import told_of
from skill_agent.conversations.told_apart import told_apart
from skill_agent.conversations.turn_states import told
from skill_agent.events import TurnFailed
from skill_agent.text.attachments import label
from skill_agent.text.clock import minute_of
from skill_agent.values import CallOutcome, Message, SeatMoment, Session, TurnState

from .past import Past


def retold(session: Session, past: Past) -> str:
    """The whole of it, each summary where it was made."""
    lines = [
        f"# {session.title}",
        "",
        f"Session {session.id}, begun {minute_of(session.created_at)}",
    ]
    summaries = {one.up_to: one.line for one in past.summed_up}
    beside = past.seats_beside()
    for messages in past.by_turn():
        while beside and beside[0].at < messages[0].created_at:
            lines += _seat(beside.pop(0))
        lines += _turn(past, messages)
        for message in messages:
            if line := summaries.get(message.position):
                lines += ["", f"*{line}*"]
    for moment in beside:
        lines += _seat(moment)
    return "\n".join(lines) + "\n"


def _seat(moment: SeatMoment) -> tuple[str, ...]:
    return "", f"*{told_of(moment, '').line}*"


def speaker(message: Message) -> str:
    """Who said it."""
    if message.role == "user":
        return "you"
    return message.agent or message.role if message.role == "assistant" else message.role


def _turn(past: Past, messages: Sequence[Message]) -> Iterator[str]:
    state = past.turns.get(messages[0].turn)
    for message in messages:
        if message.role in ("user", "system"):
            yield from _header(message)
            yield _words(message)
            if message.recalled:
                yield from ("", f"*{recalled(len(message.recalled))}*")
    for moment in past.seats_in(messages[0].turn):
        yield from _seat(moment)
    for memory_id in state.saved if state else ():
        if memory := past.saved.get(memory_id):
            yield from ("", f"*✓ saved to memory: {memory.content}*")
    for part in in_order(messages):
        match part:
            case Said(message=message, text=text):
                yield from _header(message)
                yield text
            case Called():
                yield from _call(part)
    if state is not None:
        yield from _end(state)


def _header(message: Message) -> tuple[str, ...]:
    partial = " (interrupted)" if message.state == "partial" else ""
    return (
        "",
        f"**{speaker(message)}** · {minute_of(message.created_at, message.zone)}{partial}",
        "",
    )


def _words(message: Message) -> str:
    """The words, and below them each text that came beside them, with where it is from."""
    words, attachments = told_apart(message)
    texts = (f"[{label(one)}]\n{in_fence(one.text)}" for one in attachments)
    return "\n\n".join(part for part in (words, *texts) if part)


def _call(made: Called) -> Iterator[str]:
    yield from ("", f"> uses {made.call.name} {made.call.arguments}")
    if made.outcome:
        yield f"> {_outcome(made.outcome)}"
    if made.result:
        yield from _header(made.result)
        yield made.result.content


def _outcome(outcome: CallOutcome) -> str:
    """`✓ 0.4 s`, `✗ denied, by you`."""
    mark = "✓" if outcome.ok else "✗"
    took = f"{outcome.seconds:.1f} s" if outcome.seconds >= 0.1 else ""
    if outcome.choice is None:
        return f"{mark} {took}".rstrip() if outcome.ok else f"{mark} failed {took}".rstrip()
    answer = answered(outcome.choice).lower(), answered_by(outcome.choice, outcome.by)
    return f"{mark} {', '.join(one for one in (*answer, took) if one)}"


def _end(state: TurnState) -> Iterator[str]:
    """What was told with the reply, and why there is none or no whole one."""
    for notice in state.notices:
        yield from ("", f"*! {notice}*")
    if state.state in ("running", "finished"):
        return
    if state.state == "failed" and state.reason is None:
        return  # it was not kept why; the partial reply says that it was interrupted
    event = told(state)
    assert isinstance(event, TurnFailed)
    if said := cut_short(event.reason, kept=bool(event.text)):
        yield from ("", f"*■ {said}*")
    else:
        if event.text:
            yield from ("", f"*■ {BROKEN_OFF}*")
        yield from ("", f"**{event.agent} could not answer**: {event.message}")
    if event.hint:
        yield f"→ {event.hint}"
