"""The people and animals around a person, in the clauses they say; rules only."""

import re
from collections.abc import Iterator

from .fact import NAME, Fact, profile, sentence
from .third_person import third_person

_POINTS = re.compile(r"\b(?:them|it|this|that|there|him|her)$", re.IGNORECASE)
KIN = (
    r"wife|husband|partner|spouse|girlfriend|boyfriend|fianc[ée]e?|son|daughter|kids?|child|"
    r"children|baby|twins|mother|mom|mum|father|dad|parents|sister|brother|siblings?|grandmother|"
    r"grandfather|grandma|grandpa|aunt|uncle|cousin|niece|nephew|mother-in-law|father-in-law|"
    r"sister-in-law|brother-in-law|stepson|stepdaughter|grandson|granddaughter|ex-wife|ex-husband"
)
_PETS = (
    r"dog|cat|puppy|kitten|rabbit|hamster|parrot|horse|goldfish|tortoise|turtle|bird|guinea pig|"
    r"pony|snake|gecko|hen|chicken"
)
_OTHERS = (
    r"boss|manager|colleague|coworker|co-worker|best friend|friend|neighbou?r|roommate|flatmate|"
    r"mentor|landlord|doctor|therapist|teacher|team lead|assistant|co-?founder"
)
_RELATION = re.compile(
    rf"\b(?P<my>my|our)\s+(?P<adj>(?:(?:older|younger|elder|eldest|oldest|youngest|little|big|twin|"
    rf"late|new|old|first|second|[\w-]+-old)\s+)*)(?P<who>{KIN}|{_PETS}|"
    rf"{_OTHERS})(?P<rest>[,’']?\s*.+)$",
    re.IGNORECASE,
)
_TELLING = re.compile(
    r"^(?:[’']s (?:name is|birthday is)\s+\S|s?,?\s+(?:(?:is|are|was|were)\s+(?:called|named|"
    r"from|in|an?|the|\d|\w+ing\b|"
    r"allergic|vegan|vegetarian|pregnant|diabetic|deaf|blind|retired|sick|ill|(?-i:[A-Z]))|"
    r"(?:also\s+|just\s+|now\s+|both\s+|only\s+)*"
    r"(?:lives?|works?|studies|teaches|runs|plays|speaks|loves?|likes?|hates?|moved|started|"
    r"turned|"
    r"turns|got|passed|died|graduated|goes|has|have|adopted|bought|is visiting|was born)\b)|"
    r",?\s+(?-i:[A-Z])\w+)",
    re.IGNORECASE,
)
_HAS = re.compile(
    rf"\b(?P<who>I|we)(?:[’']ve| have| own)(?: got)?\s+(?P<what>(?:an?|two|three|four|five|six|"
    rf"\d)\s+(?:[\w-]+\s+){{0,3}}?"
    rf"(?P<kind>{KIN}|{_PETS})s?\b[^.;]*)",
    re.IGNORECASE,
)
_GOT_PET = re.compile(
    rf"\b(?P<who>I|we)(?:[’']ve)? (?:just |recently |finally )?(?:adopted|got|rescued|"
    rf"bought)\s+(?P<what>(?:an?|two|three|our)\s+(?:[\w-]+\s+){{0,3}}?"
    rf"(?P<kind>{_PETS})s?\b.*)",
    re.IGNORECASE,
)
_MARRIED = re.compile(
    r"\bI(?:[’']m| am| got)(?: happily| recently)? (?:married|divorced|engaged|single|widowed)\b.*",
    re.IGNORECASE,
)


_APPOSED = re.compile(
    rf"^{NAME}(?:,| is) (?:that[’']s |who[’']s |who is |s?he[’']s )?"
    rf"my (?P<who>(?:(?:older|younger|little|big|best|new|old|twin) )?"
    rf"(?:{KIN}|{_PETS}|{_OTHERS}|youngest|eldest|oldest))(?:,\s+(?P<rest>.+)|$)"
)
""" "Tom, my flatmate, …", "Lena is my sister"."""


def people(text: str, quote: str) -> Iterator[Fact]:
    """Family, pets and others, with what is said of them."""
    if apposed := _APPOSED.match(text):
        said = f"my {apposed['who']} {apposed['name']} {apposed['rest']}"
        if not apposed["rest"] or _POINTS.search(apposed["rest"]):
            said = f"my {apposed['who']} is called {apposed['name']}"
        yield profile(sentence(third_person(said)), _relation(apposed["who"]), 5)
        return
    match = _RELATION.search(text)
    if match and len(text[: match.start()].split()) <= 3 and _TELLING.match(match["rest"]):
        who = match["who"].lower()
        if not re.search(
            r"\b(?:them|it|this|that|there|wants? (?:you|me)|asked|told|says?|thinks?|"
            r"needs? you)\b",
            match["rest"],
        ):
            known = bool(re.fullmatch(rf"{KIN}|{_PETS}", who, re.IGNORECASE))
            yield profile(sentence(_relation_text(text, match)), _relation(who), 6 if known else 5)
        return
    if match := _HAS.search(text) or _GOT_PET.search(text):
        yield profile(sentence(third_person(text)), _relation(match["kind"].lower()), 6)
    elif (match := _MARRIED.search(text)) and not re.search(r"\bto (?:the|this|that)\b", match[0]):
        yield profile(sentence(third_person(match[0])), "user.relationship", 7)


def _relation_text(text: str, match: re.Match[str]) -> str:
    """ "My wife Ines works" keeps all; "my wife Ines" alone becomes a sentence."""
    apposed = re.fullmatch(rf",?\s+{NAME}", match["rest"])
    if apposed:
        return third_person(f"my {match['adj']}{match['who']} is called {apposed['name']}")
    return third_person(re.sub(r"\bour\b", "my", text[match.start() :], flags=re.IGNORECASE))


def _relation(who: str) -> str:
    who = re.sub(r"^(?:older|younger|little|big|new|old|twin) ", "", who.lower())
    who = who.replace("-", "_").replace(" ", "_")
    if who in ("youngest", "eldest", "oldest"):
        return "user.family.children"
    if re.fullmatch(_PETS, who.rstrip("s")):
        return "user.pet"
    if re.fullmatch(KIN, who.replace("_", "-")):
        same = {"mom": "mother", "mum": "mother", "dad": "father", "grandma": "grandmother",
                "grandpa": "grandfather", "kid": "children", "kids": "children",
                "child": "children", "spouse": "partner"}  # fmt: skip
        return f"user.family.{same.get(who, who)}"
    return f"user.people.{who}"
