"""A person's own words as a sentence about "the user" that can be read alone.

Nothing is asked of a model here; a clause that cannot stand by itself gives an empty text.
"""

import re

from .fact import sentence
from .people_rules import KIN
from .third_person import (
    IRREGULAR_PAST,
    conjugated,
    group,
    is_past,
    speaks_in_first_person,
    third_person,
)
from .word_list import word_list

LONGEST = 34
"""Words a memory's clause may have."""
WISH = "The user wants the assistant"
"""How a memory of an order for good begins."""
LEADING = re.compile(
    r"^(?:(?:so|and|but|also|now|then|well|meanwhile|anyway|oh|plus|ok|yes|no|yeah|haha|actually|"
    r"besides|finally|btw|by the way|one more(?: thing)?|fun fact|turns out|fyi)\b[,:]?\s+)+",
    re.IGNORECASE,
)
LEANING = re.compile(
    r"^(?:it|this|that|they|them|him|he|she|there|these|those|both|one of (?:it|them)|his|her|"
    r"their|its|which|who|then|same|the (?:first|second|other|latter|former) one)\b|"
    r"\b(?:it|this|that|them|him|these|those|do so|there|here|one)$|"
    r"\bI (?:do|did|am|was|have|can|will|would|should)(?: not|n[’']t)?$",
    re.IGNORECASE,
)
"""Begins or ends with what points at something outside the clause."""
_INSIDE = re.compile(
    r"^(?:\S+ ){1,4}?(?:(?:it|this|them|her) (?:is|was|all|by|from|on|in|at|out|up|down|and|until|"
    r"before|after)|(?:her|his|their) \w+|it[’']s)\b",
    re.IGNORECASE,
)
"""Points at something so early in the clause that it cannot be named there."""
_NAMED = re.compile(
    rf"(?:[A-Z][a-z]\w+|(?i:my|our|the) (?:{KIN}|boss|manager|colleague|friend|dog|cat)|[Ww]e)\b"
)
_OWN = re.compile(
    r"(?:(?:in|on|at|since|next|last|for|every|after|before|as)\s[^,]{2,30},?\s)?"
    r"(?:I|I[’']\w+|my|we|we[’']\w+|our)\s(?!\w+ing\b)",
    re.IGNORECASE,
)
_PAST = "|".join(sorted(IRREGULAR_PAST - {"let", "put", "set", "cut", "hit", "left"}))
FINITE = (
    r"is|are|was|were|has|have|had|will|must|can|cannot|should|does|did|needs?|takes?|goes|comes?|"
    r"gets?|runs?|lives?|works?|owns?|handles?|costs?|means?|starts?|ends?|opens?|closes?|"
    r"wants?|keeps?|insists?|uses?|holds?|expires?|belongs?|prefers?|\w{3,}ed|\w+n[’']t|"
    rf"(?<!and )(?<!or )(?<!, )(?!this\b)[a-z]{{3,}}[^s\W]s|{_PAST}"
)
_WHOLE = re.compile(
    rf"(?:(?:at|in|on|over) (?:the |my |our )?[\w’'-]+,? )?(?:the|a|an|[A-Z][\w’'&.-]+|[a-z]+s|"
    rf"every|each|all|no|most|half)\s(?:\S+ ){{0,8}}?(?:{FINITE})\b|"
    rf"[A-Za-z][\w’'-]*s (?:\w+ )?(?:will|must|can|cannot|should|go|run|take|start|end|"
    r"close|open|come|get|live|work|happen|meet|cost|need|use|stay|eat|play|make|keep|have|are|were)\b"
)
"""A clause with a subject of its own and something like a verb."""
_PLAIN = re.compile(
    r"(?!(?:for|in|on|at|by|with|to|from|just|only|mostly|usually|not|never|always|if|when)\b)"
    r"(?:[\w’'-]+ ){1,3}(?:is|are|was|were|has|have|had|will|must|can|cannot|needs?|has to|gets|"
    r"goes|only|always|never|[\w]+n[’']t|ends|starts|expires)\s\w",
    re.IGNORECASE,
)
_IMPERATIVE = re.compile(
    r"(?:also |please |then |just |and )*(?:get|put|use|add|don[’']?t|do|keep|make|tell|give|write|"
    r"ask|send|let|leave|call|say|mind|think|take|skip|see|show|check|avoid|plan|book|remind|"
    r"include|stick|stop|answer|reply|respond|speak|always|never)\b",
    re.IGNORECASE,
)
_REMINDER = re.compile(
    r"(?:please )?remind me (?P<link>to|that|about|of)\b (?P<what>.+)", re.IGNORECASE
)
_STANDING_ORDER = re.compile(
    r"\b(?:whenever|every time|always|never|from now on|in (?:the )?future|any ?more|ever)\b|"
    r"^(?:also |please |so |and )*(?:don[’']?t|do not|avoid|skip|use|keep)\b",
    re.IGNORECASE,
)
_BARE = word_list(
    """
    love hate prefer like want need live drive own have speak work adore
    """
)
"""Verbs a chat leaves "I" out before, which are no orders."""
_ELIDED = re.compile(
    r"^(?:(?:just|finally|also|recently|already|never|always|usually|still) )*(?P<verb>[a-z’']+)\b",
    re.IGNORECASE,
)


