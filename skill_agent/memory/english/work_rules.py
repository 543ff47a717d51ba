"""Decisions, deadlines, facts of projects, tools, events and procedures in what people say."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime

from .fact import Fact, sentence
from .subjects import slug, topic
from .third_person import group, third_person
from .when import find_times

_TEAM = "the user's team"
_TODAY = datetime(2026, 1, 15, tzinfo=UTC)
"""Any day will do to ask whether a text names a time."""


def names_time(text: str) -> bool:
    return bool(find_times(text, _TODAY))


def _told(text: str) -> str:
    return sentence(third_person(text, group=group(text)))


# -- decisions ---------------------------------------------------------------------------------

_DECIDED = re.compile(
    r"\b(?:we|I)(?:[’']ve| have| had)?\s+(?:all |finally |just |now |also |both )*"
    r"(?:decided|agreed|chose|chosen|settled on|opted|picked|selected|went with|committed to)\s+"
    r"(?!(?:that it|it\b|this\b|with you))(?P<what>.+)",
    re.IGNORECASE,
)
_GOING_WITH = re.compile(
    r"\b(?:let[’']s (?:go with|use|stick (?:with|to)|switch to|settle on|adopt|keep)|"
    r"(?:we|I)(?:[’']re| are|[’']m| am) (?:going|sticking|staying) with|"
    r"(?:we|I)(?:[’']ll| will) (?:go with|stick with|use|switch to|adopt)|"
    r"(?:the|our) (?:final )?decision is(?: to| that)?)\s+"
    r"(?!(?:it|this|that|these|those|your?|the (?:first|second|same|above|"
    r"following))\b)(?P<what>.+)",
    re.IGNORECASE,
)


_POINTING = re.compile(r"\b\w+ (?:it|this|that|them|these|those)\b(?! \w+ing)", re.IGNORECASE)


def decision(text: str) -> Fact | None:
    match = _DECIDED.search(text) or _GOING_WITH.search(text)
    if match is None or len(text.split()) > 30 or _POINTING.search(match["what"]):
        return None
    said = re.sub(r"^let[’']s ", "we decided to ", text[match.start() :], flags=re.IGNORECASE)
    return Fact(
        content=_told(said),
        memory_type="episodic",
        subject=f"project.decision.{topic(match['what'])}",
        importance=7,
    )


# -- deadlines and dates -----------------------------------------------------------------------

_DATED = re.compile(
    r"\b(?P<whose>the|our|my|a|an)\s+(?P<thing>(?:[\w’'-]+\s+){0,4}?(?:deadline|due date|launch|"
    r"release|demo|"
    r"exam|interview|wedding|flight|presentation|meeting|appointment|go-live|conference|trip|"
    r"review|audit|party|surgery|defen[cs]e|move|kick-?off|retro|rent|report|renewal|holiday|"
    r"vacation|concert|marathon|race|anniversary|graduation|train|workshop|milestone|sprint|"
    r"submission|hackathon|contract|lease|visa|freeze)(?:\s+(?:for|of|with|to|at|"
    r"in)\s+[^,.]{2,40}?)?)\s+"
    r"(?:is|are|was|will be|has been|got|gets|has|had|starts|begins|ends|expires|takes place|"
    r"[’']s)\b(?P<rest>.+)",
    re.IGNORECASE,
)
_DUE = re.compile(
    r"^(?P<thing>(?:the|our|my)\s.{2,50}?)\s+(?:is|are)(?: now)? due\b.+", re.IGNORECASE
)
_MUST_BY = re.compile(
    r"\b(?:we|I) (?:need to|have to|must|should|plan to|want to|are supposed to)\s+(?:ship|"
    r"deliver|launch|"
    r"finish|release|submit|complete|deploy|hand in|send|present|migrate)\b.*\b(?:by|before|on|"
    r"until|in)\b.+",
    re.IGNORECASE,
)
_LAUNCHES = re.compile(
    r"\b(?:we|I)(?:[’']re| are|[’']ll| will)?\s+(?:launch|ship|release|go live|deliver|"
    r"present)(?:ing)?\b.*",
    re.IGNORECASE,
)


def dated(text: str) -> Fact | None:
    """A deadline or an appointment; nothing without a time in it."""
    if not names_time(text) or len(text.split()) > 30:
        return None
    if match := _DATED.search(text):
        thing, said = match["thing"], text[match.start() :]
    elif (match := _DUE.search(text)) or (
        match := (_MUST_BY.search(text) or _LAUNCHES.search(text))
    ):
        thing, said = "deadline", text
    else:
        return None
    ours = match.groupdict().get("whose", "").lower() != "my"
    deadline = bool(
        re.search(r"\b(?:deadline|due|launch|release|go-live|milestone)\b", thing, re.I)
    )
    subject = "project.deadline" if deadline and ours else f"user.event.{slug(thing)}"
    return Fact(
        content=_told(said),
        memory_type="semantic" if deadline else "episodic",
        subject=subject,
        importance=6,
    )


# -- facts of projects -------------------------------------------------------------------------

_SECRET = re.compile(
    r"\b(?:password|passphrase|api key|secret|private key|pin code|credit card|ssn)\b", re.I
)
_THING = (
    r"(?:the|our|my)\s+(?:[\w.-]+\s+){0,3}?(?:project|app|application|backend|back end|frontend|"
    r"front end|"
    r"api|service|site|website|system|database|db|server|pipeline|stack|codebase|repo|repository|"
    r"production|staging|ci|tests|team|company|startup|product|cluster|budget|build|platform|bot|"
    r"game|library|package|tool|code|cli|data|queue|cache|monorepo|deployment|infrastructure|"
    r"queue|logs?|docs|documentation|schema|sprints?|standup|stand-up|client|customer|thesis|"
    r"paper|shop|store|office|laptop|phone|car|bike|house|garden)"
)
_FACT = re.compile(
    rf"^(?P<thing>{_THING}|production|staging|prod)\s+(?:now |currently |also |mainly |still )*"
    r"(?P<verb>uses?|runs?|is written|are written|is built|is hosted|are hosted|is deployed|"
    r"deploys?|"
    r"depends? on|relies on|lives?|stores?|is called|is named|consists? of|has|have|supports?|"
    r"must|needs? to|has to|should|is|are|costs|talks to|sits)\s+(?P<what>.+)$",
    re.IGNORECASE,
)
_WE_USE = re.compile(
    r"\b(?:we|our team|my team)(?:[’']re| are)?\s+(?:now |currently |all |mainly |mostly |only |"
    r"also |still )*"
    r"(?:use|using|run|running on|deploy|deploying|host|write|develop|store|track|built|"
    r"build)\s+(?:on |with |to |in |everything |our |all )*"
    r"(?!(?:it|this|that|these|those|you|the same|a lot)\b)(?P<what>.+)",
    re.IGNORECASE,
)
_DULL_FACT = re.compile(
    r"^(?:not )?(?:broken|down|failing|slow|fine|ok|okay|good|bad|great|working|done|ready|wrong|"
    r"crashing|"
    r"green|red|weird|a mess|stuck|empty|missing|below|attached|here|above|there|this|that|"
    r"an? (?:bug|issue|problem|error)|"
    r"no |some |to |going|still|returning|throwing|giving|just|really|so|very|too|nice|cool)\b",
    re.IGNORECASE,
)
_SWITCHED = re.compile(
    r"\b(?P<who>we|I)(?:[’']ve| have)?\s+(?:just |recently |finally |now |all |completely )*"
    r"(?:switched|migrated|moved|changed|upgraded)\s+(?:everything |it all |over |our \w+ |"
    r"the \w+ |my \w+ )?(?:from\s+(?P<old>.+?)\s+)?to\s+"
    r"(?!(?:it|this|that|a new|the new)\b)(?P<new>.+)",
    re.IGNORECASE,
)
_MY_TOOL = re.compile(
    r"\bI(?:[’']m| am)?\s+(?:now |currently |also |mainly |mostly |still )*(?:use|using|code in|"
    r"write (?:my \w+ )?in|"
    r"develop in|program in|type on|drive|own|ride|work on a|run)\s+"
    r"(?!(?:it|this|that|these|those|them|your?|to|the (?:same|following|command|script)|into|out|"
    r"a lot|something|some)\b)(?P<what>.+)",
    re.IGNORECASE,
)
_WORKING_ON = re.compile(
    r"\b(?P<who>I|we)(?:[’']m| am|[’']re| are|[’']ve been| have been)?\s+(?:now |currently |also |"
    r"mainly |mostly )*"
    r"(?P<verb>working on|work on|building|developing|writing|learning|studying|maintain|"
    r"maintaining|training for|"
    r"renovating|reading|preparing for|saving (?:up )?for|running|organi[sz]ing|teaching myself)\s+"
    r"(?!(?:it|this|that|these|those|them|something|on it|the (?:same|following|tests?|command|"
    r"script))\b)(?P<what>.+)",
    re.IGNORECASE,
)
_NUMBERS = re.compile(
    r"^(?:there are (?P<n>\w+) of us|we(?:[’']re| are) (?:a team of )?(?P<m>\w+) (?:people|"
    r"engineers|developers|persons)|"
    r"we have \w+ (?:[\w-]+ ){0,2}(?:people|engineers|developers|customers|users|employees|"
    r"servers|services|offices|clients))\b.*",
    re.IGNORECASE,
)


def project(text: str) -> Fact | None:
    """What a project or a team is, uses or is made of."""
    if _SECRET.search(text) or len(text.split()) > 28:
        return None
    if match := _SWITCHED.search(text):
        return _switched(text, match)
    if match := _FACT.match(text):
        return _thing_fact(text, match)
    if match := _WE_USE.search(text):
        return Fact(
            content=_told(text[match.start() :]),
            memory_type="semantic",
            subject=_project_subject(match["what"]),
            importance=5,
        )
    if match := _NUMBERS.match(text):
        said = re.sub(r"^there are (\w+) of us", r"we are \1 people", text, flags=re.IGNORECASE)
        return Fact(
            content=_told(said), memory_type="semantic", subject="project.team", importance=5
        )
    return None


def _thing_fact(text: str, match: re.Match[str]) -> Fact | None:
    what, thing, verb = match["what"], match["thing"].lower(), match["verb"].lower()
    plain = verb in ("is", "are", "has", "have", "must", "should")
    if plain and (_DULL_FACT.match(what) or len(what.split()) > 16):
        return None
    if verb in ("must", "should", "needs to", "need to", "has to") and not re.match(
        r"our|the (?:app|api|site|system|service|product)", thing
    ):
        return None
    named = verb in ("is called", "is named")
    needed = verb in ("must", "needs to", "need to", "has to", "should")
    subject = (
        "project.name"
        if named
        else "project.requirement"
        if needed
        else _thing_subject(thing, what)
    )
    importance = 6 if needed or "budget" in thing else 5
    return Fact(content=_told(text), memory_type="semantic", subject=subject, importance=importance)


def _thing_subject(thing: str, what: str) -> str:
    last = slug(thing.split()[-1]) or "fact"
    if last in ("database", "db"):
        return "project.database"
    if last in ("production", "prod"):
        return "project.production"
    if last in ("laptop", "phone", "car", "bike", "house", "garden"):
        return f"user.{last}"
    about = topic(what)
    return f"project.{about}" if about in ("database", "hosting") else f"project.{last}"


def _project_subject(what: str) -> str:
    about = topic(what)
    return (
        f"project.{about}"
        if about in ("database", "hosting", "framework")
        else f"project.tool.{slug(what)}"
    )


def _switched(text: str, match: re.Match[str]) -> Fact | None:
    """ "We moved from X to Y"; where somebody lives is another rule's."""
    own = match["who"].lower() == "i"
    if own and re.search(r"\bmoved\b", match[0]):
        return None
    if not match["old"] and not re.search(r"switched|migrated|upgraded", match[0], re.IGNORECASE):
        return None
    about = topic(match["new"])
    subject = f"user.preference.{about}" if own else _project_subject(match["new"])
    return Fact(
        content=_told(text[match.start() :]), memory_type="semantic", subject=subject, importance=6
    )


