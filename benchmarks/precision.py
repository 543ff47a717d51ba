"""What enters the prompt for a set of labelled questions, through the product's own path.

Memories are imported, some sentences are told to an agent, then each question is asked in a
conversation of its own. What counts is what the recall chose beside that message: pins, which are
always there, and identity and profile, which stand in the system message anyway, are counted apart.
"""

import json
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from in_process import open_in_process

from skill_agent.events import MemoryRecalled
from skill_agent.host.runtime import Runtime
from skill_agent.memory.rows import read_row
from skill_agent.models.scripted import ScriptedGateway, ScriptedModel
from skill_agent.ports import Embedder

NOW = datetime(2026, 11, 20, 18, 0, tzinfo=UTC)
STANDING = ("identity", "user_profile")
RETIRED = ("superseded", "archived")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One question of the set, and the ids that entered the prompt for it, best first."""

    text: str
    kind: str
    want: tuple[tuple[str, ...], ...]
    """Each of these must be there; of several ids one is enough."""
    fine: frozenset[str]
    never: frozenset[str]
    entered: tuple[str, ...]
    standing: tuple[str, ...]
    """Pins, identity and profile."""

    @property
    def missing(self) -> list[tuple[str, ...]]:
        there = {*self.entered, *self.standing}
        return [ids for ids in self.want if not there.intersection(ids)]

    @property
    def strays(self) -> list[str]:
        """What entered and has nothing to do with the question."""
        good = self.fine.union(*self.want)
        return [one for one in self.entered if one not in good]


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What the set gave."""

    asked: tuple[Asked, ...]
    violations: tuple[str, ...]
    """Foreign, superseded, forgotten or expired memories that entered: must be none."""
    events: dict[str, MemoryRecalled] = field(default_factory=dict)

    def of(self, kind: str) -> list[Asked]:
        return [one for one in self.asked if one.kind == kind]

    def recall(self) -> float:
        """Share of the wanted ids that entered, over the answerable questions."""
        return statistics.fmean(
            1 - len(one.missing) / len(one.want) for one in self.of("answerable")
        )

    def precision(self) -> float:
        """Mean share of what entered that was wanted or fine, over the answerable questions."""
        return statistics.fmean(
            1 - len(one.strays) / len(one.entered) for one in self.of("answerable") if one.entered
        )

    def summary(self) -> dict[str, Any]:
        return {
            "questions": len(self.asked),
            "recall": round(self.recall(), 4),
            "precision": round(self.precision(), 4),
            "entered_per_question": round(
                statistics.fmean(len(one.entered) for one in self.of("answerable")), 2
            ),
            "strays_off_topic": sum(len(one.strays) for one in self.of("off-topic")),
            "strays_foreign": sum(len(one.strays) for one in self.of("foreign")),
            "violations": len(self.violations),
        }


class _Moving:
    """A clock that moves a second each time it is read."""

    def __init__(self) -> None:
        self._now = NOW

    def __call__(self) -> datetime:
        self._now += timedelta(seconds=1)
        return self._now


async def measure(file: Path, embedder: Embedder, folder: Path) -> Figures:
    """Asks the whole set in a new home in `folder`."""
    given = _read(file)
    rows = {row["id"]: row for row in given["memories"]}
    opened = partial(open_in_process, folder, create=True, embedder=embedder, clock=_Moving())
    gateway = ScriptedGateway(ScriptedModel(otherwise="Noted."))
    asked: list[Asked] = []
    events: dict[str, MemoryRecalled] = {}
    names: dict[str, str] = {}
    async with opened(gateway=gateway) as runtime:
        memories = [read_row(row, now=NOW, user="me") for row in given["memories"]]
        await runtime.ledger.import_memories(memories, actor="person")  # pins and all
        for row in given.get("corrected", ()):
            memory = await runtime.memory.correct(row["old"], row["content"])
            names[memory.id] = row["id"]
        for said in given["said"]:
            session, _ = await _ask(runtime, said["text"], said["agent"])
            names[(await runtime.ledger.messages(session))[0].id] = said["id"]
        await runtime.memory.settle()
        for question in given["questions"]:
            _, event = await _ask(runtime, question["ask"], question["agent"])
            events[question["ask"]] = event
            asked.append(_judged(question, event, names))
    for row in given.get("corrected", ()):
        rows[row["old"]] = rows[row["old"]] | {"status": "superseded"}
    return Figures(asked=tuple(asked), violations=_violations(asked, rows), events=events)


def _read(file: Path) -> dict[str, Any]:
    return json.loads(file.read_text(encoding="utf-8"))


async def _ask(runtime: Runtime, text: str, agent: str) -> tuple[str, MemoryRecalled]:
    session, found = "", None
    async for event in runtime.ask(text, agent=agent):
        session = event.session
        found = event if isinstance(event, MemoryRecalled) else found
    if found is None:
        raise SystemExit(f"no recall for {text!r}")
    return session, found


def _judged(question: dict[str, Any], event: MemoryRecalled, names: dict[str, str]) -> Asked:
    entered, standing = [], []
    for item in event.items:
        apart = item.reason == "pinned" or item.memory_type in STANDING
        (standing if apart else entered).append(names.get(item.id, item.id))
    return Asked(
        text=question["ask"],
        kind=question["kind"],
        want=tuple((one,) if isinstance(one, str) else tuple(one) for one in question["want"]),
        fine=frozenset(question.get("fine", ())),
        never=frozenset(question.get("never", ())),
        entered=tuple(entered),
        standing=tuple(standing),
    )


def _violations(asked: Sequence[Asked], rows: dict[str, dict[str, Any]]) -> tuple[str, ...]:
    """Every question's own list, and whatever nobody may ever see in a prompt again."""
    gone = {
        name
        for name, row in rows.items()
        if row.get("status") in RETIRED
        or row.get("user") not in (None, "me")
        or row.get("expires_at", "9") < NOW.isoformat()
    }
    return tuple(
        f"{one.text}: {name}"
        for one in asked
        for name in (*one.entered, *one.standing)
        if name in one.never or name in gone
    )
