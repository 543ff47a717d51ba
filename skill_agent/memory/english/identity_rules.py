"""Facts about a person in the clauses they say: who they are and where they live.

A rule gives nothing rather than something doubtful.
"""

import re
from collections.abc import Iterator

from .fact import NAME, Fact, profile, sentence
from .third_person import third_person
from .word_list import word_list

_NO_NAME = word_list(
    """
    I Not No Sure Sorry Fine Happy Good Great Ok Okay Here Back Trying Looking Working Using New
    Just Still Very So The A An My Your This That It Also Well Monday Tuesday Wednesday Thursday
    Friday Saturday Sunday English Christian Muslim Jewish Hindu Buddhist Catholic
    """
)
_NATION = re.compile(
    r"(?:ish|ese|ench|wegian|erman|utch|wiss|reek|talian|ussian|ndian|razilian|exican|merican|"
    r"anadian|ustralian|krainian|omanian|ungarian|elgian|ustrian|strian|uropean|sian|frican)$"
)
_GREETED = re.compile(r"^(?:\W*(?:hi|hello|hey|good (?:morning|evening|afternoon))\b)", re.I)


def name(text: str, quote: str) -> Iterator[Fact]:
    """ "My name is Ada", "call me Ada"; "I'm Ada" only after a greeting or before a role."""
    patterns = [
        rf"\b(?i:my (?:full |first |real )?name(?:[’']s| is)|I[’']m called|I go by|(?:you can |"
        rf"please "
        rf"|just )?call me|(?:people|friends|everyone|everybody) calls? me)\s+{NAME}",
        rf"^{NAME} (?:here|checking in|speaking)\b",
        rf"\b(?i:name (?:on|for|in) [\w ]{{2,20}}?(?: is|:)) {NAME}",
    ]
    if _GREETED.match(quote):
        patterns.append(
            rf"^(?i:I[’']m|I am|it[’']s|this is)\s+{NAME}(?=$|,|\.| from\b| and (?:I|my)\b)"
        )
    patterns.append(
        rf"^(?i:I[’']m|I am)\s+{NAME},\s+(?:an?|the|your|from|nice to|pleased to|good to)\s"
    )
    for pattern in patterns:
        match = re.search(pattern, text)
        if match and match["name"].split()[0] not in _NO_NAME and not _NATION.search(match["name"]):
            who = match["name"].rstrip(".")
            yield profile(f"The user's name is {who}.", "user.name", 9)
            return


_TRADES = (
    r"engineer|developer|programmer|designer|teacher|nurse|doctor|physician|surgeon|dentist|vet|"
    r"manager|analyst|scientist|student|lawyer|attorney|architect|consultant|writer|editor|"
    r"journalist|researcher|professor|lecturer|chef|cook|baker|barista|waiter|waitress|driver|"
    r"pilot|mechanic|electrician|plumber|carpenter|farmer|gardener|artist|musician|photographer|"
    r"translator|accountant|auditor|founder|co-founder|ceo|cto|cfo|coo|director|officer|lead|"
    r"administrator|admin|sysadmin|technician|therapist|psychologist|pharmacist|biologist|"
    r"chemist|physicist|mathematician|economist|librarian|salesperson|recruiter|freelancer|"
    r"contractor|intern|apprentice|paramedic|firefighter|soldier|tester|owner|planner|coach|"
    r"trainer|instructor|midwife|carer|illustrator|animator|producer|geologist|historian|"
    r"statistician|superintendent|supervisor|coordinator|specialist|advisor|adviser|assistant|"
    r"operator|strategist|marketer|entrepreneur|maintainer|tutor|veterinarian|postdoc|actuary|"
    r"beekeeper|florist|hairdresser|cardiologist|radiologist|paediatrician|pediatrician"
)
_PLACE_END = (
    r"(?=\s+(?:as|in|on|since|where|which|and|for|doing|with|now|from|at|since)\b|[,.;:(]|$)"
)
_COMPANY = (
    r"(?P<company>(?:the )?[A-Z0-9][\w&'’.-]*(?:\s+(?:of|and|&|for|the|"
    r"de)?\s*[A-Z0-9][\w&'’.-]*){0,4})"
)
_ROLE = re.compile(
    rf"\b(?:I[’']m|I am|I work(?:ed)? as|I work (?:at|for) [^,.]{{2,40}}? as|I[’']ve been|"
    rf"my (?:job|role|profession|job title) is)"
    rf"(?:\s+(?:currently|now|actually|also|working as|employed as|mainly))*\s+"
    rf"(?P<role>(?:an?\s+|the\s+)?(?:[\w/+&-]+\s+){{0,4}}?(?:{_TRADES})(?:\s+(?:of|"
    rf"for)\s+[\w ]{{2,24}}?)?)"
    rf"(?=\s+(?:at|in|with|from|by|on|who|working|based|and|for|since|here|living)\b|[,.;:(]|$)",
    re.IGNORECASE,
)
_HEAD = re.compile(
    r"\bI(?:[’']m| am) (?P<role>(?:the )?head of [\w ]{2,30}?)(?=\s+(?:at|in|for)\b|[,.;(]|$)", re.I
)
_LEADS = re.compile(
    r"\bI (?:now |currently |also )?(?P<verb>lead|run|manage|head|look after|own|supervise|"
    r"am in charge of|am "
    r"responsible for) (?P<what>(?:the|a|an|our) [\w& -]{2,40}?(?:team|squad|department|group|"
    r"division|unit|"
    r"crew|shop|business|company|practice|clinic|studio|farm|bakery|restaurant|agency|cafe|café|"
    r"lab|"
    r"store|school|site|branch)\b.*)",
    re.IGNORECASE,
)
_FIELD = re.compile(
    r"\bI (?:currently |now )?work in (?P<field>(?!an?\b|the\b|my\b)[a-z][\w -]{2,30}?)"
    r"(?=\s+(?:at|for|in|and|as)\b|[,.;(]|$)"
)
_WORKS_AT = re.compile(
    rf"\bI(?:\s+(?:now|currently|just|recently))*\s+(?:work(?:ing)?|joined|"
    rf"started(?: work(?:ing)?)?(?: a new job)?)"
    rf"(?:\s+as\s+[^,.]{{2,40}}?)?\s+(?:at|for|with|joined)\s+{_COMPANY}|\bI(?:[’']ve)? (?:just |"
    rf"recently )?joined "
    rf"{_COMPANY.replace('company', 'joined')}{_PLACE_END}|"
    rf"\bI(?:[’']m| am)\s+[^,.]{{3,40}}?\s(?:at)\s+{_COMPANY.replace('company', 'held')}|"
    rf"\bmy (?:company|employer) is (?:called )?{_COMPANY.replace('company', 'own')}"
)


