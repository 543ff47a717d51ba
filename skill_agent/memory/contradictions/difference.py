"""How two short statements differ: word by word, by lists and patterns; no model, no stores.

Signs and symbols it does not see, so it proves no two texts the same: that is `retold`'s to say.

English only where it knows verbs and opposites; numbers, names and negations work anywhere Latin.
What follows from a difference is decided in `judge`.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from itertools import starmap
from typing import Literal

from skill_agent.memory.english.stemming import STOP_WORDS, stems, words

Kind = Literal["number", "day", "name", "not", "word", "small"]

_NUMBERS: dict[str, str] = dict(
    zip(
        words(
            """
            one two three four five six seven eight nine ten eleven twelve thirteen fourteen
            fifteen sixteen seventeen eighteen nineteen twenty thirty forty fifty hundred
            """
        ),
        map(str, (*range(1, 21), 30, 40, 50, 100)),
        strict=True,
    )
)
_DAYS = frozenset(
    words(
        """
        monday tuesday wednesday thursday friday saturday sunday january february march april
        may june july august september october november december weekend weekday morning
        afternoon evening night noon midnight spring summer autumn winter tomorrow yesterday
        tonight
        """
    )
)
_NOT = frozenset(words("not no never without neither none cannot nor"))
_DROPPED = frozenset(
    words(
        """
        a an the user i my me mine we our us he she they his her their it its that this s m re
        ve ll d new now currently actually anymore instead already still today just really very
        quite again nowadays these those days will would has have been do does did and also too
        """
    )
)
_KIN = frozenset(
    words(
        """
        sister brother mother father mom mum dad parent wife husband partner girlfriend
        boyfriend son daughter child kid friend boss manager colleague neighbour neighbor dog
        cat pet uncle aunt cousin grandmother grandfather niece nephew client customer flatmate
        roommate
        """
    )
)
_PREPOSITIONS = frozenset(
    words(
        """
        in on at by for from to with of as into near since until due before under over
        """
    )
)
_BE = frozenset(words("is are was were am be being become becomes became"))
_VERB = re.compile(
    r"(?:is|are|was|were|am|has|have|had|lives?|works?|starts?|begins?|ends?|runs?|uses?|needs?|"
    r"takes?|costs?|contains?|belongs?|expires?|meets?|deploys?|releases?|ships?|opens?|closes?|"
    r"likes?|loves?|hates?|prefers?|wants?|plays?|speaks?|studies|drives?|moved|joined|left|"
    r"became|becomes|called|named|happens|supports?|requires?|stores?|arrives?|leaves?|must|should|"
    r"can|could|may|might|reports|manages|leads|owns?|goes|eats?|drinks?|thinks|knows)$"
)
_OPPOSITES = (
    ("like", "dislike hate detest loathe"), ("love", "hate dislike detest loathe"),
    ("enjoy", "hate dislike detest"), ("prefer", "avoid hate dislike"), ("want", "refuse"),
    ("always", "never seldom rarely"), ("often", "never seldom rarely"), ("on", "off"),
    ("enabled", "disabled"), ("enable", "disable"), ("allowed", "forbidden banned"),
    ("allow", "forbid"), ("allows", "forbids"), ("open", "closed shut"), ("before", "after"),
    ("more", "less fewer"), ("early", "late"), ("mornings", "evenings"), ("public", "private"),
    ("optional", "mandatory required"), ("accepted", "rejected declined"), ("safe", "unsafe"),
    ("approved", "rejected declined"), ("married", "single divorced unmarried"),
    ("vegetarian", "carnivore meat"), ("vegan", "carnivore meat"), ("true", "false"),
    ("passed", "failed"), ("stable", "unstable"), ("possible", "impossible"), ("agree", "disagree"),
    ("with", "without"), ("paid", "unpaid free"), ("fast", "slow"), ("tabs", "spaces"),
    ("light", "dark"), ("short", "long"), ("cheap", "expensive"), ("start", "stop end"),
    ("hot", "cold"), ("introvert", "extrovert"), ("employed", "unemployed"), ("spicy", "mild"),
    ("left", "right"), ("north", "south"), ("smokes", "nonsmoker"), ("warm", "cold"),
    ("merge", "rebase"), ("remote", "onsite"), ("concise", "detailed verbose"),
)  # fmt: skip


def _pairs() -> Iterable[frozenset[str]]:
    for one, others in _OPPOSITES:
        for other in others.split():
            yield frozenset((_stem_of(one), _stem_of(other)))


def _stem_of(word: str) -> str:
    return (stems(word) or [word])[0]


_OPPOSED = frozenset(_pairs())
_TIMELY = re.compile(
    r"(?i)\b(?:(?:as of|from|starting|since) (?:now on|now|today|then on|(?:next|this|last) \w+)|"
    r"these days|at present)\b"
)
_NAME_WORDS = 4
"""Words from the beginning within which a number may belong to a name."""
_AT_PRESENT = frozenset(words("current present latest"))
"""Words that change nothing in what is asked: "my current favourite" is my favourite."""
_GOES_ON = re.compile(r"[^\W_]+(?:[.:]\d+)*")


@dataclass(frozen=True, slots=True)
class Token:
    """A word that counts."""

    stem: str
    kind: Kind
    word: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Sentence:
    """A sentence taken apart."""

    tokens: tuple[Token, ...]
    """Without articles, the speaker and words of time such as "now"."""
    verb: int
    """Position of the verb among the tokens; what stands before is what it is about."""

    @property
    def content(self) -> tuple[str, ...]:
        return tuple(one.stem for one in self.tokens if one.kind != "small")

    @property
    def about(self) -> frozenset[str]:
        """What it is about, as far as it stands before the verb: names, kin, numbers."""
        telling = [one for one in self.tokens[: self.verb] if one.kind in ("name", "number")]
        kin = [one for one in self.tokens[: self.verb] if one.word.rstrip("s") in _KIN]
        return frozenset(one.stem for one in (*telling, *kin))

    def marks(self, *kinds: Kind) -> frozenset[str]:
        return frozenset(one.stem for one in self.tokens if one.kind in kinds)


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """What one statement says otherwise than another; segments hold tokens that count."""

    swapped: tuple[tuple[tuple[Token, ...], tuple[Token, ...]], ...] = ()
    """(old, new) standing in each other's place."""
    added: tuple[Token, ...] = ()
    dropped: tuple[Token, ...] = ()
    about_other: bool = False
    """They differ in what they are about."""
    negated: bool = False
    opposed: bool = False
    common: int = 0
    """Tokens with content that both have in the same order."""
    verb: str = ""
    """The verb they share, as a stem."""
    small: tuple[frozenset[str], frozenset[str]] = field(default=(frozenset(), frozenset()))
    """Prepositions of which only (old, new) has."""

    @property
    def moved(self) -> bool:
        """The same words in another order."""
        one = [*self.dropped, *(token for a, _ in self.swapped for token in a)]
        other = [*self.added, *(token for _, b in self.swapped for token in b)]
        return bool(one) and sorted(t.stem for t in one) == sorted(t.stem for t in other)