def occupied(text: str) -> Fact | None:
    """Tools somebody uses and what they work on."""
    if _SECRET.search(text) or len(text.split()) > 26:
        return None
    if match := _WORKING_ON.search(text):
        kind = "learning" if re.search("learn|stud|teach", match["verb"], re.I) else "project"
        return Fact(
            content=_told(text[match.start() :]),
            memory_type="semantic",
            subject=f"user.{kind}",
            importance=5,
        )
    if (match := _MY_TOOL.search(text)) and not re.search(r"\b(?:tried|trying|error)\b", text):
        about = topic(match["what"])
        known = about in ("editor", "language", "database", "hosting", "framework")
        subject = f"user.tool.{about if known else slug(match['what'])}"
        return Fact(
            content=_told(text[match.start() :]),
            memory_type="semantic",
            subject=subject,
            importance=5,
        )
    return None


# -- events and plans --------------------------------------------------------------------------

_LIFE = re.compile(
    r"\b(?P<who>I|we)(?:[’']ve| have)?\s+(?:just |finally |recently |also |both |officially )*"
    r"(?:(?:quit|left|lost|resigned from) my \w+|got (?:promoted|married|engaged|divorced|"
    r"laid off|fired|hired|"
    r"accepted|a promotion|an? (?:new )?(?:job|offer|dog|cat|puppy|kitten|car|bike|house|tattoo|"
    r"visa))|was promoted|retired|graduated|adopted|"
    r"bought (?:a|an|my|our|new)\b|sold (?:my|our)|broke my|sprained|passed (?:my|the)|"
    r"failed (?:my|the)|"
    r"published|won\b|ran (?:a|my) (?:first )?(?:half[- ])?marathon|started (?:a new|my|learning|"
    r"running|therapy|a company|"
    r"university|college)|finished (?:my|the|a)|became an?\b|became the\b|had surgery|"
    r"stopped \w+ing|gave up\b|"
    r"signed (?:up for|a|the)|hired|launched|shipped|released|lost my\b).*",
    re.IGNORECASE,
)
_DONE = re.compile(
    r"\b(?P<who>I|we)(?:[’']ve| have)?\s+(?:just |finally |recently |also |both )*"
    r"(?P<verb>went|visited|met|saw|flew|drove|travell?ed|moved|attended|watched|read|hiked|ran|"
    r"had|took|started|"
    r"finished|joined|left|bought|sold|got|celebrated|gave|presented|launched|shipped|released|"
    r"deployed|signed|hired|"
    r"painted|planted|cooked|baked|built|fixed|closed|opened|made|spent|spoke|stayed|returned|"
    r"came back|won|lost)\s+\S.*",
    re.IGNORECASE,
)
_PLANNED = re.compile(
    r"\b(?P<who>I|we)(?:[’']m| am|[’']re| are|[’']ll| will| have|[’']ve got)?\s+(?:also |all |"
    r"both |probably )*"
    r"(?P<verb>going to|planning (?:to|on|a)|plan to|will|flying|fly|leaving|leave|travell?ing|"
    r"moving|starting|start|getting|"
    r"visiting|taking|running|hosting|meeting|presenting|seeing|having|attending|giving|driving|"
    r"be|a|an|my|booked|expecting|hope to|want to|intend to|need to|have to)\s+\S.*",
    re.IGNORECASE,
)
_MOVING = re.compile(
    r"\bI(?:[’']m| am) (?:going to )?(?:mov(?:e|ing)|relocat(?:e|ing)) to\s+[A-Z].*"
)
_SESSION = re.compile(
    r"\b(?:error|exception|stack ?trace|traceback|the (?:code|script|command|tests?|output|file|"
    r"logs?|above|bug|answer|"
    r"question)|this (?:code|script|error|issue|problem|morning's question)|your|it to work|"
    r"confused|stuck|a problem|an issue|a question|"
    r"look at (?:it|this)|you)\b",
    re.IGNORECASE,
)


