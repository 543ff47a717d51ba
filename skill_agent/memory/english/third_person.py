"""First-person English made third-person: "I hate my job" becomes "the user hates the user's job".

Word rules, good for the short clauses memories are made of; not a grammar.
"""

import re

from .word_list import word_list

IRREGULAR_PAST = word_list(
    """
    was were had did went got came saw met bought sold left took gave made told said began broke
    brought built chose ate fell found flew forgot knew lost ran sent slept spent spoke taught
    thought wrote won became heard kept paid quit grew drove rode drew felt held led sang sat
    stood swam wore woke hid shot stuck swore understood put cut set let hit hurt cost bet
    caught fought froze gotten used dealt dreamt learnt burnt moved
    """
)
_MODALS = frozenset(
    ["can", "could", "will", "would", "should", "must", "may", "might", "cannot", "shall", "ought"]
)
_ADVERBS = word_list(
    """
    always never usually often really also just currently still now sometimes mostly normally
    generally typically rarely absolutely actually only even both all first then finally
    recently already mainly basically definitely truly simply occasionally personally strongly
    genuinely hardly barely probably kinda
    """
)
_CONTRACTED = (
    (r"\bI[’']?m\b", "the user is"),
    (r"\bI am\b", "the user is"),
    (r"\bI[’']ve\b", "the user has"),
    (r"\bI have\b", "the user has"),
    (r"\bI[’']d (?=rather|like|love|prefer|be|have|go|say)", "the user would "),
    (r"\bI[’']d\b", "the user had"),
    (r"\bI[’']ll\b", "the user will"),
    (r"\bI (?:do not|don[’']?t)\b", "the user does not"),
    (r"\bI (?:cannot|can[’']?t)\b", "the user cannot"),
    (r"\bI (?:did not|didn[’']?t)\b", "the user did not"),
    (r"\bI (?:will not|won[’']?t)\b", "the user will not"),
    (r"\bwe[’']re\b", "{we} are"),
    (r"\bwe[’']ve\b", "{we} have"),
    (r"\bwe[’']ll\b", "{we} will"),
    (r"\bwe[’']d (?=rather|like|love|prefer|be|have|go|say)", "{we} would "),
    (r"\bwe[’']d\b", "{we} had"),
    (r"\b(?:am|is) I\b", "is the user"),
    (r"\bmyself\b", "themselves"),
    (r"\bmine\b", "the user's"),
    (r"\bmy\b", "the user's"),
    (r"\b(?:our|ours)\b", "{our}"),
    (r"\bme\b", "the user"),
    (r"\bus\b", "{us}"),
)
_SUBJECT = re.compile(
    rf"\b(?P<who>I|we)\s+(?P<adverbs>(?:(?:{'|'.join(sorted(_ADVERBS))}|no longer|(?!rely|apply|"
    rf"fly)\w+ly) )*)"
    r"(?P<verb>[\w’']+)"
)


def third_person(text: str, *, group: str = "the user and others") -> str:
    """The clause about "the user"; `group` stands for "we"."""
    text = re.sub(r"\bi\b(?=[ ’'])", "I", text)
    text = re.sub(r"\bWe\b", "we", text)
    for pattern, replacement in _CONTRACTED:
        said = replacement.format(we=group, our=_possessive(group), us=group)
        text = re.sub(pattern, said, text, flags=re.IGNORECASE)
    text = _SUBJECT.sub(lambda match: _agreed(match, group), text)
    text = re.sub(r"\bI\b", "the user", text)
    text = re.sub(r"\bwe\b", group, text)
    return re.sub(r"(?<=the user)(.*?)\bthe user's\b", _their, text)


def _their(match: re.Match[str]) -> str:
    return f"{match[1]}their"


_WORK = re.compile(
    r"\b(?:deploy\w*|services?|team|squad|releases?|database|api|sprints?|clients?|customers?|"
    r"projects?|staging|production|code\w*|repo\w*|offsite|migrat\w*|backend|frontend|servers?|"
    r"pipeline|stack|launch\w*|ship\w*|product|company|office|stand-?up|backlog|tests?|ci|cluster|"
    r"postgres\w*|kafka|aws|python|rust|typescript|react|docker|kubernetes|git\w*|data|users|"
    r"roadmap|budget|deadline|vendor|framework|library|logs?|billing|dashboard|on-call|incident|"
    r"app|website|mysql|redis|mongo\w*|fastapi|django)\b",
    re.IGNORECASE,
)


def group(text: str) -> str:
    """Who "we" is: the team where work is spoken of, else the user and whoever is with them."""
    return "the user's team" if _WORK.search(text) else "the user and others"


def speaks_in_first_person(text: str) -> bool:
    return bool(re.search(r"\b(?:I|I[’']m|my|me|mine|myself|we|our|us)\b", text))


def conjugated(verb: str) -> str:
    """The third person singular of a verb; past forms and modals stay."""
    low = verb.lower()
    if low in IRREGULAR_PAST or low in _MODALS or is_past(low):
        return verb
    special = {"have": "has", "do": "does", "am": "is", "are": "is", "be": "is", "go": "goes"}
    if low in special:
        return special[low]
    if re.search(r"(?:s|x|z|ch|sh|o)$", low):
        return f"{verb}es"
    if re.search(r"[^aeiou]y$", low):
        return f"{verb[:-1]}ies"
    return f"{verb}s"


def is_past(verb: str) -> bool:
    if verb.startswith(("mis", "re", "over", "under")) and (
        re.sub("^(?:mis|re|over|under)", "", verb) in IRREGULAR_PAST | {"read"}
    ):
        return True
    return verb.endswith("ed") and verb not in ("need", "feed", "speed", "breed", "bleed", "seed")


def _possessive(group: str) -> str:
    return "the user's" if group == "the user and others" else "the team's"


def _agreed(match: re.Match[str], group: str) -> str:
    """The subject with the verb, which may stand behind adverbs."""
    alone = match["who"] == "I"
    who = "the user" if alone else group
    verb = conjugated(match["verb"]) if alone or not group.endswith("others") else match["verb"]
    return f"{who} {match['adverbs']}{verb}"
