"""A person's own words as a sentence about "the user" that can be read alone.

Nothing is asked of a model here; a clause that cannot stand by itself is joined to what it answers
or goes on from, or given up.
"""

import re

from .floor_people import KIN
from .floor_rules import sentence
from .small_talk import asks_for_a_fact, telling
from .statements import Statement
from .third_person import (
    IRREGULAR_PAST,
    conjugated,
    group,
    is_past,
    speaks_in_first_person,
    third_person,
)

LONGEST = 34
"""Words a memory's clause may have."""
WISH = "The user wants the assistant"
"""How a memory of an order for good begins."""
_LEADING = re.compile(
    r"^(?:(?:so|and|but|also|now|then|well|meanwhile|anyway|oh|plus|ok|yes|no|yeah|haha|actually|"
    r"besides|finally|btw|by the way|one more(?: thing)?|fun fact|turns out|fyi)\b[,:]?\s+)+",
    re.IGNORECASE,
)
_LEANING = re.compile(
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
_FINITE = (
    r"is|are|was|were|has|have|had|will|must|can|cannot|should|does|did|needs?|takes?|goes|comes?|"
    r"gets?|runs?|lives?|works?|owns?|handles?|costs?|means?|starts?|ends?|opens?|closes?|"
    r"wants?|keeps?|insists?|uses?|holds?|expires?|belongs?|prefers?|\w{3,}ed|\w+n[’']t|"
    rf"(?<!and )(?<!or )(?<!, )(?!this\b)[a-z]{{3,}}[^s\W]s|{_PAST}"
)
_WHOLE = re.compile(
    rf"(?:(?:at|in|on|over) (?:the |my |our )?[\w’'-]+,? )?(?:the|a|an|[A-Z][\w’'&.-]+|[a-z]+s|"
    rf"every|each|all|no|most|half)\s(?:\S+ ){{0,8}}?(?:{_FINITE})\b|"
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
_BARE = frozenset(
    [
        "love",
        "hate",
        "prefer",
        "like",
        "want",
        "need",
        "live",
        "drive",
        "own",
        "have",
        "speak",
        "work",
        "adore",
    ]
)
"""Verbs a chat leaves "I" out before, which are no orders."""
_ELIDED = re.compile(
    r"^(?:(?:just|finally|also|recently|already|never|always|usually|still) )*(?P<verb>[a-z’']+)\b",
    re.IGNORECASE,
)


def standing(text: str) -> str:
    """The clause about "the user", if it can stand alone; empty if not."""
    text = whole(text)
    points = _LEANING.search(text) or (_INSIDE.match(text) and not _NAMED.match(text))
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
    text = _LEADING.sub("", text)
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


# -- clauses that lean on others ------------------------------------------------------------------

_PRONOUN = re.compile(r"^(?:(?P<who>he|she)(?P<is>[’']s)?|(?P<whose>his|her))\s", re.IGNORECASE)
_PERSON = re.compile(
    rf"(?:^|[,;]\s)(?:(?:my|our) (?P<kin>(?:[\w-]+ ){{0,2}}?(?:{KIN}|boss|manager|colleague|friend|"
    rf"neighbou?r|flatmate|roommate|doctor|teacher|landlord|dog|cat))(?:,? (?P<named>[A-Z]\w+))?|"
    r"(?P<name>(?:(?:Dr|Mr|Mrs|Ms) )?[A-Z][a-zé]+)(?=[,’'\s](?:s\b|[a-z])))|"
    rf"(?<=[a-z] )(?P<within>[A-Z][a-zé]+) (?=(?:{_FINITE})\b)"
)
_NO_PERSON = re.compile(
    r"^(?:I|We|The|A|An|My|Our|It|They|He|She|This|That|These|Then|So|But|And|Also|On|In|At|For|"
    r"From|No|Not|Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday|January|February|March|"
    r"April|May|June|July|August|September|October|November|December|Every|Each|All|Some|Any|Just|"
    r"Main|Next|Last|After|Before|Since|When|While|There|Here|What|If|Its|His|Her|Their|Only|"
    r"Nothing|Everything|One|Two|Now|Still|Usually|Mostly|Sometimes|Meanwhile|Poor|Good|Great|Nice|New|Old|Dear|Sorry|Thanks|Yes|Yeah|Well|Oh|Okay)$"
)


def person_meant(statement: Statement) -> str:
    """Whom "he" or "she" stands for: the person the statements before it are about."""
    before, steps = statement.previous, 0
    while before is not None and steps < 5:
        for match in _PERSON.finditer(before.clause.text):
            if match["kin"]:
                return f"the user's {match['kin']}{' ' + match['named'] if match['named'] else ''}"
            name = match["name"] or match["within"]
            if not _NO_PERSON.match(name):
                return name
        before, steps = before.previous, steps + 1
    return ""


def with_person(statement: Statement) -> str:
    """The clause with the person's name for a leading "she"; empty where nobody is meant."""
    text = _LEADING.sub("", statement.clause.text)
    match = _PRONOUN.match(text)
    who = person_meant(statement) if match else ""
    if match is None or not who:
        return ""
    rest = text[match.end() :]
    if match["whose"]:
        said = f"{who}'s {rest}"
    elif match["is"]:
        verb = "has" if re.match(r"(?:been|got|had|\w+ed)\b", rest) else "is"
        said = f"{who} {verb} {rest}"
    else:
        said = f"{who} {rest}"
    return "" if _LEANING.search(said) else told(said)


_ANSWERS = (
    (re.compile(r"\byour (?:first |full )?name\b|\bcall you\b", re.IGNORECASE),
     re.compile(r"(?i:it[’']s |i[’']m )?([A-Z][\w’'-]+(?: [A-Z][\w’'-]+){0,2})"),
     "The user's name is {:}."),
    (re.compile(r"\bwhere (?:do you live|are you (?:based|living|located))\b", re.IGNORECASE),
     re.compile(r"(?i:in |near )?([A-Z][\w’'-]+(?:,? [A-Z][\w’'-]+){0,3})"),
     "The user lives in {:}."),
    (re.compile(r"\bwhere are you from\b", re.IGNORECASE),
     re.compile(r"(?i:from )?([A-Z][\w’'-]+(?:,? [A-Z][\w’'-]+){0,3})"),
     "The user is from {:}."),
    (re.compile(r"\bhow old are you\b|\byour age\b", re.IGNORECASE),
     re.compile(r"(\d{1,2})(?: years old)?"), "The user is {:} years old."),
    (re.compile(r"\bwhat do you do\b|\byour (?:job|profession|occupation)\b", re.IGNORECASE),
     re.compile(r"((?!(?:i|my|we|it|not|work|in|at|for|a lot)\b)[a-z][\w’' -]{3,60})"),
     "The user is {}."),
)  # fmt: skip
"""Questions whose bare answers make a plain sentence: (question, answer, sentence)."""


def _with_article(role: str) -> str:
    return (
        role
        if re.match(r"(?:an?|the)\b", role)
        else f"{'an' if role[0] in 'aeiou' else 'a'} {role}"
    )


def answering(statement: Statement) -> str:
    """A short answer together with the question it answers."""
    text = _LEADING.sub("", statement.clause.text)
    if not statement.question or not 1 <= len(text.split()) <= LONGEST:
        return ""
    for asked, answer, form in _ANSWERS:
        if asked.search(statement.question) and (match := answer.fullmatch(text)):
            return sentence(form.format(_with_article(match[1]) if "{}." in form else match[1]))
    fits = asks_for_a_fact(statement.question) and not _LEANING.search(text)
    if not (telling(text) or fits):
        return ""
    said = third_person(text, group=group(text))
    return sentence(f"Asked “{statement.question}”, the user answered: {said}")


def joined(before: str, statement: Statement) -> str:
    """A clause that goes on from a sentence, behind it; empty where that gets too long."""
    text = _LEADING.sub("", statement.clause.text)
    said = third_person(text, group=group(text))
    named = before.startswith("The user's name is")  # nothing goes on from a name
    both = f"The user said: {said}" if named else f"{before.rstrip('.!')}; {said}"
    return sentence(both) if len(both) <= 260 else ""


def standing_sentence(fact: str) -> str:
    """A model's sentence about the user, if it can stand alone; empty if not."""
    fact = re.sub(r"^(?:ME|Me|The person|The speaker)\b", "The user", fact.strip())
    if speaks_in_first_person(fact):
        fact = third_person(fact)
    leans = _LEANING.search(fact.rstrip(".!"))
    return "" if leans or len(fact.split()) < 3 else sentence(fact)
