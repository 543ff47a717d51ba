"""Pairs of statements written by hand, and what the rules make of them.

Each has the cosine MiniLM gives it. Where two outcomes are as good, both are named.
"""

import asyncio
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import get_args

import pytest

from skill_agent.errors import ModelUnavailable
from skill_agent.memory.contradictions.difference import likeness
from skill_agent.memory.contradictions.judge import (
    Action,
    Judge,
    Judgement,
    Pair,
    comparable,
    judge_by_rules,
    says_change,
)
from skill_agent.models.scripted import ScriptedModel
from skill_agent.values import Memory, MemoryType

START = datetime(2026, 5, 1, tzinfo=UTC)
TYPES: dict[str, MemoryType] = {"u": "user_profile", "s": "semantic", "e": "episodic"}

Row = tuple[str, str, str | None, str, float, str]
PAIRS: list[Row] = [
    tuple(row)
    for row in json.loads(Path(__file__).with_name("contradiction_pairs.json").read_text("utf-8"))
]
"""Earlier, later, subject, type, cosine, what is right."""


def memory(content: str, *, day: int = 0, **changed) -> Memory:
    at = START + timedelta(days=day)
    values = {"id": f"{content} {day}", "created_at": at, "updated_at": at, **changed}
    return Memory(content=content, **values)


def misses(judged: Callable[[Row], Judgement], allowed: Callable[[Row], set[str]]) -> list[str]:
    """The pairs that come out otherwise than they may, each with the rules' reason."""
    found: list[str] = []
    for row in PAIRS:
        one = judged(row)
        if one.action not in allowed(row):
            found.append(f"{row[0]} / {row[1]}: {one.action}, {one.reason}")
    return found


def test_pairs() -> None:
    def judged(row: Row) -> Judgement:
        old, new, subject, kind, cosine, _ = row
        about = {"subject": subject, "memory_type": TYPES[kind]}
        return judge_by_rules(
            memory(new, day=3, **about), memory(old, **about), cosine=cosine, changes=False
        )

    assert misses(judged, lambda row: set(row[5].split("|"))) == []


def test_without_an_embedder_nothing_true_is_replaced() -> None:
    """Common words stand in for the cosine: contradictions may be missed, never invented."""

    def judged(row: Row) -> Judgement:
        old, new, subject, kind, _, _ = row
        about = {"subject": subject, "memory_type": TYPES[kind]}
        common = likeness(old, new)
        return judge_by_rules(
            memory(new, day=3, **about), memory(old, **about), cosine=common, changes=False
        )

    assert misses(judged, lambda row: {*row[5].split("|"), "coexist", "unrelated"}) == []


def test_an_older_statement_never_replaces_a_newer_one() -> None:
    def judged(row: Row) -> Judgement:
        old, new, subject, kind, cosine, _ = row
        about = {"subject": subject, "memory_type": TYPES[kind]}
        imported = memory(new, day=-400, **about)
        return judge_by_rules(imported, memory(old, **about), cosine=cosine, changes=True)

    assert misses(judged, lambda _: {*get_args(Action)} - {"supersede"}) == []


def test_a_pair_that_comes_out_wrong_is_told() -> None:
    wrong = misses(lambda _: Judgement(action="same", reason="always"), lambda _: {"dispute"})
    assert len(wrong) == len(PAIRS) > 150
    assert wrong[0].endswith(": same, always")


def test_a_household_without_contradictions_has_none() -> None:
    """Every pair of the memories made for recall's tests, however far apart."""
    stored = json.loads(Path(__file__).with_name("precision_set.json").read_text("utf-8"))
    memories = [
        memory(one["content"], day=at, subject=one.get("subject"))
        for at, one in enumerate(stored["memories"])
    ]
    for at, new in enumerate(memories):
        for old in memories[:at]:
            common = likeness(new.content, old.content)
            judged = judge_by_rules(new, old, cosine=common, changes=False)
            assert judged.action in ("unrelated", "coexist"), f"{old.content} / {new.content}"


@pytest.mark.parametrize(
    "text",
    ["I moved to Lisbon", "From now on use tabs", "I no longer smoke", "Actually it is blue",
     "We switched to GCP", "It is on Monday now", "As of May I work part time",
     "Use tabs instead of spaces", "I stopped eating meat"],
)  # fmt: skip
def test_words_of_change(text: str) -> None:
    assert says_change(text)


@pytest.mark.parametrize(
    "text",
    ["I live in Lisbon", "I am busy right now", "I know a lot", "Now and then I run",
     "It will be done by now", "I like snow"],
)  # fmt: skip
def test_no_words_of_change(text: str) -> None:
    assert not says_change(text)


