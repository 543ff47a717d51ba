"""All that waits for the person, and what was left for them, as rows of one list.

Each source is asked by itself: one that cannot be read hides none of the others.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Literal, TypeVar, get_args

from skill_agent.errors import SkillAgentError
from skill_agent.text.decisions import hosts_in
from skill_agent.values import Dispute, InboxItem, Job, Memory, Question, WaitingApproval

if TYPE_CHECKING:
    from skill_agent.workstation import Workstation

Group = Literal["waits for you", "failed", "new", "read"]
Kind = Literal["approval", "question", "dispute", "review", "job", "message"]
Thing = WaitingApproval | Question | Dispute | Memory | Job | InboxItem
GROUPS: tuple[Group, ...] = get_args(Group)
KINDS: tuple[Kind, ...] = get_args(Kind)
SHOWN = 200
"""Messages at most; the newest."""
Part = TypeVar("Part")


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing in the inbox."""

    id: str
    group: Group
    kind: Kind
    thing: Thing
    title: str
    at: datetime
    agent: str = ""
    note: str = ""
    """What sort of its kind it is, in words."""
    review: Literal["", "share", "adopt"] = ""
    """What a yes to a memory does: it becomes everybody's, or part of who its agent is."""

    @property
    def waits(self) -> bool:
        """Whether it counts until the person has dealt with it."""
        return self.group != "read"

    def has(self, words: str) -> bool:
        """Whether all these words are in it."""
        text = f"{self.title} {self.note} {self.agent} {getattr(self.thing, 'text', '')}".lower()
        return all(word in text for word in words.lower().split())


@dataclass(frozen=True, slots=True)
class Found:
    """What there is, and what of it could not be read."""

    entries: tuple[Entry, ...]
    problems: tuple[SkillAgentError, ...] = ()

    @property
    def waiting(self) -> int:
        return sum(one.waits for one in self.entries)


async def look(station: "Workstation") -> Found:
    """All of it: in groups, what is urgent first in each; raises where nothing could be read."""
    book = station.memory
    parts = await asyncio.gather(
        _part(station.approvals.waiting, _approvals),
        _part(station.questions.list, _questions),
        _part(book.disputes, _disputes),
        _part(book.shares, lambda found: _reviews(found, "share")),
        _part(book.selves, lambda found: _reviews(found, "adopt")),
        _part(station.jobs.list, _jobs),
        _part(partial(station.inbox.list, limit=SHOWN), _messages),
    )
    entries = [one for part in parts if isinstance(part, list) for one in part]
    problems = tuple(part for part in parts if isinstance(part, SkillAgentError))
    if problems and not entries:
        raise problems[0]
    entries = [one for one in entries if not _told_twice(one, entries)]
    entries.sort(key=lambda one: GROUPS.index(one.group))
    return Found(tuple(entries), problems)


async def _part(
    ask: Callable[[], Awaitable[Part]], made: Callable[[Part], list[Entry]]
) -> list[Entry] | SkillAgentError:
    try:
        return made(await ask())
    except SkillAgentError as error:
        return error


async def count_waiting(station: "Workstation") -> int:
    """How many entries wait; raises SkillAgentError where that cannot be told."""
    return (await look(station)).waiting


# -- the sources -----------------------------------------------------------------------------


def _approvals(found: Sequence[WaitingApproval]) -> list[Entry]:
    def title(one: WaitingApproval) -> str:
        hosts = hosts_in(one.arguments)
        return f"wants to use {one.tool}" + (f" → {hosts}" if hosts else "")

    return [
        Entry(f"approval {one.id}", "waits for you", "approval", one, title(one), one.since,
              one.agent, "to allow or deny")
        for one in found
    ]  # fmt: skip


def _questions(found: Sequence[Question]) -> list[Entry]:
    return [
        Entry(f"question {one.id}", "waits for you", "question", one, one.text, one.created_at,
              one.agent, f"a {one.source} asks")
        for one in found
    ]  # fmt: skip


def _disputes(found: Sequence[Dispute]) -> list[Entry]:
    return [
        Entry(f"dispute {one.id}", "waits for you", "dispute", one,
              " ≠ ".join(each.content for each in one.memories[:2]),
              one.memories[0].created_at, "", "which is right?")
        for one in found
        if one.memories
    ]  # fmt: skip


def _reviews(found: Sequence[Memory], what: Literal["share", "adopt"]) -> list[Entry]:
    note = "for the whole team?" if what == "share" else "part of who the agent is?"
    return [
        Entry(f"memory {one.id}", "waits for you", "review", one, one.content, one.created_at,
              one.agent or "", note, what)
        for one in found
    ]  # fmt: skip


def _jobs(jobs: Iterable[Job]) -> list[Entry]:
    found: list[Entry] = []
    for one in jobs:
        at = one.last_run or one.created_at
        if one.status == "proposed":
            note = "a proposed job"
            found.append(
                Entry(f"job {one.id}", "waits for you", "job", one, one.name, one.created_at,
                      one.created_by, note)
            )  # fmt: skip
        elif one.dead:
            note = f"gave up after {one.failures} failures"
            found.append(
                Entry(f"job {one.id}", "failed", "job", one, one.name, at, one.agent, note)
            )
    return found


def _messages(items: Iterable[InboxItem]) -> list[Entry]:
    return [_message(one) for one in items]


def _told_twice(one: Entry, entries: Sequence[Entry]) -> bool:
    """Whether it is a failed job of which a new message tells."""
    return one.group == "failed" and isinstance(one.thing, Job) and any(
        each.waits and isinstance(each.thing, InboxItem) and each.thing.job == one.thing.id
        for each in entries
    )  # fmt: skip


def _message(one: InboxItem) -> Entry:
    new = one.read_at is None
    group: Group = "read" if not new else "failed" if one.sort == "failure" else "new"
    return Entry(f"item {one.id}", group, "message", one, one.title, one.created_at, one.agent,
                 one.sort)  # fmt: skip
