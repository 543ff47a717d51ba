"""What a statement is, and what it is worth keeping as: rules only."""

import re
from typing import Literal, get_args

from skill_agent.memory.english.small_talk import asks_for_a_fact, in_passing
from skill_agent.memory.english.subjects import slug, topic
from skill_agent.memory.english.third_person import third_person
from skill_agent.values import MemoryType

from .statement import Statement

Sort = Literal["fact", "taste", "event", "rule", "chat"]
SORTS: tuple[Sort, ...] = get_args(Sort)

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
    """Type, subject and importance of a statement; the scale is that of `rule_reading`."""
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


def worth_telling(statement: Statement) -> bool:
    """Whether a statement may matter: a single word only where it answers or goes on."""
    text = statement.clause.text
    if in_passing(text):
        return False
    if re.search(r"\w\W+\w", text):
        return True
    goes_on = statement.previous is not None and len(text) > 4
    return asks_for_a_fact(statement.question) or bool(
        goes_on and statement.previous and statement.previous.message.id == statement.message.id
    )
