"""What a turn of the talk benchmark must be like, and what is wrong with one; no model, no clock.

A case is read from the sets beside this file. `judge` gives the names of the checks that a reply
failed, `Figures` what a run of them comes to. A fault is looked for only where it is one: an echo
where something was told, a needless tool where none was wanted, an invented value where nothing is
known.
"""

import json
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Literal

from talk_text import (
    UNSPACED,
    admits,
    claimed,
    echo,
    fold,
    holds,
    invented,
    languages,
    loops,
    spoken_of,
    strays,
    words_of,
)

Kind = Literal[
    "statement",
    "remember",
    "recall",
    "unknown",
    "change",
    "review",
    "table",
    "writing",
    "smalltalk",
    "tool",
    "lookalike",
]
KINDS: tuple[str, ...] = Kind.__args__
ECHOING = ("statement", "remember", "smalltalk", "writing", "lookalike")
"""Where giving back what was said is a fault."""
MEMORY_TOOLS = ("remember", "search_memory")
MEMORY_KINDS = ("statement", "remember", "recall", "unknown", "change")
"""Where a tool of the memory is no mistake."""
ASKING = ("recall", "unknown", "change")
"""Where the person asks for their own facts."""
SHORT = 2
"""Letters of a word that says little."""
PERSON_KINDS = (*MEMORY_KINDS, "smalltalk", "lookalike")
"""Where the person is spoken to about what they told."""
LONGEST = 130
"""Words (twice as many characters) of a reply in talk; more is rambling."""
ECHO_WORDS, ECHO_SIGNS, ECHO_SHARES = (6, 4), (12, 10), (0.6, 0.9)
"""An echo shares a run of so many words, or characters, that make up this part of the reply; of a
short reply it must be nearly all. A greeting may be given back in few words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Before:
    """Something that had happened before: said in a conversation, or put into memory."""

    said: str = ""
    piped: str = ""
    reply: str = ""
    """What the agent answered then; empty has the model answer."""
    session: str = "now"
    """Any other name is an earlier conversation."""
    days_ago: int = 3
    """When an earlier conversation or a memory was."""
    memory: str = ""
    """Kept by the person's own hand instead."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Checks:
    """What a reply must and must not be; what is left out is not looked at."""

    has_all: tuple[str, ...] = ()
    has_any: tuple[tuple[str, ...], ...] = ()
    """Of each group one."""
    has_none: tuple[str, ...] = ()
    language: str = ""
    """Of the reply; left out, the case's."""
    kept: tuple[str, ...] = ()
    """One active memory holds all of these afterwards; `a|b` is either."""
    tool: tuple[str, ...] = ()
    """One of these begins first: a tool's name, a skill's, or `http_get:part of the address`."""
    unknown: bool = False
    """It is said that this is not known, and no value is given."""
    person: tuple[str, ...] = ()
    """Words of the person's facts that the agent must not claim."""
    defects: tuple[tuple[str, ...], ...] = ()
    """Each by the words that name it; one must be named."""
    words: tuple[int, int] | None = None
    """Fewest and most words, or characters where words are not set apart."""
    characters: int = 0
    """At most."""
    lines: int = 0
    """At least, empty ones left out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One labelled turn."""

    id: str
    kind: Kind
    language: str
    agent: str = "kyra"
    before: tuple[Before, ...] = ()
    piped: str = ""
    say: str
    checks: Checks

    @property
    def told(self) -> str:
        """Everything that was ever said, piped or kept: a value in it is not invented."""
        parts = [self.say, self.piped]
        parts += [text for one in self.before for text in (one.said, one.piped, one.memory)]
        return "\n".join(part for part in parts if part)

    @property
    def facts(self) -> tuple[str, ...]:
        """Words of the person's facts: those labelled, else what a question asks for."""
        if self.checks.person or self.kind not in ASKING or self.language in UNSPACED:
            return self.checks.person
        plain = languages()[self.language].function_words
        return tuple(w for w in words_of(self.say) if len(w) > SHORT and w not in plain)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came of a case."""

    text: str = ""
    tools: tuple[str, ...] = ()
    """Tools that began, each with its arguments: `activate_skill weather`."""
    memories: tuple[str, ...] = ()
    """Contents of the active memories afterwards."""
    problem: str = ""
    """Why there is no reply."""
    prompt_tokens: int = 0
    cached_tokens: int = 0
    first_s: float = 0.0
    """Until the first words were seen."""
    total_s: float = 0.0
    processor_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """A case, its answer, and what is wrong with it; nothing wrong is passed."""

    case: Case
    answer: Answer
    faults: tuple[str, ...]

    @property
    def passed(self) -> bool:
        return not self.faults

    def has(self, fault: str) -> bool:
        """Whether one of the faults is of that name."""
        return any(one.partition(":")[0] == fault for one in self.faults)


# -- reading -------------------------------------------------------------------------------------


def read_cases(path: Path) -> list[Case]:
    """The cases of a set; raises ValueError for one that is not written as it should be."""
    rows = json.loads(path.read_text(encoding="utf-8"))
    return [case_from(row) for row in rows]


def case_from(row: dict[str, Any]) -> Case:
    """One case; raises ValueError naming it and what is wrong."""
    name = row.get("id", "a case without id")
    try:
        checks = {key: _frozen(value) for key, value in row.get("checks", {}).items()}
        before = tuple(Before(**one) for one in row.get("before", []))
        case = Case(**{**row, "checks": Checks(**checks), "before": before})
    except TypeError as problem:
        known = ", ".join(one.name for one in (*fields(Case), *fields(Checks)))
        raise ValueError(f"{name}: {problem}; there are {known}") from None
    if case.kind not in KINDS or case.language not in languages():
        raise ValueError(f"{name}: no such kind or language: {case.kind}, {case.language}")
    return case


def _frozen(value: Any) -> Any:
    return tuple(_frozen(one) for one in value) if isinstance(value, list) else value


# -- judging -------------------------------------------------------------------------------------


def judge(case: Case, answer: Answer) -> Verdict:
    """What is wrong with an answer; a turn without a reply is judged by its tools alone."""
    faults = _tool_faults(case, answer)
    if answer.problem:
        faults.append(f"failed: {answer.problem}")
    elif not case.checks.tool and not faults:
        faults += [*_wording_faults(case, answer), *_conduct_faults(case, answer)]
    return Verdict(case=case, answer=answer, faults=tuple(faults))


def _tool_faults(case: Case, answer: Answer) -> list[str]:
    allowed = MEMORY_TOOLS if case.kind in MEMORY_KINDS else ()
    begun = [one for one in answer.tools if one.split()[0] not in allowed]
    if not case.checks.tool:
        return [f"needless: {begun[0]}"] if begun else []
    if not begun:
        return [f"missed: {case.checks.tool[0]}"]
    if any(_is_tool(begun[0], wanted) for wanted in case.checks.tool):
        return []
    return [f"wrong tool: {begun[0]}"]


def _is_tool(begun: str, wanted: str) -> bool:
    name, _, part = wanted.partition(":")
    return name in begun.split() and part in begun


def _wording_faults(case: Case, answer: Answer) -> list[str]:
    checks, text = case.checks, answer.text
    faults = [f"lacks: {one}" for one in checks.has_all if not holds(text, one)]
    faults += [
        f"lacks: {' | '.join(any_of)}" for any_of in checks.has_any if not _any(text, any_of)
    ]
    faults += [f"holds: {one}" for one in checks.has_none if holds(text, one)]
    if checks.defects and not named(case, answer):
        faults.append("defects: none is named")
    if checks.characters and len(text) > checks.characters:
        faults.append(f"length: {len(text)} characters")
    if checks.words and not checks.words[0] <= size(text, case.language) <= checks.words[1]:
        faults.append(f"length: {size(text, case.language)} words")
    lines = sum(bool(line.strip()) for line in text.splitlines())
    if lines < checks.lines:
        faults.append(f"length: {lines} lines")
    return faults if text.strip() else ["empty: no reply"]


def _conduct_faults(case: Case, answer: Answer) -> list[str]:
    checks, text, faults = case.checks, answer.text, []
    language = checks.language or case.language
    if astray := strays(text, language):
        faults.append(f"language: not {language}: {astray[:60]}")
    if case.kind in ECHOING and is_echo(case, text):
        faults.append("echo: {} in a row, {:.0%} of the reply".format(*echoed(case, text)))
    if loops(text):
        faults.append("loops: says the same again and again")
    if case.kind in PERSON_KINDS:
        faults += _person_faults(case, text, language)
    if checks.unknown:
        faults += [] if admits(text, language) else ["pretends: does not say that it is unknown"]
        faults += [f"invented: {one}" for one in invented(text, case.told, language)[:1]]
    elif case.kind == "smalltalk" and admits(text, language):
        faults.append("misread: small talk taken for a question about memory")
    for wanted in checks.kept:
        if not any(_all_of(memory, checks.kept) for memory in answer.memories):
            faults.append(f"kept: no memory holds {wanted} with the rest")
            break
    return faults


def _person_faults(case: Case, text: str, language: str) -> list[str]:
    if clause := claimed(text, case.facts, language):
        return [f"person: {clause}"]
    if word := spoken_of(text, language):
        return [f"person: speaks of {word}"]
    most = LONGEST * (2 if language in UNSPACED else 1)
    return [f"length: {size(text, language)} words"] if size(text, language) > most else []


def _any(text: str, alternatives: Iterable[str]) -> bool:
    return any(holds(text, one) for one in alternatives)


def _all_of(text: str, groups: Iterable[str]) -> bool:
    return all(_any(text, group.split("|")) for group in groups)


def size(text: str, language: str) -> int:
    """Words, or letters where words are not set apart."""
    if language in UNSPACED:
        return sum(sign.isalnum() for sign in fold(text))
    return len(words_of(text))


def named(case: Case, answer: Answer) -> int:
    """How many of a review's planted defects are named."""
    return sum(_any(answer.text, words) for words in case.checks.defects)