def parsed(text: str) -> Sentence:
    """Takes a sentence apart."""
    plain = re.sub(r"(?i)\bcan['’]t\b|\bcannot\b", "can not", _TIMELY.sub(" ", text))
    plain = re.sub(r"(?i)n['’]t\b", " not", plain)
    plain = re.sub(r"(?i)\b(?:no longer|not any ?more)\b", "not", plain)
    plain = re.sub(r"(?i)(\d)(?:st|nd|rd|th|pm|am)\b", r"\1", plain)
    of_user = re.match(r"(?i)\s*(?:the\s+)?(?:user|i|we|he|she|they)\b(?!['’]s\s)", plain)
    tokens: list[Token] = []
    verb = 0 if of_user else -1
    for at, found in enumerate(_GOES_ON.finditer(plain)):
        raw = found[0]
        owner = plain[found.end() :].startswith(("'s ", "’s "))
        for word in [raw.lower()] if raw[0].isdigit() else words(raw) or [raw.lower()]:
            if verb < 0 and tokens and _VERB.match(word):
                verb = len(tokens)
            dropped = word in _DROPPED and not (word == "may" and raw[0].isupper())
            if not dropped and word not in ("has", "have"):
                tokens.append(_token(word, raw, first=at == 0 and not owner))
    if of_user:
        return Sentence(tokens=tuple(tokens), verb=max(verb, 0))
    return Sentence(tokens=tuple(tokens), verb=verb if verb > 0 else _named_end(tokens))


