"""What a model says about a conversation, held against what was really said.

A small model merges facts, takes a neighbour's name for the user's and invents numbers; so its
notes choose what matters, and the words come from the clause wherever that can stand alone.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from rapidfuzz import fuzz

from ..values import MemoryType, Message
from .clauses import Clause
from .extract_prompt import Kind
from .floor import facts_in
from .floor_rules import Found, sentence
from .subjects import slug, topic
from .third_person import group, speaks_in_first_person, third_person

CLOSE = 86.0
"""Partial ratio (0..100) from which a quote counts as found."""
COVERED = 0.8
"""Share of the shorter text's words from which two sentences say the same."""

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
_LEANING = re.compile(
    r"^(?:it|this|that|they|them|him|he|she|there|these|those|both|one of (?:it|them)|his|her|"
    r"their|its|"
    r"which|who|then|same)\b|\b(?:it|this|that|them|him|these|those|do so|there|here)$|\bit[’']s\b",
    re.IGNORECASE,
)
_PASSING = re.compile(
    r"^(?:thanks?|thank you|great|cool|nice|ok(?:ay)?|yes|no|sure|good|perfect|sounds|hello|hi|hey|"
    r"bye|see you|talk|never mind|got it|i see|i understand|makes sense|awesome|lovely|exactly|"
    r"right|true|i agree|haha|lol|wow|interesting|good (?:idea|point|morning|night))\b|"
    r"\b(?:your (?:answer|reply|help|suggestion)|this (?:error|code|bug|script|chat)|you (?:are|"
    r"were|can|could|said|gave))\b|"
    r"^I (?:have|had|got) (?:a|an|another|one|some) (?:quick )?(?:question|idea|problem|error|"
    r"issue|bug)|"
    r"^I(?:[’']m| am) (?:stuck|confused|trying|looking for|back|here|done|ready|wondering|curious|"
    r"fine|ok|good|happy|sorry|not sure|bored|tired|in a hurry)\b|"
    r"^I (?:need (?:a|some|your|you|to ask)|want (?:you|to (?:know|see|ask))|think|guess|see|mean|"
    r"wonder|tried|did|misread|misspoke|"
    r"will try|just need|"
    r"don[’']t (?:know|understand|get|think|mind|remember))\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """A clause of a user's message and what the rules made of it."""

    clause: Clause
    message: Message
    question: str = ""
    """What the assistant had asked just before, if it did."""
    before: str = ""
    """What the person said in the two messages before."""
    known: bool = False
    """The floor reads something in it."""


_ELIDED = (
    r"booked|bought|started|moved|quit|went|got|met|finished|signed|joined|switched|sold|passed|"
    r"adopted|visited|decided|planted|ordered|hired|ran|took|love|hate|prefer|loved|hated|been"
)
"""Verbs a chat leaves "I" out before."""
_OWN = re.compile(
    r"(?:(?:in|on|at|since|next|last|for|every|after|before|as)\s[^,]{2,30},?\s)?"
    r"(?:I|I[’']\w+|my|we|we[’']\w+|our)\s(?!\w+ing\b)",
    re.IGNORECASE,
)
_VERBED = re.compile(
    r"\w \b(?:is|are|was|were|be|has|have|had|will|can|cannot|does|did|must|may|wants?|"
    r"went|got|came|took|made|\w{2,}ed|\w{2,}[^s]s|\w{2,}n[’']t)\b"
)
"""Something like a verb, not as the first word."""
_IMPERATIVE = re.compile(
    r"(?:also |please |then |just )*(?:get|put|use|add|don[’']?t|do|keep|make|tell|give|write|ask|"
    r"send|let|leave|call|say|mind|think|take|skip|see|show|check)\b",
    re.IGNORECASE,
)
_WHOLE = re.compile(
    r"(?:the|a|an|[A-Z]\w+|[a-z]+s)\s.*\b(?:is|are|was|were|has|have|had|will|must|can|should|got|"
    r"went|needs?|comes?|goes|go|runs?|lives?|owns?|handles?|\w{3,}ed|\w{3,}[^s]s)\b",
)
"""A clause with a subject of its own and something like a verb."""


def words(text: str) -> list[str]:
    """The telling words, plural and verb endings off."""
    text = re.sub(r"n[’']t\b", "", text.replace("cannot", "can"))
    found = (word.lower().replace("’", "'").removesuffix("'s") for word in _WORD.findall(text))
    return [re.sub(r"(?:ing|ed|es|s)$", "", w) if len(w) > 4 else w for w in found
            if w not in _EMPTY]  # fmt: skip


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


def quoted(quote: str, fact: str, statements: Sequence[Statement]) -> list[Statement]:
    """The statements a quote is taken from; of several inside it those the fact speaks of."""
    wanted = " ".join(quote.lower().split())
    if len(wanted) < 2:
        return []
    inside = [
        one
        for one in statements
        if len(one.clause.text) > 3
        and len(one.clause.text) <= len(wanted) * 1.1
        and fuzz.partial_ratio(one.clause.text.lower(), wanted) >= CLOSE
    ]
    told = set(words(fact))
    if len(inside) > 1:
        shared = [(_share(one.clause.text, told), one) for one in inside]
        most = max(share for share, _ in shared)
        return [one for share, one in shared if share and share >= min(most, 0.5)]
    if inside:
        return inside
    scored = [
        (fuzz.partial_ratio(wanted, one.clause.text.lower()), _share(one.clause.text, told), n)
        for n, one in enumerate(statements)
        if len(wanted) <= len(one.clause.text) + 4
    ]
    best = max(scored, default=(0.0, 0.0, -1))
    return [statements[best[2]]] if best[0] >= CLOSE else []


def _share(text: str, told: set[str]) -> float:
    """Of a clause's words, how many a fact speaks of."""
    said = set(words(text))
    return len(said & told) / len(said) if said else 0.0


def supported(fact: str, statement: Statement) -> bool:
    """Whether names, numbers and most words of a fact stand in what was said."""
    said = f"{statement.before} {statement.question} {statement.message.content}"
    if not _digits(fact) <= _digits(said):
        return False
    heard = set(words(said))
    named = re.findall(r"(?<!^)(?<![.!?] )\b[A-Z][\w’'-]+", fact)
    if any(not set(words(name)) <= heard for name in named):
        return False
    told = words(fact)
    return bool(told) and sum(word in heard for word in told) / len(told) >= 0.7


def worth_keeping(statement: Statement) -> bool:
    """Not small talk, not the passing state of this conversation, and not empty."""
    text = statement.clause.text
    return len(set(words(text))) >= 2 and not _PASSING.search(text)


def grounded(fact: str, kind: Kind, statement: Statement) -> Found | None:
    """What is kept of a note: the clause in the third person, or the fact where that cannot
    stand alone; None where neither holds."""
    text = statement.clause.text
    if not worth_keeping(statement) or _about_the_assistant(fact):
        return None
    for one in facts_in(statement.clause):
        return one
    content, confidence = _own_words(text), 0.75
    if not content:
        confidence = 0.6
        content = _third(fact)
        whole = _VERBED.search(content) and not _LEANING.search(content.rstrip("."))
        if not (whole and supported(content, statement) and _right_person(content, text)):
            return None
    memory_type, importance = _worth(kind, text)
    return Found(
        content=content,
        memory_type=memory_type,
        subject=_subject(kind, text),
        importance=importance,
        confidence=confidence,
    )


def _own_words(text: str) -> str:
    """The clause about "the user", if it can stand alone; empty if not."""
    text = re.sub(
        r"^(?:(?:so|and|but|also|now|then|well|meanwhile|anyway),? )+", "", text, flags=re.I
    )
    text = re.sub(
        rf"^(?:just |finally |also )?(?=(?:{_ELIDED})\b)", "I ", text, flags=re.IGNORECASE
    )
    text = re.sub(r"^I ([A-Z])", lambda match: f"I {match[1].lower()}", text)
    if _LEANING.search(text) or not 3 <= len(text.split()) <= 30:
        return ""
    own = _OWN.match(text) or (speaks_in_first_person(text) and len(text.split()) > 3)
    if not (own or _WHOLE.match(text)) or _IMPERATIVE.match(text):
        return ""
    return sentence(third_person(text, group=group(text)))


def _third(fact: str) -> str:
    fact = re.sub(r"^(?:ME|Me|The person|The speaker)\b", "The user", fact.strip())
    return sentence(third_person(fact) if speaks_in_first_person(fact) else fact)


def _about_the_assistant(fact: str) -> bool:
    return bool(re.match(r"(?:the )?(?:assistant|ai|model|chatbot)\b|you\b", fact, re.IGNORECASE))


def _right_person(fact: str, text: str) -> bool:
    """A name for the user needs words that give one; "my sister …" is not said of the user."""
    if re.search(r"\buser(?:[’']s name is| is (?:called|named))\b", fact, re.IGNORECASE):
        return bool(re.search(r"\b(?:my name|call me|i[’']m|i am|it[’']s)\b", text, re.IGNORECASE))
    other = re.match(r"(?:my|our|the|his|her)\s", text, re.IGNORECASE)
    return not (other and re.match(r"The user (?!and\b)\w", fact))


def _worth(kind: Kind, text: str) -> tuple[MemoryType, int]:
    """Type and importance; the scale is the floor's, not the model's."""
    match kind:
        case "identity":
            return "user_profile", 7
        case "person" | "habit":
            return "user_profile", 5
        case "preference":
            strong = re.search(r"\b(?:always|never|hate|love|prefer|can[’']?t stand)\b", text, re.I)
            return "user_profile", 8 if strong else 4
        case "decision":
            decided = re.search(r"\b(?:decid|chose|pick|settled|go with|agreed)", text, re.I)
            return "episodic", 7 if decided else 5
        case "event" | "plan":
            return "episodic", 5
        case "method":
            return "procedural", 5
        case "project":
            needed = re.search(r"\b(?:deadline|due|must|budget|require)", text, re.IGNORECASE)
            return "semantic", 6 if needed else 5


def _subject(kind: Kind, text: str) -> str | None:
    match kind:
        case "event" | "plan":
            return None
        case "preference" | "habit":
            return f"user.{kind}.{topic(third_person(text))}"
        case "decision":
            return f"project.decision.{topic(third_person(text))}"
        case "person":
            return "user.people"
        case "identity":
            return "user.about"
        case "project":
            return f"project.{topic(third_person(text))}"
        case "method":
            return f"procedure.{slug(text) or 'other'}"