def work(text: str, quote: str) -> Iterator[Fact]:
    """Role, field and employer."""
    if re.search(r"\b(?:used to|not an?|no longer|never)\b", text, re.IGNORECASE):
        return
    role = _ROLE.search(text) or _HEAD.search(text)
    if role and not re.search(
        r"\b(?:fan|lover|friend|big|huge|not|bit|to|with|seeing|my)\b", role["role"], re.I
    ):
        said = role["role"].strip()
        if re.fullmatch(r"(?:an?|the)?\s*(?:assistant|lead|owner|coach|vet|cook)", said, re.I) and (
            not re.search(r"\b(?:an?|the)\b", said)
        ):
            return
        yield profile(
            f"The user is {_with_article(said)}{_town(text[role.end() :])}.", "user.role", 9
        )
    elif leads := _LEADS.search(text):
        yield profile(sentence(third_person(text[leads.start() :])), "user.role", 9)
    elif field := _FIELD.search(text):
        yield profile(f"The user works in {field['field'].strip()}.", "user.role", 9)
    if at := _WORKS_AT.search(text):
        company = next(filter(None, (at["company"], at["joined"], at["held"], at["own"])))
        if company.split()[0] not in _NO_NAME:
            town = _town(text[at.end() :])
            yield profile(f"The user works at {company.rstrip('.')}{town}.", "user.company", 9)


def _town(rest: str) -> str:
    """ " in Ghent", where that follows at once."""
    town = re.match(rf" (?:in|from|near) {NAME}(?=$|[,.;]| and | where )", rest)
    return town[0] if town else ""


def _with_article(role: str) -> str:
    if re.match(r"(?:an?|the)\b", role, re.IGNORECASE) or re.match(
        r"(?:ceo|cto|cfo|coo|head)\b", role, re.I
    ):
        return role
    return f"{'an' if role[0].lower() in 'aeiou' else 'a'} {role}"