def event(text: str) -> Fact | None:
    """What happened or is planned: big enough to matter, or with its time."""
    if _SESSION.search(text) or not 3 <= len(text.split()) <= 30:
        return None
    timed = names_time(text)
    match = _MOVING.search(text) or _LIFE.search(text)
    if match is None and timed:
        match = _DONE.search(text) or _PLANNED.search(text)
    if match is None:
        return None
    if re.search(r"\bI[ ’'][\w’']+ \w+ (?:is|are)\b", text):
        return None  # "one thing I won't touch is …": not what the match takes it for
    said = text if timed else text[match.start() :]
    return Fact(
        content=_told(said), memory_type="episodic", subject=None, importance=5, confidence=0.8
    )


# -- procedures --------------------------------------------------------------------------------

_STEPS = re.compile(
    r"^(?:to \w+[^,]{0,60},\s+(?:you |we |I )?(?:first|run|use|do|set|open|start|type|call|check|"
    r"merge|tag|push|build|go|always|need|have)\b|"
    r"(?:the|our|my) (?:process|procedure|workflow|routine|steps?|recipe|checklist|"
    r"release process)(?: (?:for|to|of) [^:]{2,50}?)?(?: is|:)|"
    r"(?:before|after|whenever|every time) (?:each |every |we |I |a |any |"
    r"you )[^,]{2,60},\s+(?:we|I|you|always|run|do)\b)",
    re.IGNORECASE,
)
_GOES_ON = re.compile(
    r"^(?:then|next|after that|afterwards|finally|lastly|second|third|and then)\b", re.I
)


