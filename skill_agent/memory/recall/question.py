"""What a question says beside its plain words: the times it speaks of and whom or what it names.

Also what tells a question or an order from a statement: people leave question marks away. Rules
only; how much anything weighs is `ranking`'s to say, and a question is never answered here.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache

from skill_agent.memory.words.likely import may_name_time
from skill_agent.memory.words.stemming import STOP_WORDS, stems, words
from skill_agent.memory.words.when import Moment, find_times
from skill_agent.text.scripts import SHORTENED
from skill_agent.values import IndexItem

_QUOTED = re.compile(r"[\"“«]([^\"”»]{2,60})[\"”»]|(?<!\w)['‘]([^'’]{2,60})['’](?!\w)")
_MENTION = re.compile(r"(?<!\w)[@#](\w[\w-]*)")
_TOKEN = re.compile(r"[^\W_][\w.-]*\w|[^\W_]")
_SENTENCE_END = re.compile(r"[.!?:]\s+$")
_DAY = timedelta(days=1)
_OWN = re.compile(
    r"(?<![(\[\w])(?:I(?! in\b)|my|me|mine|we|our|us|ours)\b(?!\s*[])(=+<>])", re.IGNORECASE
)
_MANNER = re.compile(
    r"\b(?:how|where) (?:do|can|could|should|would|might|must) (?:I|we)\b"
    r"|\bwhat (?:can|could|should|would|might) (?:I|we)\b"
    r"|\b(?:can|could|may|should) I (?:ask|have|get)\b"
    r"|\b(?:tell|give|show|help|teach|write|draw|make|find|explain(?: it)? to|sing|let) (?:me|us)\b"
    r"|\blet['’]?s\b|\bI(?:['’]d| would) (?:like|love)\b|\bI (?:want|need|wonder)\b",
    re.IGNORECASE,
)
"""Where people speak of themselves and ask for general knowledge."""
_TASK = re.compile(
    r"(?:please |can you |could you |would you |will you |hey,? |ok(?:ay)?,? |now )*(?:please )?"
    r"(?:write|draft|compose|create|generate|make|give me an?\b|tell me an?\b|translate|convert|"
    r"rephrase|rewrite|summari[sz]e|explain|describe|define|calculate|compute|sing|draw|fix|debug|"
    r"refactor|implement|solve|proofread|shorten|improve|imagine|pretend|"
    r"what(?:['’]s| is) the (?:difference between|square root|meaning of)|what causes|"
    r"how do(?:es)? an?\b|how do(?:es)? [\w-]+ works?|"
    r"who (?:discovered|invented|painted|wrote|composed|was the first)|"
    r"how many \w+ (?:are|has|have)|how (?:do|can|would) (?:I|you|we)|spell)\b",
    re.IGNORECASE,
)
"""How work on words begins, and what any encyclopaedia answers."""
_MONTHS = frozenset(
    stems(
        "January February March April May June July August September October November December "
        "Jan Feb Mar Apr Jun Jul Aug Sep Oct Nov Dec"
    )
)
_WHATEVER = frozenset(
    stems(
        "anything something everything event happen happened happening plan planned planning going "
        "come coming calendar schedule scheduled agenda appointment appointments up new know"
    )
)
"""Stems of a question that only asks what there is."""
_GREETING = re.compile(r"(?:hi|hello|hey|good \w+|thanks|thank you|bye)\b", re.IGNORECASE)
_GREETING_WORDS = 4
"""A greeting or thanks so short may end in a name."""
_POSSESSIVE = re.compile(r"['’]s\b")


_SMALL_TALK = frozenset(
    _TOKEN.findall(
        """
    afternoon again alright amazing appreciate awesome bye cheers cool course day done evening
    everything excellent exactly fantastic fine funny getting glad goodbye good got great guess
    haha happy hello helped helpful helps hey hi indeed interesting know later lol lot love lovely
    luck makes maybe meet morning much need never nice night now nothing oh ok okay perfect please
    problem really right see sense sleep soon sounds super sure talk thank thanks think today
    tomorrow understand understood very wait welcome well wonderful worked works wow yeah yep yes
        """
    )
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A question taken apart."""

    stems: tuple[str, ...]
    """Of all its words, each once."""
    quiet: frozenset[str] = frozenset()
    """Stems that only tell a time: an item need not have them to be about the question."""
    names: frozenset[str] = frozenset()
    """Stems of what it names: capitalised words, quoted phrases, mentions."""
    proper: frozenset[str] = frozenset()
    """The names that are not just words in quotes."""
    times: tuple[Moment, ...] = ()
    own: bool = False
    """About the asker's own affairs: what is remembered is about little else."""
    task: bool = False
    """Work on words or general knowledge: what is remembered seldom helps."""
    any_day: bool = False
    """Names a time and nothing else: whatever speaks of that time answers it."""
    zone: tzinfo | None = None
    """Whose days it speaks of."""