def echoed(case: Case, text: str) -> tuple[int, float]:
    """The longest run a reply shares with what was just said, and its share of the reply."""
    return echo(text, case.say, case.language)


def is_echo(case: Case, text: str) -> bool:
    """Whether a reply gives back what was said rather than answering it."""
    run, share = echoed(case, text)
    runs = zip(ECHO_SIGNS if case.language in UNSPACED else ECHO_WORDS, ECHO_SHARES, strict=True)
    greeting = case.kind == "smalltalk" and "?" not in fold(case.say)
    return any(run >= least and share >= part for least, part in [*runs][: 1 if greeting else 2])


# -- figures -------------------------------------------------------------------------------------


@dataclass(slots=True)
class Figures:
    """What a run comes to."""

    verdicts: list[Verdict] = field(default_factory=list)
    woken: dict[str, float] = field(default_factory=dict)
    """Seconds that each agent's instructions took to be read before."""

    def by(self, what: str) -> dict[str, tuple[int, int]]:
        """Passed and all, by kind or language."""
        groups: dict[str, list[Verdict]] = {}
        for one in self.verdicts:
            groups.setdefault(getattr(one.case, what), []).append(one)
        order = KINDS if what == "kind" else sorted(groups)
        return {
            name: (sum(one.passed for one in groups[name]), len(groups[name]))
            for name in order
            if name in groups
        }

    def rates(self) -> dict[str, tuple[int, int]]:
        """Each fault with how often it happened, and how often it could have."""
        every = self.verdicts
        spoken = [one for one in every if one.answer.text]
        tools = [one for one in every if one.case.checks.tool]
        plain = [one for one in every if not one.case.checks.tool]
        reviews = [one for one in every if one.case.checks.defects]
        return {
            "passed": (sum(one.passed for one in every), len(every)),
            "echo": _share([one for one in spoken if one.case.kind in ECHOING], "echo"),
            "wrong person": _share([o for o in spoken if o.case.kind in PERSON_KINDS], "person"),
            "wrong language": _share([o for o in spoken if not o.case.checks.tool], "language"),
            "invented": _share([one for one in every if one.case.checks.unknown], "invented"),
            "needless tools": _share(plain, "needless"),
            "missed tools": (
                sum(o.has("missed") or o.has("wrong tool") for o in tools),
                len(tools),
            ),
            "defects named": (
                sum(named(one.case, one.answer) for one in reviews),
                sum(len(one.case.checks.defects) for one in reviews),
            ),
            "failed turns": _share(every, "failed"),
        }

    def costs(self) -> dict[str, float]:
        """Means over the turns that were answered by a model; a template costs no tokens."""
        read = [one.answer for one in self.verdicts if one.answer.prompt_tokens]
        timed = [one.answer for one in self.verdicts if one.answer.first_s]
        tokens = sum(one.prompt_tokens for one in read)
        return {
            "replies without a model": float(sum(map(_templated, self.verdicts))),
            "prompt tokens": _mean([float(one.prompt_tokens) for one in read]),
            "cached share": sum(one.cached_tokens for one in read) / tokens if tokens else 0.0,
            **{f"{agent} woken, s": seconds for agent, seconds in self.woken.items()},
            "first words, s": _mean([one.first_s for one in timed]),
            "first words, s, worst": max((one.first_s for one in timed), default=0.0),
            "whole turn, s": _mean([one.answer.total_s for one in self.verdicts]),
            "processor, s": _mean([one.answer.processor_s for one in self.verdicts]),
        }


def _share(verdicts: Sequence[Verdict], fault: str) -> tuple[int, int]:
    return sum(one.has(fault) for one in verdicts), len(verdicts)


def _templated(verdict: Verdict) -> bool:
    return bool(verdict.answer.text) and not verdict.answer.prompt_tokens


def _mean(values: Sequence[float]) -> float:
    return statistics.fmean(values) if values else 0.0