def _named_end(tokens: Sequence[Token]) -> int:
    """Where what a statement is about ends whose verb is not known: a number close to the beginning
    that is followed by words is part of a name, "Room 12 …", "Ticket 4711 …"."""
    kinds = [token.kind for token in tokens]
    first = next((at for at, kind in enumerate(kinds[:_NAME_WORDS]) if kind == "number"), 0)
    end = next((at for at in range(first, len(kinds)) if kinds[at] != "number"), 0)
    return end if first and kinds[end] == "word" else 1


def _token(word: str, raw: str, *, first: bool) -> Token:
    if word in _NUMBERS or word[0].isdigit():
        number = _NUMBERS.get(word, word)
        return Token(re.sub(r"^(\d{1,2}):00$", r"\1", number), "number", word)
    if word in _NOT:
        return Token("not", "not", word)
    single = word.removesuffix("s") if word.removesuffix("s") in _DAYS else word
    if single in _DAYS and (single != "march" or raw[0].isupper()):
        return Token(single, "day", word)
    if word in STOP_WORDS or word in _BE or word in _PREPOSITIONS:
        return Token(word, "small", word)
    named = (raw[0].isupper() and not first) or any(c.isupper() for c in raw[1:])
    return Token(_stem_of(word), "name" if named else "word", word)


def difference(old: Sentence, new: Sentence) -> Difference:
    """Compares two statements word by word, in order."""
    a = [one for one in old.tokens if one.kind not in ("small", "not")]
    b = [one for one in new.tokens if one.kind not in ("small", "not")]
    matcher = SequenceMatcher(None, [t.stem for t in a], [t.stem for t in b], autojunk=False)
    swapped: list[tuple[tuple[Token, ...], tuple[Token, ...]]] = []
    added: list[Token] = []
    dropped: list[Token] = []
    common, about_other = 0, False
    verb_a, verb_b = _verb_place(old), _verb_place(new)
    for tag, a1, a2, b1, b2 in matcher.get_opcodes():
        if tag == "equal":
            common += a2 - a1
            continue
        if tag != "replace" and all(t.word in _AT_PRESENT for t in (*a[a1:a2], *b[b1:b2])):
            continue
        about_other |= a1 < verb_a or b1 < verb_b
        if tag == "replace":
            swapped.append((tuple(a[a1:a2]), tuple(b[b1:b2])))
        elif tag == "insert":
            added += b[b1:b2]
        else:
            dropped += a[a1:a2]
    nots = [sum(one.kind == "not" for one in side.tokens) % 2 for side in (old, new)]
    between = [side.marks("small") for side in (old, new)]
    small = [side & _PREPOSITIONS for side in between]
    same_verb = verb_a < len(a) and verb_b < len(b) and a[verb_a].stem == b[verb_b].stem
    return Difference(
        swapped=tuple(swapped),
        added=tuple(added),
        dropped=tuple(dropped),
        about_other=about_other,
        negated=nots[0] != nots[1],
        opposed=any(starmap(_opposed, swapped)) or _opposed_small(between),
        common=common,
        verb=a[verb_a].stem if same_verb else "",
        small=(small[0] - small[1], small[1] - small[0]),
    )


def _verb_place(side: Sentence) -> int:
    """The verb's place among the tokens with content."""
    return sum(one.kind not in ("small", "not") for one in side.tokens[: side.verb])


def _opposed(one: Sequence[Token], other: Sequence[Token]) -> bool:
    return any(frozenset((a.stem, b.stem)) in _OPPOSED for a in one for b in other)


def _opposed_small(small: Sequence[frozenset[str]]) -> bool:
    only = (small[0] - small[1], small[1] - small[0])
    return any(frozenset((_stem_of(a), _stem_of(b))) in _OPPOSED for a in only[0] for b in only[1])


def likeness(one: str, other: str) -> float:
    """0..1, the share of content words two texts have in common; stands in for a cosine."""
    a, b = set(parsed(one).content), set(parsed(other).content)
    return 2 * len(a & b) / (len(a) + len(b)) if a and b else 0.0
