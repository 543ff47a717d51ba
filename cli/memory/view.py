"""Memories as commands print them: one object for scripts, a few columns for a person."""

from collections.abc import Sequence
from typing import Any

from skill_agent.memory.rows import memory_row
from skill_agent.text.clock import day_of, minute_of
from skill_agent.text.origins import in_words
from skill_agent.values import Found, LogEntry, Memory, Story

from ..output import emit_json, emit_text, narrate, plain, record, table


def memory_object(memory: Memory) -> dict[str, Any]:
    """A memory as every command prints it."""
    return {**memory_row(memory), "kind": "memory", "score": None}


def found_object(found: "Found") -> dict[str, Any]:
    """A search result: the memory or message, its score and the reasons for it."""
    item, hit = found.hit.item, found.hit
    if found.memory is not None:
        described = memory_object(found.memory)
    else:
        described = {
            "id": item.id,
            "content": item.text,
            "memory_type": item.memory_type,
            "subject": item.subject,
            "importance": item.importance,
            "agent": item.agent,
            "speaker": item.speaker,
            "status": item.status,
            "tier": item.tier,
            "pinned": item.pinned,
            "session": item.session,
            "source": {"session": item.session, "message_ids": [item.id]},
            "created_at": plain(item.created_at),
            "kind": item.kind,
        }
    return {
        **described,
        "score": hit.score,
        "relevant": found.relevant,
        "until": plain(hit.until) if hit.until else None,
        "signals": hit.signals,
        "reason": hit.reason,
    }


def show_list(memories: list[Memory], *, as_json: bool) -> None:
    """A listing: columns for a person, an array for a script."""
    if as_json:
        emit_json([memory_object(memory) for memory in memories])
        return
    table(
        ("id", "type", "imp", "agent", "state", "created", "content"),
        (
            (one.id, one.memory_type, one.importance, one.agent, _state(one),
             day_of(one.created_at), one.content)
            for one in memories
        ),
        empty="no memories",
    )  # fmt: skip


def _state(memory: Memory) -> str:
    if memory.status != "active":
        return memory.status
    if memory.origins:
        return f"from {in_words(memory.origins)}"
    return "pinned" if memory.pinned else memory.tier


def answers_first(found: "Sequence[Found]") -> "list[Found]":
    """What tells something in its order, then a person's questions and agents' replies."""
    # Its patterns take their time to compile: not before a search.
    from skill_agent.memory.recall.question import is_reply, only_asks

    return sorted(found, key=lambda one: is_reply(one.hit.item) or only_asks(one.hit.item))


def found_row(found: "Found") -> tuple[object, ...]:
    """A search result as the cells of a table."""
    item = found.hit.item
    kind = item.memory_type if item.kind == "memory" else f"said by {item.speaker or '?'}"
    replaced = found.memory is not None and found.memory.superseded_by
    if replaced or found.hit.until:  # it follows what took its place
        kind = f"was {kind}"
    return (item.id, f"{found.hit.score:.2f}", kind, item.agent, day_of(item.created_at), item.text)


def explain_found(found: "Found") -> None:
    """A search result with each signal's value and the reason for its rank."""
    fields = found_object(found)
    emit_text(f"{fields['score']:.3f}  {fields['content']}")
    signals = "  ".join(f"{name} {value:.2f}" for name, value in found.hit.signals.items())
    record(
        (f"       {name}", value)
        for name, value in (
            ("id", f"{fields['id']} ({fields['memory_type'] or fields['kind']})"),
            ("written by", in_words(fields.get("origins") or ())),
            ("from session", fields["source"]["session"]),
            ("from messages", fields["source"]["message_ids"]),
            ("signals", signals),
            ("reason", fields["reason"]),
        )
    )


def story_rows(story: Story) -> list[dict[str, Any]]:
    """A story as one array in order of time: `message` rows, then the log's."""
    said = [
        {
            "id": one.id,
            "kind": "message",
            "at": plain(one.created_at),
            "session": one.session,
            "actor": one.agent if one.role == "assistant" else "person",
            "content": one.content,
        }
        for one in story.sources
    ]
    return said + [{"id": str(entry.seq), **plain(entry)} for entry in story.entries]


def tell(story: Story) -> None:
    """A story for a person: the sentences, the versions, what happened."""
    for one in story.sources:
        emit_text(
            f'{minute_of(one.created_at, one.zone)}  said in session {one.session}: "{one.content}"'
        )
    for one in story.versions:
        mark = "→" if one.id == story.memory.id else " "
        emit_text(f"{mark} version {one.version} ({one.status}, {one.id}): {one.content}")
    table(("seq", "at", "what", "by", "reason", "changed"), map(_log_row, story.entries))


def _log_row(entry: LogEntry) -> tuple[object, ...]:
    if entry.kind == "recalled":
        changed = f"into a prompt of session {(entry.new or {}).get('session')}"
    elif entry.kind == "standing":
        changed = f"in every prompt of session {(entry.new or {}).get('session')} from then on"
    else:
        changed = ", ".join(f"{name}={value}" for name, value in (entry.new or {}).items())
    return (entry.seq, entry.at, entry.kind, entry.actor, entry.reason, changed[:120])


def show_changed(memory: Memory, what: str, *, as_json: bool) -> None:
    """A memory that was just changed: its id alone on stdout, or the object."""
    if as_json:
        emit_json(memory_object(memory))
    else:
        narrate(f"{what}: {memory.content}")
        emit_text(memory.id)