@pytest.mark.parametrize(
    ("new", "old", "expected"),
    [
        ({}, {}, True),
        ({"agent": "kyra"}, {"agent": "luke"}, False),
        ({"agent": "kyra"}, {"agent": None}, False),
        ({"user": "me"}, {"user": None}, True),
        ({"user": "bob"}, {"user": None}, False),
        ({"memory_type": "user_profile"}, {"memory_type": "semantic"}, True),
        ({"memory_type": "procedural"}, {"memory_type": "semantic"}, False),
        ({"memory_type": "identity"}, {"memory_type": "semantic"}, False),
        ({}, {"status": "archived"}, False),
        ({}, {"status": "superseded"}, False),
        ({}, {"status": "disputed"}, True),
        ({"related_to": ("b",)}, {}, False),
    ],
)
def test_who_may_contradict_whom(new: dict, old: dict, expected: bool) -> None:
    one, other = memory("x", **{"id": "a", **new}), memory("y", **{"id": "b", **old})
    assert comparable(one, other, "me") is expected


def test_identity_is_disputed_not_replaced_by_reading() -> None:
    old = memory("Kyra answers in English", memory_type="identity", agent="kyra")
    told = {"day": 2, "memory_type": "identity", "agent": "kyra"}
    new = memory("Kyra answers in Portuguese now", source_type="extraction", **told)
    assert judge_by_rules(new, old, cosine=0.9, changes=True).action == "dispute"
    told_by_person = memory("Kyra answers in Portuguese now", **told)
    assert judge_by_rules(told_by_person, old, cosine=0.9, changes=True).action == "supersede"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Directive ZK-2041-031 covers the gate", "Directive ZK-2041-032 covers the gate"),
        ("Room 12 hosts the choir", "Room 14 hosts the choir"),
        ("Ticket 4711 blocks the release", "Ticket 4712 blocks the release"),
        ("Ward 3 is closed", "Ward 4 is closed"),
        ("Das Zimmer 12 beherbergt den Chor", "Das Zimmer 14 beherbergt den Chor"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("cosine", [0.4, 0.8, 0.98])
def test_things_of_other_numbers_are_other_things(one: str, other: str, cosine: float) -> None:
    judged = judge_by_rules(memory(other, day=1), memory(one), cosine=cosine, changes=False)
    assert judged.action in ("coexist", "unrelated")


def test_a_present_answer_contradicts_an_earlier_one() -> None:
    old, new = memory("My favourite poet is Anna"), memory("My current favourite poet is Bo", day=1)
    assert judge_by_rules(new, old, cosine=0.8, changes=False).action == "dispute"


def test_what_ends_with_a_sign_less_is_another_thing() -> None:
    old, new = memory("The team uses C++"), memory("The team no longer uses C", day=1)
    assert judge_by_rules(new, old, cosine=0.9, changes=False).action != "supersede"


def test_a_model_cannot_make_two_texts_the_same() -> None:
    pair = Pair(old=OPEN.old, new=OPEN.new, cosine=0.99)
    judge = Judge(ScriptedModel(['{"verdict": "same"}']))
    assert asyncio.run(judge.judge(pair)).action == "coexist"


def test_long_texts_are_not_taken_apart() -> None:
    text = "The quick fox jumps. " * 400
    one, other = memory(text), memory(text + "Not.", day=1)
    assert judge_by_rules(other, one, cosine=0.99, changes=True).action == "coexist"
    assert judge_by_rules(memory(text, day=1), one, cosine=1.0, changes=False).action == "same"


OPEN = Pair(
    old=memory("Code review happens in pairs", subject="project.review"),
    new=memory("Code review happens by mail", day=2, subject="project.review"),
    cosine=0.8,
)


@pytest.mark.parametrize(
    ("verdict", "action"),
    [("conflicts", "dispute"), ("replaces", "dispute"), ("both_true", "coexist"),
     ("same", "coexist"), ("nonsense", "coexist")],
)  # fmt: skip
async def test_what_a_model_may_decide(verdict: str, action: Action) -> None:
    model = ScriptedModel([f'{{"verdict": "{verdict}"}}'])
    assert (await Judge(model).judge(OPEN)).action == action


async def test_a_model_that_fails_leaves_the_rules_word() -> None:
    model = ScriptedModel([[ModelUnavailable("gone")]])
    judge = Judge(model)
    judged = await asyncio.gather(judge.judge(OPEN), judge.judge(OPEN))
    assert {one.action for one in judged} == {"coexist"}


async def test_a_model_is_asked_about_a_few_pairs_only() -> None:
    model = ScriptedModel(otherwise='{"verdict": "both_true"}')
    judge = Judge(model, most=2)
    for _ in range(5):
        await judge.judge(OPEN)
    assert len(model.requests) == 2