def standalone(text: str) -> str:
    """The clause about "the user", if it can stand alone; empty if not."""
    text = whole(text)
    points = LEANING.search(text) or (_INSIDE.match(text) and not _NAMED.match(text))
    if not text or points or not 3 <= len(text.split()) <= LONGEST:
        return ""
    if reminder := _REMINDER.match(text):
        asked = third_person(f"{reminder['link']} {reminder['what']}")
        return sentence(f"The user wants to be reminded {asked}")
    if _IMPERATIVE.match(text):
        return _order(text)
    own = _OWN.match(text) or (speaks_in_first_person(text) and len(text.split()) > 3)
    if not (own or _WHOLE.match(text) or _PLAIN.match(text)):
        return ""
    return told(text)


def whole(text: str) -> str:
    """Without a leading "also", with the "I" that chats leave out."""
    text = LEADING.sub("", text)
    text = re.sub(r",? (?:by the way|btw|of course|you know|tbh),", "", text)
    text = re.sub(r",? (?:though|actually),", ",", text)
    text = re.sub(r" btw\b", "", text)
    first = _ELIDED.match(text)
    if first is None:
        return text
    verb = first["verb"].lower()
    if verb.endswith("ing") and verb not in ("nothing", "something", "anything", "everything"):
        follows = re.match(
            r"\w+(?:ing) (?:to|with|on|for|in|at|from|my|our|a|an|the)\b", text, re.I
        )
        return f"I'm {_low(text)}" if follows else text
    rest = text[first.end() :].strip()
    past = is_past(verb) or verb == "been"
    if rest and (verb in _BARE or (past and not re.match(r"(?:by|in|is|are|was)\b", rest))):
        return f"I {'have ' if verb == 'been' else ''}{_low(text)}"
    return text


def _low(text: str) -> str:
    return text[0].lower() + text[1:]


def told(text: str) -> str:
    """A clause as a sentence in the third person."""
    return sentence(third_person(text, group=group(text)))


def _order(text: str) -> str:
    """What is asked of the assistant for good; empty for what is asked once."""
    if not _STANDING_ORDER.search(text) or len(text.split()) < 3:
        return ""
    text = re.sub(r"^(?:also|please|then|just|and)\s+", "", text, flags=re.IGNORECASE)
    text = third_person(_low(text))
    text = re.sub(r"\byou (\w+)", lambda match: f"it {conjugated(match[1])}", text)
    text = re.sub(r"^don[’']?t\b|^do not\b", "not to", text)
    link = "" if text.startswith("not to") else "to "
    return sentence(f"{WISH} {link}{text}")


def standalone_sentence(fact: str) -> str:
    """A model's sentence about the user, if it can stand alone; empty if not."""
    fact = re.sub(r"^(?:ME|Me|The person|The speaker)\b", "The user", fact.strip())
    if speaks_in_first_person(fact):
        fact = third_person(fact)
    leans = LEANING.search(fact.rstrip(".!"))
    return "" if leans or len(fact.split()) < 3 else sentence(fact)
