"""A piece of team work as text: its tree, what came of it, what was said."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from skill_agent.errors import NotFound
from skill_agent.identifiers import iso
from skill_agent.values import Session
from skill_agent.workstation.branches import Branch, figures, flat
from skill_agent.workstation.past import Past, past_of

from ..output import harmless, plain

if TYPE_CHECKING:
    from skill_agent.workstation import Workstation

MARKS = {
    "completed": "✓", "failed": "✗", "timed_out": "✗", "cancelled": "■", "pending": "·",
    "planning": "·",
}  # fmt: skip
"""Before a state; what is at work has `▸`."""
Said = Mapping[str, Past]
"""By task, the conversation in which it was worked on."""


async def transcripts(station: "Workstation", root: Branch) -> dict[str, Past]:
    """What was said in each task, as far as it is still there."""
    found: dict[str, Past] = {}
    for _, branch in flat([root]):
        if branch.kind == "task" and branch.session:
            try:
                found[branch.id] = await past_of(station, branch.session)
            except NotFound:  # it was erased
                continue
    return found


def told(root: Branch, said: Said, now: datetime) -> Iterator[str]:
    """All of it, for a person."""
    yield from lines([root], now)
    yield ""
    yield f"id        {root.id}"
    yield f"asked by  {root.created_by}, {iso(root.created_at)}"
    if root.kind == "task" and root.instructions:
        yield from ("", "Asked:", *_inset(root.instructions))
    for output in root.outputs:
        head = f"{output.agent_slug}, {output.stage}"
        yield from ("", f"{head}: {output.problem}" if output.problem else f"{head}:")
        yield from _inset(output.output)
    if root.result:
        yield from ("", "Result:", *_inset(root.result))
    for _, branch in flat([root]):
        if (past := said.get(branch.id)) is not None:
            yield from ("", *_retold(branch, past))


def lines(roots: Sequence[Branch], now: datetime) -> Iterator[str]:
    """A tree of them, one line each."""
    for root in roots:
        yield _line(root, root.title, now)
        yield from _below(root, "", now)


def _below(branch: Branch, before: str, now: datetime) -> Iterator[str]:
    for at, child in enumerate(branch.children, 1):
        last = at == len(branch.children)
        yield f"{before}{'└─ ' if last else '├─ '}{_line(child, child.heading, now)}"
        yield from _below(child, before + ("   " if last else "│  "), now)


def _line(branch: Branch, title: str, now: datetime) -> str:
    mark = MARKS.get(branch.status, "▸")
    kind = branch.pattern.replace("_", " ")
    who = f"{kind} led by {branch.agent}" if kind else branch.agent
    parts = [f"{mark} {branch.state}", who, title, figures(branch, now)]
    if branch.attempt > 1:
        parts.append(f"try {branch.attempt}")
    if branch.problem:
        parts.append(branch.problem)
    return harmless(" · ".join(part for part in parts if part))


def _inset(text: str) -> list[str]:
    """Behind a bar, so that nothing of it passes for ours."""
    return [f"  │ {line}" for line in text.splitlines()]


def _retold(branch: Branch, past: Past) -> list[str]:
    from skill_agent.workstation.retold import retold

    session = Session(
        id=branch.session or "",
        title=f"{branch.agent}: {branch.title}",
        agent=branch.agent,
        created_at=branch.created_at,
        updated_at=branch.completed_at or branch.created_at,
    )
    return retold(session, past).splitlines()


def tree_json(root: Branch, said: Said | None) -> dict[str, Any]:
    """As JSON types; with `said`, each task with its messages."""
    found = {**plain(root), "children": [tree_json(one, said) for one in root.children]}
    if said is not None and root.kind == "task":
        past = said.get(root.id)
        found["transcript"] = plain(list(past.messages)) if past else []
    return found
