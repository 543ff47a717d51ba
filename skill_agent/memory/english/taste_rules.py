"""What a person likes, avoids and wants of replies, in the clauses they say; rules only."""

import re
from collections.abc import Iterator

from .fact import Fact, sentence
from .subjects import slug, topic
from .third_person import third_person
from .word_list import word_list

_ADVERBS = (
    r"(?:(?:really|absolutely|always|generally|usually|much|strongly|definitely|still|also|just|"
    r"personally|actually|truly|do|quite|kind of|secretly|now)\s+)*"
)
_POINTING = (
    r"(?!(?:it|this|that|that's|these|those|them|you|your|u|how you|the way you|the idea|the look|"
    r"the sound of|the answer|to (?:bother|say|ask|know|see|hear|be that|break|admit|hear|think)|"
    r"what you|when (?:it|this|that|you)|him|her|what|where|how|the new|the first|the second)\b)"
)
_STRONG = re.compile(
    rf"\bI\s+{_ADVERBS}(?P<verb>prefer|love|adore|hate|detest|loathe|despise|can[’']?t stand|"
    rf"cannot stand|"
    rf"would rather|can[’']?t (?:tolerate|bear)|am obsessed with)\s+{_POINTING}(?P<what>.+)",
    re.IGNORECASE,
)
_MILD = re.compile(
    rf"\b(?:I\s+{_ADVERBS}(?:like|enjoy|dislike|avoid|don[’']?t (?:really |particularly )?(?:like|"
    rf"enjoy|eat|drink|care for)|"
    rf"do not (?:like|eat|drink)|am into|am (?:not )?a (?:big |huge )?fan of)|"
    rf"I[’']m (?:really |very )?into|I[’']m (?:not )?a (?:big |huge )?fan of|"
    rf"I[’']m (?:really )?(?:keen on|fond of))\s+"
    rf"{_POINTING}(?P<what>.+)",
    re.IGNORECASE,
)
_FAVOURITE = re.compile(
    r"\bmy (?:all-time |absolute )?(?:favou?rite|preferred)\s+(?P<thing>[\w ]{2,30}?)\s+(?:is|are|"
    r"has always been)\s+(?P<what>(?!this|that|it\b).+)",
    re.IGNORECASE,
)
_HABIT = re.compile(
    r"\bI (?:(?:almost|nearly) )?(?P<how>always|never|usually|normally|typically|mostly|rarely|"
    r"only)\s+(?P<verb>[\w’']+)\s+(?P<what>\S.*)",
    re.IGNORECASE,
)
_EVERY = re.compile(
    r"^I (?P<verb>run|swim|cycle|walk|go|play|practi[sc]e|train|meditate|read|work|volunteer|"
    r"teach|cook|bake|study|drink|eat|wake up|get up|start work)\b.*"
    r"\b(?:every|each|once a|twice a|times a|on (?:mon|tues|wednes|thurs|fri|satur|sun)days|"
    r"(?:in the|on) (?:mornings?|evenings?|weekends)|at \d)\b.*",
    re.IGNORECASE,
)
_BARE_THE = re.compile(r"\bthe \w+$", re.IGNORECASE)
"""Ends in something that was named before, as in "I can't stand the smell"."""
_NO_HABIT = word_list(
    """
    thought knew said heard got had was wanted understood saw believed did found felt forgot
    forget know think want get been tried mind need needed see understand
    """
)
_HEALTH = re.compile(
    r"\bI(?:[’']m| am)(?: also| severely| very| mildly)? (?:allergic to|intolerant (?:to|"
    r"of))\s+(?P<what>.+)|"
    r"\bI have (?:a |an )?(?:severe |bad |mild )?(?P<what2>[\w -]{2,30}?) allergy\b|"
    r"\bI have (?P<ill>(?:type \d )?diabetes|asthma|adhd|migraines?|coeliac disease|"
    r"celiac disease|dyslexia|epilepsy|arthritis|hay fever|insomnia|tinnitus|"
    r"high blood pressure)\b",
    re.IGNORECASE,
)
_DIET = re.compile(
    r"\bI(?:[’']m| am)(?: a| now| also| strictly| mostly)* (?P<diet>vegan|vegetarian|pescatarian|"
    r"lactose[ -]intolerant|gluten[ -]free|"
    r"coeliac|celiac|teetotal|keto|kosher|halal)\b",
    re.IGNORECASE,
)
_TRAIT = re.compile(
    r"\bI(?:[’']m| am)(?: an?| more of an?| definitely an?)+ (?P<trait>(?:early bird|night owl|"
    r"morning person|evening person|introvert|"
    r"extrovert|minimalist|perfectionist|coffee person|tea person|dog person|cat person|"
    r"left-handed|colou?r[- ]?blind)\b.*)|"
    r"\bI(?:[’']m| am) (?P<trait2>left-handed|colou?r[- ]?blind|bilingual|dyslexic|deaf)\b",
    re.IGNORECASE,
)
_SPEAKS = re.compile(
    r"\bI (?:also )?(?:speak|am fluent in|[’']m fluent in)\s+(?P<what>[A-Z]\w+.*)|\bmy (?:native|"
    r"first) language is (?P<first>\w+)"
)
_REPLIES = re.compile(
    r"^(?:(?:please|and|also|from now on|going forward|in (?:the )?future|so)[,\s]+)*"
    r"(?P<how>always|never|don[’']?t(?: ever)?|do not)?\s*(?:please\s+)?"
    r"(?P<verb>answer|reply|respond|write|use|keep|give|explain|call|address|start|end|include|"
    r"add|avoid|speak|talk|send|format|put|show|quote|cite|round|ask|assume|sugarcoat|"
    r"apologi[sz]e|suggest|skip)\b\s+(?P<what>.+)$",
    re.IGNORECASE,
)
_STANDING = re.compile(
    r"\b(?:from now on|going forward|in (?:the )?future|always|never|every time|whenever)\b",
    re.IGNORECASE,
)
_WANTS = re.compile(
    r"\bI (?:want|need|would like|[’']d like|prefer) (?:you|your (?:answers|replies|"
    r"responses)) to (?P<what>(?:always|never)\b.+|be (?:short|brief|concise|direct|honest|formal|"
    r"informal|detailed)\b.*|(?:answer|reply|respond|speak) .+)",
    re.IGNORECASE,
)


