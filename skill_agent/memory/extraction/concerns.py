"""Whether a sentence concerns the team, a project or the company, or is somebody's own.

Its signs are words of its language (`[shared]` in `text/languages/CODE.toml`); how much each weighs
was learned by `benchmarks/memory/sharing.py`. "We" alone says nothing: it may be a family. What is
in doubt, and what is in a language without a file, is somebody's own.
"""

import math
import re
from collections.abc import Mapping
from functools import cache

from skill_agent.memory.remembrances import is_private
from skill_agent.memory.words.table_phrases import pattern_of
from skill_agent.text.language import language

SHARES = 0.5
"""Chance from which on a sentence is the team's, chosen on the choose set of the benchmark."""
SIGNS = ("we", "team", "work", "perhaps", "decided", "own", "alone")
"""Headings of the table: us, the team, what only work has, what home may have as well, what was
decided, family and leisure, one person."""
_MOST = 2
"""So many words of one sign count."""
WEIGHTS: Mapping[str, float] = {
    "bias": -0.69, "we": -0.41, "team": 0.97, "work": 2.1, "perhaps": 0.71, "decided": 0.2,
    "own": -2.59, "alone": -1.89, "ours": 0.68,
}  # fmt: skip


def concerns_team(text: str, code: str) -> bool:
    """Whether a sentence in such a language is the team's, as far as its words tell."""
    return chance_of(text, code) >= SHARES


def chance_of(text: str, code: str) -> float:
    """0..1; 0 for what was said in confidence, and for work of nobody one knows."""
    signs = signs_in(text, code)
    bound = signs["team"] or signs["ours"] or (signs["work"] and signs["decided"])
    if not bound or is_private(text):
        return 0.0
    score = WEIGHTS["bias"] + sum(WEIGHTS[name] * value for name, value in signs.items())
    return 1 / (1 + math.exp(-score))


def signs_in(text: str, code: str) -> dict[str, float]:
    """How much of each sign there is in a text."""
    patterns = _patterns(code.partition("-")[0].lower())
    signs: dict[str, float] = dict.fromkeys(SIGNS, 0.0)
    for name, pattern in patterns.items():
        words = {match.group().casefold() for match in pattern.finditer(text)}
        signs[name] = float(min(_MOST, len(words)))
    ours = signs["we"] > 0 and signs["team"] + signs["work"] > 0
    return {**signs, "we": min(1.0, signs["we"]), "ours": float(ours)}


@cache
def _patterns(code: str) -> Mapping[str, re.Pattern[str]]:
    known = language(code)
    table = known.tables.get("shared", {}) if known else {}
    return {name: pattern_of(table[name]) for name in SIGNS if name in table}
