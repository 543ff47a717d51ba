"""Clauses that cannot be read alone, told with the person, question or sentence they lean on."""

import re

from skill_agent.memory.english.fact import sentence
from skill_agent.memory.english.people_rules import KIN
from skill_agent.memory.english.small_talk import asks_for_a_fact, telling
from skill_agent.memory.english.standalone import FINITE, LEADING, LEANING, LONGEST, told
from skill_agent.memory.english.third_person import (
    group,
    third_person,
)

from .statement import Statement

# -- clauses that lean on others ------------------------------------------------------------------

_PRONOUN = re.compile(r"^(?:(?P<who>he|she)(?P<is>[’']s)?|(?P<whose>his|her))\s", re.IGNORECASE)
_PERSON = re.compile(
    rf"(?:^|[,;]\s)(?:(?:my|our) (?P<kin>(?:[\w-]+ ){{0,2}}?(?:{KIN}|boss|manager|colleague|friend|"
    rf"neighbou?r|flatmate|roommate|doctor|teacher|landlord|dog|cat))(?:,? (?P<named>[A-Z]\w+))?|"
    r"(?P<name>(?:(?:Dr|Mr|Mrs|Ms) )?[A-Z][a-zé]+)(?=[,’'\s](?:s\b|[a-z])))|"
    rf"(?<=[a-z] )(?P<within>[A-Z][a-zé]+) (?=(?:{FINITE})\b)"
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
    text = LEADING.sub("", statement.clause.text)
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
    return "" if LEANING.search(said) else told(said)


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
    text = LEADING.sub("", statement.clause.text)
    if not statement.question or not 1 <= len(text.split()) <= LONGEST:
        return ""
    for asked, answer, form in _ANSWERS:
        if asked.search(statement.question) and (match := answer.fullmatch(text)):
            return sentence(form.format(_with_article(match[1]) if "{}." in form else match[1]))
    fits = asks_for_a_fact(statement.question) and not LEANING.search(text)
    if not (telling(text) or fits):
        return ""
    said = third_person(text, group=group(text))
    return sentence(f"Asked “{statement.question}”, the user answered: {said}")


def joined(before: str, statement: Statement) -> str:
    """A clause that goes on from a sentence, behind it; empty where that gets too long."""
    text = LEADING.sub("", statement.clause.text)
    said = third_person(text, group=group(text))
    named = before.startswith("The user's name is")  # nothing goes on from a name
    both = f"The user said: {said}" if named else f"{before.rstrip('.!')}; {said}"
    return sentence(both) if len(both) <= 260 else ""
