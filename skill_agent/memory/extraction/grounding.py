"""What a model says about a statement, held against what was really said.

A small model merges facts, takes a neighbour's name for the user's and invents numbers: its
sentence is kept only where every word of it was said and nothing of the statement is missing.
"""

import re

from skill_agent.memory.english.telling_words import rough_stem, telling_words
from skill_agent.memory.english.word_list import word_list
from skill_agent.text.sameness import marks

from .statement import Statement

COVERED = 0.8
"""Share of the shorter text's words from which two sentences say the same."""
HELD = 0.7
"""Share of a clause's words that a model's sentence must hold."""


def told_in(one: str, other: str) -> bool:
    """Whether a sentence made of a message tells nothing beside another made of it: every number,
    name and sign of it stands there, and the shorter one's words are nearly all in the other."""
    first, second = set(telling_words(one)), set(telling_words(other))
    if not first or not second or marks(one) - marks(other):
        return False
    return len(first & second) / min(len(first), len(second)) >= COVERED


def _digits(text: str) -> set[str]:
    return set(re.findall(r"\d+", text))


_GLUE = word_list(
    """
    stay live work go come take make use get keep own start plan want need like move meet buy
    fly run play because since then there after before during every each about into over under
    more than one two other only still always never now someone something team person people
    """
)
"""Words a sentence may be held together with."""
_POINTING = word_list(
    """
    he she they it this that there here him her his them their these
    """
)


def supported(fact: str, statement: Statement) -> bool:
    """Whether each word of a fact was said near the statement, and the statement is all in it."""
    said = f"{statement.said} {statement.question} {statement.message.content}"
    if not _digits(fact) <= _digits(said):
        return False
    heard = set(telling_words(said)) | {word for one in _GLUE for word in telling_words(one)}
    told = telling_words(fact)
    own = set(telling_words(statement.clause.text)) - _POINTING - _GLUE
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
        return rough_stem(other[0].lower()) == rough_stem(about_self[1])  # "Bake on Sundays"
    return True
