"""What a model says about a statement, held against what was really said; what it is worth.

A small model merges facts, takes a neighbour's name for the user's and invents numbers: its
sentence is kept only where every word of it was said and nothing of the statement is missing.
"""

import re

from skill_agent.values import MemoryType

from .extract_prompt import Sort
from .statements import Statement
from .subjects import slug, topic
from .third_person import third_person

COVERED = 0.8
"""Share of the shorter text's words from which two sentences say the same."""
HELD = 0.7
"""Share of a clause's words that a model's sentence must hold."""

_WORD = re.compile(r"[^\W_]+(?:[’'][^\W_]+)?")
_EMPTY = frozenset(
    [
        "a",
        "an",
        "the",
        "user",
        "users",
        "user's",
        "their",
        "they",
        "them",
        "is",
        "are",
        "was",
        "were",
        "be",
        "been",
        "has",
        "have",
        "had",
        "do",
        "does",
        "did",
        "to",
        "of",
        "in",
        "on",
        "at",
        "for",
        "with",
        "and",
        "or",
        "but",
        "that",
        "this",
        "it",
        "its",
        "as",
        "by",
        "from",
        "so",
        "my",
        "our",
        "we",
        "i",
        "me",
        "not",
        "no",
        "team",
        "others",
        "will",
        "would",
        "can",
        "also",
        "very",
        "really",
        "just",
        "called",
        "named",
        "name",
        "who",
        "which",
    ]
)


def words(text: str) -> list[str]:
    """The telling words, plural and verb endings off."""
    text = re.sub(r"n[’']t\b", "", text.replace("cannot", "can"))
    found = (word.lower().replace("’", "'").removesuffix("'s") for word in _WORD.findall(text))
    return [_stem(word) for word in found if word not in _EMPTY]


def _stem(word: str) -> str:
    """Rough, but the same for all forms of a word: "uses", "using" and "used" are "us"."""
    shorter = re.sub(r"(?:ing|ied|ies|ed|es|s|e|y)$", "", word) if len(word) > 2 else word
    return shorter if len(shorter) > 1 else word


def same(one: str, other: str) -> bool:
    """Whether two sentences say the same: the shorter one's words are nearly all in the other."""
    first, second = set(words(one)), set(words(other))
    if (
        not first
        or not second
        or (_digits(one) ^ _digits(other) and not _digits(one) & _digits(other))
    ):
        return False
    return len(first & second) / min(len(first), len(second)) >= COVERED


def _digits(text: str) -> set[str]:
    return set(re.findall(r"\d+", text))


_GLUE = frozenset(
    [
        "stay",
        "live",
        "work",
        "go",
        "come",
        "take",
        "make",
        "use",
        "get",
        "keep",
        "own",
        "start",
        "plan",
        "want",
        "need",
        "like",
        "move",
        "meet",
        "buy",
        "fly",
        "run",
        "play",
        "because",
        "since",
        "then",
        "there",
        "after",
        "before",
        "during",
        "every",
        "each",
        "about",
        "into",
        "over",
        "under",
        "more",
        "than",
        "one",
        "two",
        "other",
        "only",
        "still",
        "always",
        "never",
        "now",
        "someone",
        "something",
        "team",
        "person",
        "people",
    ]
)
"""Words a sentence may be held together with."""
_POINTING = frozenset(
    [
        "he",
        "she",
        "they",
        "it",
        "this",
        "that",
        "there",
        "here",
        "him",
        "her",
        "his",
        "them",
        "their",
        "these",
    ]
)


def supported(fact: str, statement: Statement) -> bool:
    """Whether each word of a fact was said near the statement, and the statement is all in it."""
    said = f"{statement.said} {statement.question} {statement.message.content}"
    if not _digits(fact) <= _digits(said):
        return False
    heard = set(words(said)) | {word for one in _GLUE for word in words(one)}
    told = words(fact)
    own = set(words(statement.clause.text)) - _POINTING - _GLUE
    if (
        not told
        or len(own) < (1 if statement.question else 2)
        or any(word not in heard for word in told)
    ):
        return False
    if not _digits(statement.clause.text) <= _digits(fact):
        return False
    return len(own & set(told)) >= HELD * len(own) and _right_person(fact, statement)