def read_question(text: str, now: datetime) -> Question:
    """Takes a question apart; days are those of `now`'s time zone."""
    times = find_times(text, now)
    timed = [stem for moment in times for stem in stems(text[slice(*moment.span)])]
    rest = text
    for moment in reversed(times):
        start, end = moment.span
        rest = f"{rest[:start]} {rest[end:]}"
    proper = frozenset(stems(" ".join(_named(rest))))
    quoted = " ".join(one or two for one, two in _QUOTED.findall(rest))
    own = bool(_OWN.search(_MANNER.sub(" ", text)))
    open_ended = bool(times) and all(word in _WHATEVER for word in stems(rest))
    if open_ended:
        times += [later for one in times if (later := _next_year(one))]
    # Where nothing else is asked about, a weekday is; months stand in the date of every line.
    quiet = frozenset(stem for stem in timed if not open_ended or _dates(stem))
    return Question(
        stems=tuple(dict.fromkeys(stems(text))),
        quiet=quiet - frozenset(stems(rest)),
        own=own,
        task=not own and bool(_TASK.match(text.strip())),
        any_day=open_ended,
        names=proper | frozenset(stems(quoted)),
        proper=proper,
        times=tuple(times),
        zone=now.tzinfo,
    )


def _dates(stem: str) -> bool:
    return stem in _MONTHS or any(letter.isdigit() for letter in stem)


def _next_year(asked: Moment) -> Moment | None:
    """ "In March" is read as the one that has been; plans speak of the next."""
    if asked.fixed or asked.grain != "month":
        return None
    start, end = (day.replace(year=day.year + 1) for day in (asked.start, asked.end))
    return replace(asked, start=start, end=end)


def is_small_talk(text: str) -> bool:
    """Whether a message only greets, thanks or agrees: nothing remembered answers it."""
    said = words(text)
    if any(mark in text for mark in MARKS):
        return False
    unknown = [one for one in said if one not in _SMALL_TALK and one not in STOP_WORDS]
    greeted = len(unknown) == 1 and unknown[0] == said[-1] and len(said) <= _GREETING_WORDS
    return not unknown or (greeted and bool(_GREETING.match(text)))


def _named(text: str) -> list[str]:
    """Mentions, and words written like names.

    The first word of a sentence is one only as a possessive or before another such word: there
    every word has a capital.
    """
    found: list[str] = _MENTION.findall(text)
    tokens = list(_TOKEN.finditer(text))
    for place, token in enumerate(tokens):
        word = token[0]
        if not _like_a_name(word):
            continue
        if place == 0 or _SENTENCE_END.search(text[: token.start()]):
            after = tokens[place + 1][0] if place + 1 < len(tokens) else ""
            if not (_POSSESSIVE.match(text, token.end()) or _like_a_name(after)):
                continue
        found.append(word)
    return found


def _like_a_name(word: str) -> bool:
    """Written with a capital or with letters and digits together, and no ordinary little word."""
    mixed = any(c.isdigit() for c in word) and any(c.isalpha() for c in word)
    return (word[:1].isupper() or mixed) and not STOP_WORDS.issuperset(words(word))


def speaks_of(item: IndexItem, times: Sequence[Moment], zone: tzinfo | None = UTC) -> bool:
    """Whether an item's own words name a day within one of these times.

    A stretch longer than the one asked about says nothing of it: "in 2026" is not "last week". What
    it calls today is a day of the zone.
    """
    if not may_name_time(item.text):
        return False
    return any(
        asked.start < told.end and told.start < asked.end
        and told.end - told.start <= max(asked.end - asked.start, _DAY)
        for told in _told(item.text, item.created_at, zone)
        for asked in times
    )  # fmt: skip


