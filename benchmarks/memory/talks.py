"""Conversations with questions and the lines that answer them: LoCoMo, BEAM and our own.

The first two are read from files of whoever has them; nothing of them lies here.
"""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from skill_agent.values import IndexItem

CATEGORIES = {1: "multi-hop", 2: "temporal", 3: "open-domain", 4: "single-hop", 5: "adversarial"}
_FIRST_DAY = datetime(2024, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    text: str
    wanted: frozenset[str]
    kind: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Talk:
    """Everything of one home, in the order it was said."""

    name: str
    kind: str
    items: Sequence[IndexItem]
    questions: Sequence[Asked]


def read_locomo(file: Path) -> list[Talk]:
    """Two people over months, in short lines; item ids are its own (`D1:3`)."""
    stored = json.loads(file.read_text(encoding="utf-8"))
    return [_locomo(f"locomo-{place}", entry) for place, entry in enumerate(stored)]


def _locomo(name: str, entry: dict[str, Any]) -> Talk:
    said, items = entry["conversation"], []
    for number in sorted(int(key[8:]) for key in said if re.fullmatch(r"session_\d+", key)):
        when = said[f"session_{number}_date_time"]
        start = datetime.strptime(when, "%I:%M %p on %d %B, %Y").replace(tzinfo=UTC)
        for position, turn in enumerate(said[f"session_{number}"]):
            caption = f" [image: {turn['blip_caption']}]" if turn.get("blip_caption") else ""
            items.append(
                IndexItem(
                    id=turn["dia_id"], kind="turn", seq=len(items) + 1,
                    text=turn["text"] + caption or "…", speaker=turn["speaker"],
                    session=f"session_{number}", position=position,
                    created_at=start + timedelta(seconds=position),
                )
            )  # fmt: skip
    known = {item.id for item in items}
    asked = []
    for row in entry["qa"]:
        pairs = re.findall(r"D(\d+):0*(\d+)", " ".join(row["evidence"]))
        wanted = {f"D{session}:{turn}" for session, turn in pairs} & known
        kind = CATEGORIES.get(int(row["category"]), str(row["category"]))
        asked.append(Asked(text=row["question"], wanted=frozenset(wanted), kind=kind))
    return Talk(name=name, kind="locomo", items=items, questions=_answered(asked))


def read_beam(file: Path) -> list[Talk]:
    """A person with an assistant, in long lines; a new day begins a new session."""
    return [_beam(entry) for entry in json.loads(file.read_text(encoding="utf-8"))]


def _beam(entry: dict[str, Any]) -> Talk:
    day, session, items = _FIRST_DAY, 0, []
    for place, turn in enumerate(entry["turns"]):
        if turn.get("time_anchor"):
            told = datetime.strptime(turn["time_anchor"], "%B-%d-%Y").replace(tzinfo=UTC)
            day, session = told, session + (told != day)
        items.append(
            IndexItem(
                id=str(turn["id"]), kind="turn", seq=place + 1, text=turn["content"],
                speaker=turn["role"], session=f"session_{session}", position=place,
                created_at=day + timedelta(seconds=place),
            )
        )  # fmt: skip
    known = {item.id for item in items}
    asked = [
        Asked(
            text=row["question"],
            wanted=frozenset(set(_numbers(row.get("source_chat_ids"))) & known),
            kind=kind,
        )
        for kind, rows in entry["questions"].items()
        for row in rows
    ]
    name = f"beam-{entry['chat']}"
    return Talk(name=name, kind="beam", items=items, questions=_answered(asked))


def read_own(file: Path) -> list[Talk]:
    """One home for each language, with memories, and one each for all talk of either kind."""
    stored = json.loads(file.read_text(encoding="utf-8"))
    talks = [_told(place, told) for place, told in enumerate(stored["talks"])]
    memories = [
        (told, _remembered(place, told["said"])) for place, told in enumerate(stored["memories"])
    ]
    homes = []
    for lang in dict.fromkeys(talk.name for talk in talks):
        mine = [(told["asked"], item) for told, item in memories if told["lang"] == lang]
        homes.append(_home(lang, "own", [one for one in talks if one.name == lang], mine))
    for kind in ("own-two", "own-chat"):
        alike = [one for one in talks if one.kind == kind]
        homes.append(_home(kind, kind, alike, [("", item) for _, item in memories]))
    return homes


def _told(number: int, told: dict[str, Any]) -> Talk:
    items: list[IndexItem] = []
    for session, (day, lines) in enumerate(told["sessions"]):
        start = datetime.fromisoformat(day).replace(tzinfo=UTC)
        for position, (speaker, text) in enumerate(lines):
            items.append(
                IndexItem(
                    id=f"{number}:{len(items)}", kind="turn", seq=0, text=text, speaker=speaker,
                    session=f"{number}/{session}", position=position,
                    created_at=start + timedelta(minutes=position),
                )
            )  # fmt: skip
    kind = "own-chat" if items[0].speaker == "user" else "own-two"
    asked = [
        Asked(text=text, wanted=frozenset(f"{number}:{line}" for line in lines), kind=told["lang"])
        for text, lines in told["questions"]
    ]
    return Talk(name=told["lang"], kind=kind, items=items, questions=asked)


def _remembered(number: int, text: str) -> IndexItem:
    return IndexItem(
        id=f"memory:{number}", kind="memory", seq=0, text=text, memory_type="semantic",
        created_at=datetime(2026, 6, 1, tzinfo=UTC),
    )  # fmt: skip


def _home(
    name: str, kind: str, talks: Sequence[Talk], memories: Sequence[tuple[str, IndexItem]]
) -> Talk:
    """The talks in one home; a memory answers the question that is noted with it."""
    answers = {asked: item.id for asked, item in memories if asked}
    items = [*(item for talk in talks for item in talk.items), *(item for _, item in memories)]
    questions = [
        Asked(
            text=one.text,
            wanted=one.wanted | ({answers.pop(one.text)} if one.text in answers else set()),
            kind=one.kind,
        )
        for talk in talks
        for one in talk.questions
    ]
    alone = [
        Asked(text=text, wanted=frozenset({item}), kind="memory") for text, item in answers.items()
    ]
    return Talk(name=f"own-{name}", kind=kind, items=items, questions=[*questions, *alone])


def _answered(asked: Sequence[Asked]) -> list[Asked]:
    return [one for one in asked if one.wanted]


def _numbers(told: Any) -> Iterator[str]:
    """Every id in whatever shape they are noted."""
    if isinstance(told, dict):
        told = list(told.values())
    if isinstance(told, list):
        for one in told:
            yield from _numbers(one)
    elif isinstance(told, int):
        yield str(told)
