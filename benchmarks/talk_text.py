"""Reads a reply without a model: its language, whose facts it tells, what it copied.

Pure functions over text; the words of each language stand in talk_words.json. They are made for
short replies, and where they cannot tell they say nothing, so that no reply fails for want of a
sign.
"""

import json
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import cache
from pathlib import Path

WORDS = Path(__file__).with_name("talk_words.json")
UNSPACED = ("ja", "zh")
"""Languages whose words are not set apart; they are read by characters."""
OTHER_SCRIPTS = ("ru", "ja", "zh")
"""Languages that their script gives away."""
SENTENCE = 4
"""Words of a sentence that is long enough to have a language of its own."""
LOOP = 4
"""The same word so often in a row, or the same sentence anywhere, is a loop."""
OWNED_WITHIN = 4
"""Words after "my" that may name what is owned."""

_ACCENTS = re.compile("[\u0300-\u036f]")
_THOUSANDS = re.compile(r"(?<=\d)[,\u202f\u00a0'](?=\d{3}(?!\d))")
_APOSTROPHES = str.maketrans({"’": "'", "ʼ": "'", "‘": "'", "`": "'"})
_CODE = re.compile(
    r"```.*?(?:```|\Z)|`[^`\n]*`|https?://\S+|\bska(?: [a-z-]+)+(?: [\w-]{8,})?", re.DOTALL
)
_QUOTED = re.compile(r"\"[^\"\n]*\"|“[^”\n]*”|„[^“”\n]*[“”]|«[^»\n]*»|「[^」\n]*」|『[^』\n]*』")
_CLAUSES = re.compile(r"[.!?;:,\n。！？；：、，—–]+")
_WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)*")
_NUMBER = re.compile(r"\d+(?:[.,:]\d+)*")
_KANA = re.compile("[\u3041-\u30ff]")
_HAN = re.compile("[\u3400-\u9fff々]")
_CYRILLIC = re.compile("[\u0400-\u04ff]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Language:
    """The words by which a language and its speaker are known, folded."""

    function_words: frozenset[str]
    letters: frozenset[str]
    """Which no other of the languages has."""
    first: frozenset[str]
    own: frozenset[str]
    second: frozenset[str]
    third: tuple[str, ...]
    """How the person is spoken of as somebody who is not there."""
    acknowledging: tuple[str, ...]
    """What "I" may do with another's fact without claiming it."""
    unknown: tuple[str, ...]
    """How it is said that one does not know."""
    values: tuple[str, ...]
    """Names of days and months, which an invented answer likes to give."""
    names_are_capitalised: bool
    """A capital within a sentence is the sign of a name."""


@cache
def languages() -> dict[str, Language]:
    """By code."""
    raw = json.loads(WORDS.read_text(encoding="utf-8"))
    return {code: _language(one) for code, one in raw.items()}


def _language(raw: dict[str, object]) -> Language:
    def folded(name: str) -> list[str]:
        value = raw[name]
        words = value.split() if isinstance(value, str) else value
        assert isinstance(words, list)
        return [fold(word) for word in words]

    return Language(
        function_words=frozenset(folded("function_words")),
        letters=frozenset(str(raw["letters"])),
        first=frozenset(folded("first")),
        own=frozenset(folded("own")),
        second=frozenset(folded("second")),
        third=tuple(folded("third")),
        acknowledging=tuple(folded("acknowledging")),
        unknown=tuple(folded("unknown")),
        values=tuple(folded("values")),
        names_are_capitalised=bool(raw["names_are_capitalised"]),
    )


def fold(text: str) -> str:
    """Without case, accents, kinds of apostrophes and marks of thousands."""
    plain = unicodedata.normalize("NFKC", text).translate(_APOSTROPHES)
    plain = _THOUSANDS.sub("", plain).casefold()
    bare = _ACCENTS.sub("", unicodedata.normalize("NFD", plain))
    return " ".join(unicodedata.normalize("NFC", bare).split())


def holds(text: str, needle: str) -> bool:
    """Whether a text says something: whole words and whole numbers, a `*` at the end of the
    needle stands for any ending; characters where words are not set apart."""
    wanted = fold(needle.rstrip("*"))
    open_end = needle.endswith("*")
    folded, start = fold(text), 0
    while (start := folded.find(wanted, start)) >= 0:
        end = start + len(wanted)
        if _edge(folded[:start][-2:][::-1], wanted[0]) and (
            open_end or _edge(folded[end : end + 2], wanted[-1])
        ):
            return True
        start += 1
    return False


def _edge(beyond: str, edge: str) -> bool:
    """Whether a match may end here; `beyond` are the next two signs, seen from the match."""
    if not beyond:
        return True
    if edge.isdigit():
        decimal = beyond[0] in ".," and beyond[1:].isdigit()
        return not beyond[0].isdigit() and not decimal
    spaced = edge.isalpha() and not _unspaced(edge)
    return not (spaced and beyond[0].isalpha() and not _unspaced(beyond[0]))


def _unspaced(sign: str) -> bool:
    return bool(_KANA.match(sign) or _HAN.match(sign))


def without_code(text: str) -> str:
    """The text without code, addresses and our own commands."""
    return _CODE.sub(" ", text)


def own_words(text: str) -> str:
    """The text without code, addresses and what stands in quotation marks."""
    return _QUOTED.sub(" ", without_code(text))


def words_of(text: str) -> list[str]:
    """The words, folded, without apostrophes' parts being lost."""
    return _WORD.findall(fold(text))


# -- language ------------------------------------------------------------------------------------


def language_of(text: str, *, margin: int = 1) -> str:
    """The code of a text's language; `?` for Latin letters that may be several, empty for none.

    `margin` is by how many signs a language with Latin letters must be ahead of the next.
    """
    plain = own_words(text)
    if not any(sign.isalpha() for sign in plain):
        plain = text
    letters = sum(sign.isalpha() for sign in plain)
    kana, han = len(_KANA.findall(plain)), len(_HAN.findall(plain))
    if not letters:
        return ""
    if kana + han > 0.2 * letters:
        return "ja" if kana > 0.1 * (kana + han) else "zh"
    if len(_CYRILLIC.findall(plain)) > 0.3 * letters:
        return "ru"
    return _latin(plain, margin)


def _latin(text: str, margin: int) -> str:
    words = words_of(text)
    words += [part for word in words if "'" in word for part in word.split("'")]
    # Names keep the letters of where they come from, so words with a capital do not count here.
    marks = {sign for word in text.split() if word[:1].islower() for sign in word}
    marks |= {sign for sign in "¿¡" if sign in text}
    votes = {
        code: sum(word in one.function_words for word in words) + 2 * len(one.letters & marks)
        for code, one in languages().items()
        if code not in OTHER_SCRIPTS
    }
    best, second = sorted(votes.values(), reverse=True)[:2]
    return max(votes, key=lambda code: votes[code]) if best >= second + margin else "?"


def strays(text: str, language: str) -> str:
    """What of a text is not in a language: all of it, or a sentence; empty if nothing is."""
    if not speaks(text, language):
        return text
    plain = own_words(text)
    for sentence in re.split(r"[.!?\n。！？]+", plain):
        if len(words_of(sentence)) >= SENTENCE and not speaks(sentence, language, margin=2):
            return " ".join(sentence.split())
    return ""


def speaks(text: str, language: str, *, margin: int = 1) -> bool:
    """Whether a text is in a language, or so short that it may be."""
    found = language_of(text, margin=margin)
    if found == language or not found:
        return True
    if {found, language} == {"ja", "zh"}:
        return len(words_of(text)) <= 1 and len(text) <= 6 and not _KANA.search(text)
    return found == "?" and language not in OTHER_SCRIPTS


# -- echo ----------------------------------------------------------------------------------------


def echo(reply: str, said: str, language: str) -> tuple[int, float]:
    """The longest run of words (or characters) that a reply shares with what was said, and the
    share of the reply that it makes up."""
    heard, spoken = _units(said, language), _units(without_code(reply), language)
    if not spoken:
        return 0, 0.0
    matcher = SequenceMatcher(None, spoken, heard, autojunk=False)
    run = matcher.find_longest_match().size
    return run, run / len(spoken)


def _units(text: str, language: str) -> Sequence[str]:
    if language in UNSPACED:
        return [sign for sign in fold(text) if sign.isalnum()]
    return words_of(text)


def loops(reply: str) -> bool:
    """Whether a reply says the same again and again, like a small model that lost its way."""
    words = words_of(reply)
    in_a_row = any(len(set(words[at : at + LOOP])) == 1 for at in range(len(words) - LOOP + 1))
    lines = [fold(line) for line in re.split(r"[.!?。！？\n]+", reply) if len(line.split()) > 2]
    return in_a_row or any(lines.count(line) >= LOOP for line in set(lines))


# -- person --------------------------------------------------------------------------------------


def claimed(reply: str, facts: Iterable[str], language: str) -> str:
    """The clause in which a reply tells the person's fact as its own; empty if there is none.

    "My cello" is one, "I play the cello" too; "I'll remember the cello" and "you play the cello"
    are none. Quoted words are another's.
    """
    known, wanted = languages()[language], list(facts)
    for clause in _CLAUSES.split(own_words(reply)):
        if any(holds(clause, fact) for fact in wanted) and _claims(clause, known, wanted, language):
            return " ".join(clause.split())
    return ""


def _claims(clause: str, known: Language, facts: Sequence[str], language: str) -> bool:
    folded = fold(clause)
    if language in UNSPACED:
        if any(f"{own}{fold(fact).rstrip('*')}" in folded for own in known.own for fact in facts):
            return True
        signs = {word for word in known.first | known.own if word in folded}
        spoken_to = any(word in folded for word in known.second)
    else:
        words = words_of(clause)
        split = {part for word in words for part in word.split("'")} | set(words)
        if _owns(words, known.own, facts):
            return True
        signs, spoken_to = known.first & split, bool(known.second & split)
    acknowledged = any(holds(folded, word) for word in known.acknowledging)
    unknown = any(phrase in folded for phrase in known.unknown)
    return bool(signs) and not (spoken_to or acknowledged or unknown)


def _owns(words: Sequence[str], own: frozenset[str], facts: Sequence[str]) -> bool:
    """ "my", and the fact within the next few words."""
    for place, word in enumerate(words):
        if word in own:
            after = " ".join(words[place + 1 : place + 1 + OWNED_WITHIN])
            if any(holds(after, fact) for fact in facts):
                return True
    return False


def spoken_of(reply: str, language: str) -> str:
    """How a reply speaks of the person instead of to them; empty if it does not."""
    told = own_words(reply)
    return next((word for word in languages()[language].third if holds(told, word)), "")


# -- not knowing ---------------------------------------------------------------------------------


def admits(reply: str, language: str) -> bool:
    """Whether a reply says that it does not know."""
    folded = fold(reply)
    return any(phrase in folded for phrase in languages()[language].unknown)


def invented(reply: str, facts: str, language: str) -> list[str]:
    """Values in a reply that stand in none of the facts: numbers, days, months and, where capitals
    show them, names."""
    known = languages()[language]
    told = without_code(reply)
    values = _NUMBER.findall(unicodedata.normalize("NFKC", told))
    values += [value for value in known.values if holds(told, value)]
    if known.names_are_capitalised:
        values += _names(told)
    return [value for value in dict.fromkeys(values) if not holds(facts, f"{value}*")]


def _names(text: str) -> list[str]:
    """Words with a capital that do not begin a sentence."""
    names = []
    for sentence in re.split(r"[.!?:;\n¡¿\"“„«(*]+", text):
        words = sentence.split()
        bare = [re.sub(r"^\W+|\W+$|['’]\w+$", "", word) for word in words[1:]]
        names += [
            word for word in bare if len(word) > 1 and word[0].isupper() and word[1:].islower()
        ]
    return names