def taste(text: str, quote: str) -> Iterator[Fact]:
    """One preference, diet, allergy or habit a clause."""
    found = _about_replies(text) or _health(text) or _liking(text) or _habit(text)
    if found:
        yield found


def _about_replies(text: str) -> Fact | None:
    wants = _WANTS.search(text)
    told = _REPLIES.match(text) if _STANDING.search(text) else None
    if wants:
        said = wants["what"]
    elif told:
        how = (told["how"] or "").lower()
        negative = how.startswith(("never", "don", "do not"))
        often = "never " if negative else "always " if how == "always" else ""
        said = f"{often}{told['verb'].lower()} {told['what']}"
    else:
        return None
    said = re.sub(r"\byour\b", "its", third_person(said))
    content = sentence(f"The user wants the assistant to {said}")
    about = topic(said)
    return Fact(
        content=content,
        memory_type="user_profile",
        subject=f"user.preference.replies.{about}",
        importance=8,
    )


def _health(text: str) -> Fact | None:
    if match := _HEALTH.search(text):
        return _profile(text, match, "user.health" if match["ill"] else "user.allergy", 8)
    if match := _DIET.search(text):
        return _profile(text, match, "user.diet", 8)
    if match := _TRAIT.search(text):
        return _profile(text, match, f"user.trait.{slug(match['trait'] or match['trait2'])}", 5)
    if match := _SPEAKS.search(text):
        return _profile(text, match, "user.languages", 6)
    return None


def _liking(text: str) -> Fact | None:
    if match := _FAVOURITE.search(text):
        return _profile(text, match, f"user.preference.favourite_{slug(match['thing'])}", 8)
    if match := _STRONG.search(text):
        return _profile(text, match, f"user.preference.{topic(match['what'])}", 8)
    if match := _MILD.search(text):
        return _profile(text, match, f"user.preference.{topic(match['what'])}", 4)
    return None


def _habit(text: str) -> Fact | None:
    match = _HABIT.search(text)
    if (
        match
        and match["verb"].lower() not in _NO_HABIT
        and not match["verb"].lower().endswith("ed")
    ):
        return _profile(
            text,
            match,
            f"user.preference.{topic(match['what'])}",
            8 if match["how"].lower() in ("always", "never") else 5,
        )
    if match := _EVERY.search(text):
        return _profile(text, match, f"user.habit.{slug(match[0][2:])}", 5)
    return None


def _profile(text: str, match: re.Match[str], subject: str, importance: int) -> Fact | None:
    """The clause from the match on, unless it is too long to be one."""
    said = text[match.start() :]
    if len(said.split()) > 28 or _BARE_THE.search(said):
        return None
    return Fact(
        content=sentence(third_person(said)),
        memory_type="user_profile",
        subject=subject,
        importance=importance,
    )