def _right_person(fact: str, statement: Statement) -> bool:
    """A name for the user needs words that give one; what is said of others is not the user's."""
    text = statement.clause.text
    if re.search(r"\buser(?:[’']s name is| is (?:called|named))\b", fact, re.IGNORECASE):
        gives = re.compile(r"\b(?:my name|call me|i[’']m|i am|it[’']s)\b", re.IGNORECASE)
        asked = re.search(r"\byour name\b|\bcall you\b", statement.question, re.IGNORECASE)
        return bool(gives.search(text) or asked)
    if re.match(r"(?:the )?(?:assistant|ai|model|chatbot)\b|you\b", fact, re.IGNORECASE):
        return False
    said = f"{statement.said} {statement.message.content}"
    if owned := re.match(r"The user[’']s ([\w’'-]+)", fact):
        return bool(re.search(rf"\b(?:my|our) (?:\S+ ){{0,2}}?{re.escape(owned[1])}", said, re.I))
    about_self = re.match(r"The user (?!and\b)(\w+)", fact)
    other = re.match(r"(?i:my|our|the|his|her|he|she|they)\b|(?!I\b)[A-Z][\w’'-]+", text)
    if about_self and other:
        return _stem(other[0].lower()) == _stem(about_self[1])  # "Bake on Sundays"
    return True


_DECIDED = re.compile(
    r"\b(?:decid\w*|chose\w*|pick(?:ed)?|settled|go(?:ing|ne)? with|agreed|sticking with|went with|"
    r"switch\w*|drop(?:ped)?)\b",
    re.IGNORECASE,
)
_TASTE = re.compile(
    r"\b(?:prefer|love|hate|like|enjoy|favou?rite|can[’']?t stand|avoid|adore|dislike|allergic|"
    r"rather|want)\b",
    re.IGNORECASE,
)
_REGULAR = re.compile(
    r"\b(?:every|each|always|never|usually|only|must|has to|have to|whenever|\w+days|"
    r"twice a|once a|times a)\b",
    re.IGNORECASE,
)
_DOING = re.compile(
    r"\b(?:always|never|only|must|has to|have to|whenever|first|then|before|after|without)\b",
    re.IGNORECASE,
)
_PERSONS = re.compile(
    r"(?:(?:Mr|Mrs|Ms|Dr)\.? )?(?!The\b|Every\b|Each\b|All\b|No\b)[A-Z][a-z]+(?:[’']s)? "
    r"(?!is\b|are\b|has\b|have\b|must\b|goes\b|go\b)[a-z]|(?:he|she|they|his|her|their)\b",
)
_ENDS = re.compile(
    r"\b(?:deadline|due|expires?|runs out|ends|renews|frozen|(?:needs?|has to|have to|must)\b.*"
    r"\b(?:by|before|until))\b",
    re.IGNORECASE,
)
_NEEDED = re.compile(r"\b(?:deadline|due|must|budget|require\w*|needs?)\b", re.IGNORECASE)
_OWN = re.compile(r"(?:I|I[’']\w+|my)\b")
_OF_SELF = re.compile(r"\b(?:I|I[’']\w+|me|my|myself)\b")


def sorted_by_rules(text: str, *, timed: bool) -> Sort:
    """What a clause is, as far as its words tell; `timed` says that it names a day or a month."""
    lasting = bool(re.search(r"\bsince\b", text, re.IGNORECASE) or _ENDS.search(text))
    if _OWN.match(text) and _TASTE.search(text) and not timed:
        return "taste"
    if _REGULAR.search(text) and not (timed and _ENDS.search(text)):
        return "rule"
    return "event" if (timed and not lasting) or _DECIDED.search(text) else "fact"


def worth(sort: Sort, text: str) -> tuple[MemoryType, str | None, int]:
    """Type, subject and importance of a statement; the scale is the floor's."""
    about = topic(third_person(text))
    own = bool(_OWN.match(text))
    match sort:
        case "event" if _DECIDED.search(text):
            return "episodic", f"project.decision.{about}", 7
        case "event":
            return "episodic", None, 5
        case "taste":
            strong = re.search(r"\b(?:always|never|hate|love|prefer|can[’']?t stand)\b", text, re.I)
            return "user_profile", f"user.preference.{about}", 8 if strong else 4
        case "rule" if own:
            return "user_profile", f"user.habit.{about}", 5
        case "rule" if _DOING.search(text) and not (_PERSONS.match(text) or _OF_SELF.search(text)):
            return "procedural", f"procedure.{slug(text) or 'other'}", 5
        case _ if own or (_OF_SELF.search(text) and not _PERSONS.match(text)):
            return "user_profile", "user.about", 5
        case _:
            needed = bool(_NEEDED.search(text))
            return "semantic", f"project.{about}" if needed else None, 6 if needed else 5


def wish() -> tuple[MemoryType, str | None, int]:
    """What an order for good is worth, as `worth` says it."""
    return "user_profile", "user.preference.replies", 8
