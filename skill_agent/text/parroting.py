"""Whether a reply only says again what it was told, or speaks as the person who told it.

Pure functions over words; where a script has no blanks between them, over characters.
"""

import re
from collections.abc import Iterable
from difflib import SequenceMatcher

from .language import Language
from .scripts import UNSPACED
from .strays import strays

_UNITS = re.compile(rf"[{UNSPACED}]|[^\W{UNSPACED}]+(?:['’][^\W{UNSPACED}]+)*")
_QUOTED = re.compile(r"[\"“„«「][^\"”“»」]*[\"”“»」]")
_NAME = re.compile(r"(?<![.!?:] )(?<!^)\b[^\W\d_a-zß-öø-ÿа-яё][^\W\d_]{2,}", re.MULTILINE)

ECHO_SHARE, ECHO_WORDS, ECHO_CHARACTERS = 0.5, 4, 7
"""A sentence is an echo from this share of it on, and from so many words in a row."""
VOICE_WORDS, VOICE_CHARACTERS = 3, 4
"""So many words in a row, one of the first person among them, are the person's own sentence."""


def echoes(sentence: str, said: str) -> bool:
    """Whether most of a sentence stands word for word in what was said."""
    ours, theirs = _units(sentence), _units(said)
    if not ours:
        return False
    match = SequenceMatcher(None, ours, theirs, autojunk=False).find_longest_match()
    least = ECHO_CHARACTERS if _is_close(ours) else ECHO_WORDS
    return match.size >= min(least, max(len(theirs), 3)) and match.size >= ECHO_SHARE * len(ours)


def speaks_as(sentence: str, said: str, language: Language) -> bool:
    """Whether a sentence tells in the first person what the person said in the first person."""
    ours, theirs = _units(_QUOTED.sub(" ", sentence)), _units(said)
    least = VOICE_CHARACTERS if _is_close(ours) else VOICE_WORDS
    blocks = SequenceMatcher(None, ours, theirs, autojunk=False).get_matching_blocks()
    return any(
        block.size >= least and _mine(ours[block.a : block.a + block.size], language)
        for block in blocks
    )


def turned(sentence: str, language: Language) -> str:
    """The sentence as somebody else would say it to the person: "my flight" is "your flight"."""
    pairs = dict(language.yours)
    if not pairs:
        return sentence
    known = "|".join(re.escape(one) for one in sorted(pairs, key=len, reverse=True))
    edges = (r"(?<!\w)", r"(?!\w)") if not any(map(_is_close, pairs)) else ("", "")
    found = re.compile(f"{edges[0]}(?:{known}){edges[1]}", re.IGNORECASE)

    def other(match: re.Match[str]) -> str:
        new = pairs[match[0].lower()]
        # "I" has a capital wherever it stands; any other word only at a beginning.
        begins = match.start() == 0 or sentence[: match.start()].rstrip()[-1:] in ".!?¿¡"
        return new[0].upper() + new[1:] if begins and match[0][0].isupper() else new

    return found.sub(other, sentence)


def has_mine(sentence: str, language: Language) -> bool:
    """Whether a sentence has a word of the first person outside of quotes."""
    return _mine(_units(_QUOTED.sub(" ", sentence)), language)


def strange_values(reply: str, told: Iterable[str], language: Language) -> list[str]:
    """Numbers and names of a reply that stand in none of the texts told.

    Names are words with a capital inside a sentence; German, which gives one to every noun, has
    only its numbers looked at.
    """
    known = list(told)
    strange = strays(reply, *known)
    if language.code != "de":
        folded = " ".join(known).casefold()
        strange += [one for one in _NAME.findall(reply) if one.casefold() not in folded]
    return strange


def _units(text: str) -> list[str]:
    return [one.casefold().replace("’", "'") for one in _UNITS.findall(text)]


def _is_close(units: Iterable[str]) -> bool:
    """Whether most of a text is written without blanks."""
    many = list(units)
    return sum(bool(re.match(f"[{UNSPACED}]", one)) for one in many) > len(many) / 2


def _mine(units: list[str], language: Language) -> bool:
    if _is_close(units):
        joined = "".join(units)
        return any(one in joined for one in language.mine)
    return not set(language.mine).isdisjoint(units)
