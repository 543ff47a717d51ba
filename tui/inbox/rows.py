"""Entries of the inbox as rows of its list: each two lines, what was not read first to the eye."""

from collections.abc import Iterator, Sequence

from textual.content import Content

from skill_agent.values import Delivery, InboxItem

from ..frame.agents import AgentList
from ..frame.listing import Row, heading
from ..frame.plain import one_line, shown_time
from .entries import GROUPS, Entry, Group

_NAMES: dict[Group, str] = {
    "waits for you": "Waits for you", "failed": "Failed", "new": "New", "read": "Read",
}  # fmt: skip
_MARKS = {"approval": "?", "question": "?", "dispute": "≠", "review": "◆", "job": "↻"}


def rows_of(entries: Sequence[Entry], agents: AgentList) -> Iterator[Row[Entry]]:
    """In groups, each under its heading."""
    first = True
    for group in GROUPS:
        some = [one for one in entries if one.group == group]
        if some:
            yield heading(f"{_NAMES[group]} · {len(some)}", first=first)
            first = False
        for one in some:
            yield Row(one.id, _row(one, agents), one)


def mark_of(entry: Entry) -> tuple[str, str]:
    """One sign for what it is, and the colour."""
    if entry.group == "failed":
        return "✗", "$error"
    if entry.group == "waits for you":
        return _MARKS[entry.kind], "$warning"
    return ("●", "$accent") if entry.group == "new" else (" ", "$foreground-muted")


def _row(entry: Entry, agents: AgentList) -> Content:
    mark, colour = mark_of(entry)
    name = agents[entry.agent].name if entry.agent else ""
    title = f"{name} {entry.title}" if entry.kind == "approval" else entry.title
    who = "" if entry.kind == "approval" else name
    facts = " · ".join(one for one in (entry.note, who, shown_time(entry.at)) if one)
    ways = entry.thing.deliveries if isinstance(entry.thing, InboxItem) else ()
    lost = any(one.state == "given_up" for one in ways)
    return Content.assemble(
        (f"{mark} ", f"bold {colour}"),
        (one_line(title, 200), "bold" if entry.waits else "$foreground-muted"),
        ("\n  ", ""),
        ("✗ not delivered · " if lost else "", "$error"),
        (one_line(facts, 120), "$foreground-muted"),
    )


def way_in_words(way: Delivery) -> tuple[str, str]:
    """One way in a line, and its colour."""
    tried = f", {way.attempts} tries" if way.attempts > 1 else ""
    again = f", again {shown_time(way.next_try)}" if way.next_try else ""
    said = one_line(way.error or way.receipt, 200)
    line = f"{one_line(way.target, 80)}: {way.state.replace('_', ' ')}{tried}{again}"
    line += f" · {said}" if said else ""
    match way.state:
        case "delivered":
            return f"✓ {line}", "$success"
        case "given_up":
            return f"✗ {line}", "$error"
        case "failed":
            return f"… {line}", "$warning"
        case _:
            return f"· {line}", "$foreground-muted"