def procedure(text: str, quote: str, following: tuple[str, ...]) -> Fact | None:
    """ "To deploy, first … then …", with the sentences that go on with it."""
    if not _STEPS.match(quote) or _SECRET.search(quote):
        return None
    steps = [quote]
    for one in following:
        if not _GOES_ON.match(one):
            break
        steps.append(one)
    said = " ".join(sentence(third_person(step, group=_TEAM)) for step in steps)
    about = re.search(
        r"\b(?:to|for|of|before|after|whenever|every time)\s+(?:each |every |we |I |a |"
        r"any )?([^,]{2,40})",
        quote,
        re.I,
    )
    return Fact(
        content=said,
        memory_type="procedural",
        subject=f"procedure.{slug(about[1]) if about else 'other'}",
        importance=5,
    )


_ENDED = re.compile(
    r"\bI(?:[’']m| am)? no longer (?P<verb>\w+)\s*(?P<what>.*)|\bI (?:don[’']t|"
    r"do not) (?P<verb2>\w+)\s+(?P<what2>.*?)\s+any ?more\b",
    re.I,
)


def ended(text: str) -> Fact | None:
    """ "I no longer live in Rome": the negation, under the subject of what it ends."""
    match = _ENDED.search(text)
    if match is None:
        return None
    verb = (match["verb"] or match["verb2"]).lower()
    what = match["what"] or match["what2"] or ""
    subject = {
        "live": "user.location",
        "living": "user.location",
        "work": "user.company",
        "working": "user.company",
    }.get(verb)
    return Fact(
        content=_told(text[match.start() :]),
        memory_type="user_profile",
        subject=subject or f"user.preference.{topic(f'{verb} {what}')}",
        importance=7,
    )


def work_facts(text: str, quote: str, following: tuple[str, ...]) -> Iterator[Fact]:
    """The first of these rules that reads something in the clause."""
    found = (
        ended(text)
        or procedure(text, quote, following)
        or decision(text)
        or dated(text)
        or project(text)
        or occupied(text)
        or event(text)
    )
    if found:
        yield found
