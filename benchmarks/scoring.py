"""How extracted memories are compared with labelled facts; nothing here extracts or prints.

A statement is a list of key groups. A memory states it if each group has an alternative among its
words (case does not count) and none of the statement's forbidden words is there. Alternatives stand
as whole words, but in scripts without blanks; `allerg*` is any ending, `7` is not a part of `7.30`,
and `@2026-05-12`, `@2026-05`, `@2026` are that day, month or year in any usual English or ISO
writing: a day's year may be left out but must not be another one, a month needs its year.
"""

import json
import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any

from skill_agent.text.scripts import UNSPACED
from skill_agent.values import Message, Role

_UNSPACED = re.compile(f"[{UNSPACED}]")
MONTHS = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september",
    "october", "november", "december",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """Something a memory may say."""

    keys: tuple[tuple[str, ...], ...]
    forbid: tuple[str, ...] = ()

    def said_in(self, text: str) -> bool:
        """Whether the text states it."""
        return all(any(_found(word, text) for word in group) for group in self.keys) and not any(
            _found(word, text) for word in self.forbid
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact(Statement):
    """Something that ought to be kept."""

    id: str
    fact: str
    type: str
    kind: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Labelled:
    """A conversation with what ought, may and must not be kept of it."""

    id: str
    lang: str = "en"
    messages: tuple[Message, ...]
    facts: tuple[Fact, ...]
    wrong: tuple[Statement, ...]
    neutral: tuple[Statement, ...]
    """True, but nobody would miss it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """One conversation's extracted memories, compared."""

    labelled: Labelled
    correct: tuple[str, ...]
    false: tuple[str, ...]
    """Neither a fact nor neutral, or wrong."""
    wrong: tuple[str, ...]
    """Those of `false` that state something that must not be kept."""
    hit: frozenset[str]
    """Ids of the facts found."""
    repeats: int
    """Correct memories whose facts earlier ones had all stated."""
    profile: tuple[bool, ...]
    """For each memory of the profile whether it is correct."""


@dataclass(slots=True)
class Score:
    """Sums over conversations."""

    judged: list[Judged] = field(default_factory=list)

    @property
    def extracted(self) -> int:
        return sum(len(one.correct) + len(one.false) for one in self.judged)

    @property
    def recall(self) -> float:
        """Facts stated by at least one memory that is not wrong / all labelled facts."""
        facts = sum(len(one.labelled.facts) for one in self.judged)
        return sum(len(one.hit) for one in self.judged) / facts if facts else 1.0

    @property
    def precision(self) -> float:
        """Memories that state a fact or something neutral, and nothing wrong / all extracted.

        A memory counts once however many facts it states; 1 where nothing was extracted.
        """
        correct = sum(len(one.correct) for one in self.judged)
        return correct / self.extracted if self.extracted else 1.0

    @property
    def f1(self) -> float:
        """2PR / (P + R)."""
        both = self.precision + self.recall
        return 2 * self.precision * self.recall / both if both else 0.0

    def by_kind(self) -> dict[str, tuple[int, int]]:
        """Kind to (found, labelled), the most frequent first."""
        all_facts = [(one, fact) for one in self.judged for fact in one.labelled.facts]
        total = Counter(fact.kind for _, fact in all_facts)
        found = Counter(fact.kind for one, fact in all_facts if fact.id in one.hit)
        return {kind: (found[kind], count) for kind, count in total.most_common()}

    def missed(self) -> list[Fact]:
        return [f for one in self.judged for f in one.labelled.facts if f.id not in one.hit]

    def summary(self) -> dict[str, Any]:
        profile = [good for one in self.judged for good in one.profile]
        empty = [one for one in self.judged if not one.labelled.facts]
        return {
            "conversations": len(self.judged),
            "facts": sum(len(one.labelled.facts) for one in self.judged),
            "extracted": self.extracted,
            "recall": round(self.recall, 4),
            "precision": round(self.precision, 4),
            "f1": round(self.f1, 4),
            "wrong": sum(len(one.wrong) for one in self.judged),
            "repeats": sum(one.repeats for one in self.judged),
            "profile": len(profile),
            "profile_precision": round(sum(profile) / len(profile), 4) if profile else 1.0,
            "false_where_no_fact": sum(len(one.false) for one in empty),
            "kinds": {kind: list(counts) for kind, counts in self.by_kind().items()},
        }


def judge(labelled: Labelled, memories: Sequence[tuple[str, str]]) -> Judged:
    """Compares (content, memory type) pairs with the labels; a wrong memory finds no fact."""
    hit: set[str] = set()
    sorted_in: dict[str, list[str]] = defaultdict(list)
    profile: list[bool] = []
    repeats = 0
    for content, memory_type in memories:
        facts = [fact for fact in labelled.facts if fact.said_in(content)]
        if any(one.said_in(content) for one in labelled.wrong):
            sorted_in["wrong"].append(content)
            sorted_in["false"].append(content)
        elif facts:
            sorted_in["correct"].append(content)
            repeats += hit.issuperset(fact.id for fact in facts)
            hit.update(fact.id for fact in facts)
        else:
            neutral = any(one.said_in(content) for one in labelled.neutral)
            sorted_in["correct" if neutral else "false"].append(content)
        if memory_type == "user_profile":
            profile.append(content in sorted_in["correct"])
    return Judged(
        labelled=labelled,
        correct=tuple(sorted_in["correct"]),
        false=tuple(sorted_in["false"]),
        wrong=tuple(sorted_in["wrong"]),
        hit=frozenset(hit),
        repeats=repeats,
        profile=tuple(profile),
    )


# -- the set --------------------------------------------------------------------------------


def read_set(file: Path, limit: int = 0) -> list[Labelled]:
    """The labelled conversations in the file's order, at most `limit` (0: all)."""
    entries = json.loads(file.read_text(encoding="utf-8"))["conversations"]
    return [_labelled(entry) for entry in entries[: limit or None]]


def _labelled(entry: dict[str, Any]) -> Labelled:
    name = entry["id"]
    messages = tuple(_message(name, n, row) for n, row in enumerate(entry["messages"]))
    facts = tuple(
        Fact(
            **_keys(row),
            **{part: row[part] for part in ("id", "fact", "type", "kind")},
        )
        for row in entry["facts"]
    )
    return Labelled(
        id=name,
        lang=entry.get("lang", "en"),
        messages=messages,
        facts=facts,
        wrong=tuple(Statement(**_keys(row)) for row in entry["wrong"]),
        neutral=tuple(Statement(**_keys(row)) for row in entry["neutral"]),
    )


def _keys(row: dict[str, Any]) -> dict[str, Any]:
    keys = tuple(tuple(group) for group in row["keys"])
    return {"keys": keys, "forbid": tuple(row.get("forbid", ()))}


def _message(session: str, position: int, row: dict[str, Any]) -> Message:
    role: Role = row["role"]
    return Message(
        id=f"{session}-{position}",
        session=session,
        turn=f"{session}-turn-{position // 2}",
        role=role,
        content=row["text"],
        created_at=datetime.fromisoformat(row["at"]),
        agent="kyra",
        position=position,
    )


# -- words ----------------------------------------------------------------------------------


def _found(word: str, text: str) -> bool:
    return bool(_pattern(word).search(text))


@cache
def _pattern(word: str) -> re.Pattern[str]:
    if word.startswith("@"):
        return re.compile(_date(word[1:]), re.IGNORECASE)
    stem = word.removesuffix("*")
    if _UNSPACED.search(stem):
        return re.compile(re.escape(stem), re.IGNORECASE)
    body = re.escape(stem).replace(r"\ ", r"\s+").replace("'", "['’]")
    letter = rf"[^\W{UNSPACED}]"
    before = rf"(?<!{letter})" + (r"(?<!\d[.,:])" if stem[:1].isdigit() else "")
    after = "" if word.endswith("*") else rf"(?!{letter})"
    if stem[-1:].isdigit():
        after += r"(?![.,:]\d)"
    return re.compile(before + body + after, re.IGNORECASE)


def _date(iso: str) -> str:
    """A pattern for the day, month or year."""
    if len(iso) == 4:
        return rf"\b{iso}\b"
    if len(iso) == 7:
        year, month = int(iso[:4]), _month(int(iso[5:]))
        return rf"\b{month}(?:\s+\d{{1,2}}(?:st|nd|rd|th)?)?,?\s+(?:of\s+)?{year}\b|\b{iso}\b"
    day = date.fromisoformat(iso)
    month, number = _month(day.month), rf"0?{day.day}(?:st|nd|rd|th)?"
    other = r"(?:0?\d|[12]\d|3[01])(?:st|nd|rd|th)?"
    link = r"\s*(?:-|–|—|to|and|until|till|through|or)\s*(?:the\s+)?"
    year = rf"(?!,?\s+(?!{day.year})\d{{4}}\b)"
    written = (
        rf"{number}(?:\s+of)?\s+{month}{year}",
        rf"{number}{link}{other}(?:\s+of)?\s+{month}{year}",
        rf"{month}\s+(?:the\s+)?{number}\b{year}",
        rf"{month}\s+{other}{link}{number}\b{year}",
        rf"{day.year}[-/.]0?{day.month}[-/.]0?{day.day}",
    )
    return rf"(?<!\w)(?:{'|'.join(written)})(?!\w)"


def _month(number: int) -> str:
    name = MONTHS[number - 1]
    return rf"(?:{name}|{name[:3]}\.?|sept\.?)" if number == 9 else rf"(?:{name}|{name[:3]}\.?)"
