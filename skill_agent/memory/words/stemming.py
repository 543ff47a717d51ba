"""Words of a text and their stems, as they are indexed and compared everywhere in recall.

The same for every language: words are cut by script, what is too common by the words of the
language a text seems to be in, endings by the script of the single word, for a guess of the
language may differ between a question and its answer.
"""

import re
from functools import cache, lru_cache
from itertools import pairwise

from skill_agent.text.language import spoken

from .folding import folded, runs, unspaced
from .likely import likely_among, script_of, stop_words

STOP_WORDS = stop_words("en")
_HANGUL = "\uac00"
_IDENTIFIER = re.compile(r"[^\W_]+(?:[-_./:@#][^\W_]+)+")
_CONNECTED = re.compile(r"[-./:@#_]\w")
_TELLING = re.compile(r"[\d_@]")
"""What an identifier has and two words with a hyphen have not."""
_SUFFIXES = (
    ("ational", "ate"), ("fulness", ""), ("iness", "y"), ("ingly", ""), ("edly", ""),
    ("ments", ""), ("sses", "ss"), ("ings", ""), ("ment", ""), ("ies", "y"), ("ied", "y"),
    ("ing", ""), ("ers", ""), ("eds", ""), ("er", ""), ("ed", ""), ("ly", ""), ("es", ""),
    ("s", ""),
)  # fmt: skip


def words(text: str) -> list[str]:
    """Small runs of letters and digits without accents; each character of a script without blanks
    is a word of its own, but for Hangul, which has blanks."""
    said = runs(folded(text))
    return [word for run in said for word in (run if unspaced(run) and run[0] < _HANGUL else [run])]


def stems(text: str) -> list[str]:
    """What a text is found by, in order and with repeats: its words without those too common to
    tell anything, cut to their stems; characters and pairs of them in scripts without blanks;
    identifiers whole beside their parts. Only common words are kept where there are no others."""
    plain = folded(text)
    said = runs(plain)
    common = _common(likely_among(plain, said))
    if plain.isascii():
        found = [_stem(run) for run in said if run not in common]
    else:
        found = [stem for run in said for stem in _pieces(run, common)]
    if _CONNECTED.search(plain):
        tokens = (token for token in plain.split() if _TELLING.search(token))
        found += [one for token in tokens for one in _IDENTIFIER.findall(token)]
    return found or ([] if common is STOP_WORDS else [_stem(run) for run in said])


def _pieces(run: str, common: frozenset[str]) -> list[str]:
    if not unspaced(run):
        return [] if run in common else [_stem(run)]
    return [one for one in (*run, *map("".join, pairwise(run))) if one not in common]


@lru_cache(maxsize=256)
def _common(codes: tuple[str, ...]) -> frozenset[str]:
    if codes in ((), ("en",)):
        return STOP_WORDS
    return frozenset(folded(word) for code in codes for word in stop_words(code))


@cache
def _endings() -> dict[str, list[str]]:
    """The endings of words of a script, from the file of the language that is written in it; the
    longest first."""
    found: dict[str, list[str]] = {}
    for one in spoken():
        for ending in folded(one.tables.get("words", {}).get("endings", "")).split():
            found.setdefault(script_of(ending), []).append(ending)
    return {script: sorted(ends, key=len, reverse=True) for script, ends in found.items()}


@lru_cache(maxsize=65_536)
def _stem(word: str) -> str:
    """Strips one ending; crude on purpose: it only has to send kin to the same place."""
    if len(word) < 4:
        return word
    if not word.isascii():
        ends = (one for one in _endings().get(script_of(word), ()) if word.endswith(one))
        return next((word.removesuffix(one) for one in ends if len(word) - len(one) > 2), word)
    for suffix, replacement in _SUFFIXES:
        if word.endswith(suffix) and len(word) - len(suffix) >= 3:
            word = word[: -len(suffix)] + replacement
            break
    if len(word) > 3 and word[-1] == word[-2] and word[-1] not in "lsz":
        word = word[:-1]
    if len(word) > 3 and word.endswith("e"):
        word = word[:-1]
    if len(word) > 3 and word.endswith("i"):
        word = word[:-1] + "y"
    return word