_PLACE = (
    r"(?P<place>(?!a\b|an\b|my\b|your\b|our\b|this\b|that\b|here\b|there\b|it\b|fear\b|peace\b|"
    r"constant\b|one\b|two\b)(?:the )?[\w'’.-]+(?:\s+(?:(?:of|de|la|upon|the|am)\b|"
    r"[A-Z][\w'’.-]*))*"
    r"(?:,\s*[A-Z][\w'’.-]*(?:\s+[A-Z][\w'’.-]*)*)*)"
)
_LIVES = re.compile(
    rf"\bI(?:[’']m| am)?(?:\s+(?:now|currently|just|still|actually|recently))*\s+"
    rf"(?:live|living|based|located|(?P<moved>moved|relocated))\s+(?:(?:down|over|up|back|out|"
    rf"here)\s+)?"
    rf"(?:from\s+[\w ,]+?\s+)?(?P<prep>in|to|near|outside)\s+{_PLACE}",
)
_HOME = re.compile(
    r"\b(?:my home ?town is|I(?:[’']m| am)?(?: originally| actually)? "
    r"(?:come |grew up |was born |was raised )?"
    rf"(?:from|in)) {_PLACE}"
)
_ZONE = re.compile(
    r"\b(?:my (?:local )?time ?zone is|I(?:[’']m| am) (?:on|in)|I (?:work|live) (?:on|in)|"
    r"my clock is)\s+(?:the\s+)?"
    r"(?P<zone>(?:UTC|GMT)\s*[+−-]?\s*\d{0,2}(?::\d\d)?|[A-Z]{2,4}T\b|[A-Z][a-z]+/[A-Z][A-Za-z_]+|"
    r"(?:[A-Z]\w+ ){1,3}(?=time(?: ?zone)?\b))"
)
_AGE = re.compile(
    r"^(?:I[’']m|I am)(?: now| already)? (?P<age>[1-9]\d)(?: years? old)?(?=$|,| and\b|\.)"
)
_TURNED = re.compile(
    r"\bI (?:just )?(?P<verb>turn(?:ed)?|will turn|am turning|[’']m turning) (?P<age>[1-9]\d)\b"
)
_BORN = re.compile(
    r"\b(?:my birthday is|I was born on|my birthday[’']s)\s+(?:on\s+)?"
    r"(?P<day>[^,;.]*\d[^,;.]*(?:, \d{4})?)",
    re.I,
)


def place_and_age(text: str, quote: str) -> Iterator[Fact]:
    """Where they live and come from, their time zone, age and birthday."""
    yield from _places(text)
    yield from _ages(text)


def _places(text: str) -> Iterator[Fact]:
    if (match := _LIVES.search(text)) and _is_place(match["place"], text):
        place = _place(match["place"])
        verb = (
            "moved to"
            if match["moved"]
            else f"lives {match['prep']}".replace("lives to", "lives in")
        )
        rest = text[match.end() :].strip(" ,") if match["moved"] else ""
        said = f"The user {verb} {place} {rest}" if _is_time(rest) else f"The user {verb} {place}"
        yield profile(sentence(said), "user.location", 8)
    elif (
        (match := _HOME.search(text))
        and match["place"][0].isupper()
        and _is_place(match["place"], text)
    ):
        verb = (
            "grew up in"
            if "grew up" in match[0]
            else "was born in"
            if "born" in match[0]
            else "is from"
        )
        kind = "birthplace" if "born" in match[0] else "hometown"
        yield profile(f"The user {verb} {_place(match['place'])}.", f"user.{kind}", 7)
    if match := _ZONE.search(text):
        yield profile(f"The user's time zone is {match['zone'].strip()}.", "user.timezone", 8)


def _ages(text: str) -> Iterator[Fact]:
    if match := _AGE.search(text):
        yield profile(f"The user is {match['age']} years old.", "user.age", 7)
    elif match := _TURNED.search(text):
        yield profile(sentence(third_person(text)), "user.age", 7)
    if match := _BORN.search(text):
        verb = "was born on" if match[0].startswith("I was") else "has their birthday on"
        yield profile(f"The user {verb} {match['day'].strip(' .')}.", "user.birthday", 7)


_NO_PLACE = re.compile(
    r"^(?:production|development|theory|practice|general|trouble|shape|love|charge|bed|python|rust|"
    r"java|go|meetings?|postgres\w*|mysql|react|vim|neovim|linux|windows|macos|aws|azure|docker|"
    r"kubernetes|git\w*|the (?:next|new|other|office|team|middle|process|mood|same|zone)|"
    r"monday|tuesday|wednesday|thursday|friday|saturday|sunday|january|february|march|april|may|"
    r"june|july|august|september|october|november|december|\d+)\b",
    re.IGNORECASE,
)


def _is_place(place: str, text: str) -> bool:
    return not _NO_PLACE.match(place) and "used to" not in text and "no longer" not in text


def _place(place: str) -> str:
    place = re.sub(
        r"\s+(?:now|right|currently|with|since|for|but|and|at|am|the|of)$", "", place.strip(" ,.")
    )
    return place if any(c.isupper() for c in place) else place.title()


def _is_time(text: str) -> bool:
    return bool(
        re.fullmatch(
            r"(?:just )?(?:in|on|last|this|two|three|a|an|\d+|yesterday|over|at|since|back|"
            r"from)\b[\w ,]{0,40}|yesterday",
            text,
            re.IGNORECASE,
        )
    )