@lru_cache(maxsize=4096)
def _told(text: str, moment: datetime, zone: tzinfo | None) -> tuple[Moment, ...]:
    # One moment of two zones is one key.
    return tuple(find_times(text, moment.astimezone(zone)))


_POLITE = (
    r"(?:please |can you |could you |would you |will you |now |then |and |but |ok(?:ay)?,? |so |"
    r"hey,? |hi,? |hello,? |also |kindly |just )*"
)
_REQUEST = re.compile(
    rf"{_POLITE}(?:please )?(?:tell|show|list|give|explain|describe|summari[sz]e|translate|write|"
    r"draft|compose|create|generate|make|find|search|look up|calculate|compute|compare|convert|"
    r"rephrase|rewrite|remind|repeat|recommend|suggest|help|say|name|define|answer|sing|draw|check|"
    r"fix|debug|refactor|implement|solve|proofread|shorten|improve|edit|outline|brainstorm|"
    r"pretend|imagine)\b",
    re.IGNORECASE,
)
"""How a sentence begins that asks for something without a question mark."""
_SUBJECT = r"(?:I|we|you|he|she|it|they|there|one|somebody|someone|anybody|anyone)\b"
_DOES = (
    r"(?:is|are|am|was|were|do|does|did|can|could|shall|should|will|would|may|might|must|has|have|"
    r"had|isn['’]?t|aren['’]?t|don['’]?t|doesn['’]?t|didn['’]?t|can['’]?t|won['’]?t)\b"
)
_QUESTION = re.compile(
    # "until when is the shop open", "what's the code", "who do I call"
    rf"{_POLITE}(?:(?:at|by|from|in|on|since|until|till|for|to|of|with) )?"
    rf"(?:(?:when|where)(?:['’]?s\b| (?:{_DOES}|exactly\b|the hell\b))"
    r"|(?:what|who|how|why)['’]?s\b"
    # "which languages will it be in", "how much is it", but not "what I like is tea"
    rf"|(?:what|which|who|whom|whose|why|how) (?!{_SUBJECT}|ever\b))"
    # "have I paid", "does my dad have a car", "can a vegan eat there"
    rf"|{_POLITE}{_DOES} (?:{_SUBJECT}|(?:my|our|your|his|her|its|their|the|a|an|any|this|that|"
    r"these|those)\b|[A-Z])",
    re.IGNORECASE,
)
_LOOKED_UP = re.compile(
    r"(?:the |my |our )?(?:[^\W\d]+ ){0,2}(?:numbers?|names?|address|dates?|times?|password|price|"
    r"cost|size|code|birthday|hours)(?: (?:of|for|at|in)\b[^\d:=]*)?$",
    re.IGNORECASE,
)
"""Search words without a verb: "phone number of the laboratory"."""
_SAYS = re.compile(r"\b(?:is|are|was|were|has|have|had|will|changed|moved|now|no|not)\b", re.I)
MARKS = ("?", "？", "؟")
"""What ends a question, in any script."""
_SENTENCES = re.compile(rf"(?<=[.!?؟]){SHORTENED}\s+|(?<=[。！？])")
_FEW_WORDS = 4


def asks(sentence: str) -> bool:
    """Whether a sentence is a question or a request, with or without a mark saying so."""
    sentence = sentence.strip()
    if sentence.endswith(MARKS) or _REQUEST.match(sentence):
        return True
    if sentence.endswith(("!", "！")):
        return False
    looked_up = _LOOKED_UP.match(sentence) and not _SAYS.search(sentence)
    return bool(looked_up or _QUESTION.match(sentence))


def tells_nothing(text: str) -> bool:
    """Whether a message is questions, requests and small talk with hardly a word beside them."""
    sentences = [one for one in _SENTENCES.split(text) if one.strip()]
    told = [one for one in sentences if not (asks(one) or is_small_talk(one))]
    return len(told) < len(sentences) and len(words(" ".join(told))) < _FEW_WORDS


def only_asks(item: IndexItem) -> bool:
    """Whether an item is a person's question or request, word for word, with hardly a word beside
    it."""
    return item.kind == "turn" and item.speaker == "user" and tells_nothing(item.text)


def is_reply(item: IndexItem) -> bool:
    """Whether an item is what an agent once answered, word for word."""
    return item.kind == "turn" and item.speaker != "user"
