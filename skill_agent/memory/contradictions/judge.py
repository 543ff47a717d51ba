"""Whether two memories can both be true, and if not, what is to become of them.

Rules first; a model is asked only about what they leave open, and can never make an earlier memory
give way by itself. Nothing here reads or writes a store.
"""

import re
from dataclasses import dataclass
from typing import Literal

from skill_agent.errors import ModelError
from skill_agent.memory.english.retold import says_more, says_the_same
from skill_agent.memory.english.stemming import words
from skill_agent.memory.english.subjects import is_single_valued
from skill_agent.models.model_json import read
from skill_agent.models.reply import whole_reply
from skill_agent.ports import ChatMessage, Model, ModelRequest
from skill_agent.text.clock import day_of
from skill_agent.text.sameness import marks
from skill_agent.values import Memory, MemoryType

from .difference import Difference, Sentence, difference, parsed

Action = Literal["same", "supersede", "dispute", "coexist", "unrelated"]

NEAR, FAR = 0.7, 0.45
"""Cosines of bare texts: possibly a contradiction, hardly about the same. None says that two are
the same."""
FACTS: tuple[MemoryType, ...] = ("semantic", "user_profile", "episodic")
_CHANGE = re.compile(
    r"\b(?:no longer|any ?more|nowadays|these days|instead(?! of)|instead of|as of|from now on|"
    r"(?:starting|from) (?:next|this)|effective|actually|correction|in fact|rather than|"
    r"moved|moving to|relocated|switched|switching|changed|changing|migrated|replaced|replacing|"
    r"renamed|rescheduled|postponed|pushed (?:back|to)|brought forward|delayed|became|"
    r"has become|turned into|used to|stopped|quit|gave up|given up|resigned|left|cancelled|"
    r"canceled|dropped|abandoned|turned|promoted|joined|divorced|upgraded|downgraded|"
    r"new (?:email|e-mail|phone|number|address|job|boss|manager|flat|house|car|team|deadline|name)|"
    r"(?<!right )(?<!by )(?<!until )(?<!for )now(?! and then))\b",
    re.IGNORECASE,
)
_ALSO = re.compile(
    r"\b(?:also|too|as well|another|additionally|besides|both|second|sometimes)\b", re.I
)
_LEFT = re.compile(
    r"\b(?:instead of|rather than|no longer|stopped|quit|gave up|given up|used to|left|dropped|"
    r"cancell?ed|abandoned|moved (?:away )?from|(?:moved|switched|changed|migrated|went|upgraded)"
    r"(?: \w+){0,2}? from|replaced|replacing|not|n['’]t|any ?more)\s+(?P<left>[^.;,]+)",
    re.IGNORECASE,
)
_FROM = re.compile(
    r"\b(?:switch|mov|chang|migrat|upgrad|convert|went|gone)\w*(?: \w+){0,2}? "
    r"(?:away )?from (?P<left>[^.;,]+?)(?= to\b| back\b|[.;,]|$)",
    re.IGNORECASE,
)
_MOVED = re.compile(r"\b(?:have |has |[’']ve )?(?:moved|relocated)(?: back)?(?: over)? to\b", re.I)
_OWN = re.compile(
    r"(?:so |well |actually |recently )?(?:,? ?)?(?:i|we|(?:the )?user)\b", re.IGNORECASE
)
_DWELLING = frozenset(words("liv resid stay"))
_HOLDING = frozenset(words("us use prefer liv work run host deploy write writ edit bank stor keep"))
"""Stems of verbs of a state that a change of what follows them ends."""
_MODES = tuple(
    re.compile(rf"\b(?:{words})\b", re.IGNORECASE)
    for words in (
        r"born|grew up|originally|raised|comes? from|native|visit\w*",
        r"might|may(?= [a-z])|maybe|perhaps|wants?|plans?|hopes?|considering|considers|would|could|"
        r"if|thinking of|dreams?|wish\w*",
        r"lived|worked|formerly|previously|former|until (?:19|20)\d\d|years ago|back then|used to|"
        r"as a (?:child|kid|student|teenager)|had been",
    )
)
"""Origin, possibility, past: one that speaks of them does not contradict one that does not."""
_ADDITIVE = frozenset(
    words(
        """
        lik lov enjoy hat dislik speak know own visit read watch learn met meet eat play collect
        buy want ha hav had study write wrot plan follow attend recommend mention us build built
        made try tri support includ contain need requir adopt bought saw went care ask said told
        """
    )
)
"""Stems of verbs that take many things at once."""
_ONE_PLACE = frozenset(words("liv work bas locat call nam born marry report weigh resid stay"))
_BEST = frozenset(words("favourit favorit main default primary current prefer sol"))
"""Stems of words after which there is one answer."""
_EQUATING = frozenset(words("is was became becomes being"))
_PROTECTED_PIN = 9
_LONGEST = 600
"""Characters beyond which a text is no single statement."""
_AGED = "a year is added to an age"


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What two memories are to each other, seen from the newer one."""

    action: Action
    reason: str
    open: bool = False
    """The rules found no sign either way; a model might."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """Two memories to be compared."""

    new: Memory
    old: Memory
    cosine: float
    changes: bool = False
    """The new one is known to replace something."""


def says_change(text: str) -> bool:
    """Whether a sentence itself says that something is different from before."""
    return bool(_CHANGE.search(text))


def comparable(new: Memory, old: Memory, user: str) -> bool:
    """Same owner and kinds that can be about the same; `user` is whom unscoped memories concern."""
    if new.id == old.id or old.status not in ("active", "disputed"):
        return False
    if new.agent != old.agent or (new.user or user) != (old.user or user):
        return False
    if old.id in new.related_to or new.id in old.related_to:
        return False  # a person has said that both are true
    return new.memory_type == old.memory_type or {new.memory_type, old.memory_type} <= set(FACTS)


def protected(old: Memory, new: Memory) -> bool:
    """Whether the other must not replace it: mere reading replaces neither identity nor what a
    person pinned or said so, and what somebody else wrote nothing that they did not."""
    if {*new.origins} - {*old.origins}:
        return True
    if new.source_type not in ("extraction", "consolidation"):
        return False
    by_person = old.source_type != "extraction" or old.importance < _PROTECTED_PIN
    return old.memory_type == "identity" or (old.pinned and by_person)


def judge_by_rules(new: Memory, old: Memory, *, cosine: float, changes: bool) -> Judgement:
    """What the words alone say; owners are the caller's to compare (`comparable`)."""
    if says_the_same(old.content, new.content):
        return Judgement(action="same", reason="the same words")
    if max(len(old.content), len(new.content)) > _LONGEST:
        action: Action = "coexist" if cosine > FAR else "unrelated"
        return Judgement(action=action, reason="too long to be compared by words")
    before, after = parsed(old.content), parsed(new.content)
    differs = difference(before, after)
    changes = changes or says_change(new.content)
    if _both_happened(new, old, before, after) and not changes:
        return Judgement(action="coexist", reason="two events at different times")
    found = _clash(new, old, before, after, differs, cosine, changes)
    if found:
        return _settled(found, new, old, changes)
    return _harmless(new, old, differs, cosine)


def _settled(why: str, new: Memory, old: Memory, changes: bool) -> Judgement:
    """A contradiction: who gives way, if anybody."""
    if new.created_at < old.created_at:
        return Judgement(action="dispute", reason=f"{why}; the other one is newer")
    if not changes and why != _AGED:
        return Judgement(action="dispute", reason=why)
    if protected(old, new):
        return Judgement(action="dispute", reason=f"{why}; the earlier one was asked to be kept")
    told = why if why == _AGED else f"{why}, and the newer one says it changed"
    return Judgement(action="supersede", reason=told)


def _clash(
    new: Memory,
    old: Memory,
    before: Sentence,
    after: Sentence,
    differs: Difference,
    cosine: float,
    changes: bool,
) -> str:
    """Why both cannot be true, in words; empty if they can or the words do not tell."""
    subject = new.subject if new.subject == old.subject else None
    single = is_single_valued(subject)
    also = bool(_ALSO.search(new.content))
    over = _switched(new.content, before) or _leaves(new.content, before, after)
    unsaid = _signs(old.content) - _signs(new.content)
    if changes and not also and over and not unsaid and not _MODES[0].search(old.content):
        return "it says the earlier one is over"
    if any(bool(mode.search(new.content)) != bool(mode.search(old.content)) for mode in _MODES):
        return ""
    if _aged(differs, before):
        return _AGED
    if single and not also and _other_value(differs, before, after, changes=changes):
        return f"another value for {subject}"
    if differs.about_other:
        return ""
    if differs.moved:
        return ""
    if differs.opposed and not differs.negated and _both_say_what_somebody_is(before, after):
        return "they say opposite things"
    denied = differs.negated and not differs.swapped and cosine > FAR and not unsaid
    if denied and _mostly_common(differs):
        return "one denies the other"
    near = cosine > NEAR or subject is not None or _one_slot(differs)
    if not near or not differs.common:
        return ""
    if differs.opposed and not differs.negated and len(differs.swapped) <= 1:
        return "they say opposite things"
    return _slots(differs, before, after, cosine, changes=changes and not also, also=also)


def _slots(
    differs: Difference,
    before: Sentence,
    after: Sentence,
    cosine: float,
    *,
    changes: bool,
    also: bool,
) -> str:
    """A clash of what stands in the same place of the same sentence."""
    if also or not differs.swapped or len(differs.swapped) > 2:
        return ""
    if not _mostly_common(differs) and not (_one_slot(differs) and differs.verb):
        return ""
    kinds = [{one.kind for one in side} for pair in differs.swapped for side in pair]
    if all(kind <= {"number", "day"} for kind in kinds):
        return "different times" if "day" in kinds[0] else "different numbers"
    verb = differs.verb
    if len(differs.swapped) > 1 or any(differs.small):
        return ""
    if verb in _ONE_PLACE or _stem_in(differs, before, _ONE_PLACE):
        return "only one of them can be true"
    if verb in _ADDITIVE:
        return "it replaces the earlier one" if changes and verb in ("us", "need") else ""
    if changes:
        return "it replaces the earlier one"
    names = all(any(t.kind == "name" for t in side) for pair in differs.swapped for side in pair)
    equates = bool(before.marks("small") & {"is", "are", "was"})
    best = bool(_BEST & set(before.content[:2]))
    if (equates and (names or best)) or (cosine > NEAR and verb == "prefer"):
        return "different answers to one question"
    return ""


def _harmless(new: Memory, old: Memory, differs: Difference, cosine: float) -> Judgement:
    """No contradiction in the words: more of the same, less of it, or something else."""
    subject = new.subject is not None and new.subject == old.subject
    if differs.about_other:
        near = cosine > NEAR and not _telling(differs)
        action: Action = "coexist" if subject else "unrelated"
        return Judgement(action=action, reason="about something else", open=near and subject)
    allowed = new.created_at >= old.created_at and not protected(old, new)
    if allowed and says_more(old.content, new.content):
        return Judgement(action="supersede", reason="it says the same and more")
    if says_more(new.content, old.content) and not says_change(new.content):
        return Judgement(action="same", reason="known in more detail")
    if cosine < FAR and not subject:
        return Judgement(action="unrelated", reason="about something else")
    if differs.moved:
        return Judgement(action="coexist", reason="the same words in another order", open=True)
    known = bool(differs.swapped) and differs.verb in _ADDITIVE
    return Judgement(
        action="coexist",
        reason="both can be true",
        open=(cosine > NEAR or subject) and not known,
    )


def _signs(text: str) -> set[str]:
    """What words leave out of a text: what is left of "C" is not left of "C++"."""
    return {one for one in marks(text) if not one.isalnum()}


def _telling(differs: Difference) -> bool:
    """Whether they differ in a number, day, name, negation or opposite."""
    sides = [token for pair in differs.swapped for side in pair for token in side]
    sides += [*differs.added, *differs.dropped]
    return (
        differs.negated
        or differs.opposed
        or any(token.kind in ("number", "day", "name") for token in sides)
    )


def _aged(differs: Difference, before: Sentence) -> bool:
    """Another age of the same person."""
    if differs.about_other or not {"year", "old"} <= set(before.content) or not _one_slot(differs):
        return False
    ages = [side[0].stem for side in differs.swapped[0]]
    return all(age.isdigit() for age in ages) and int(ages[0]) < int(ages[1])


def _both_say_what_somebody_is(before: Sentence, after: Sentence) -> bool:
    """Both are as short as "the user is married"."""
    return all(len(one.content) == 1 and one.verb == 0 for one in (before, after))


def _one_slot(differs: Difference) -> bool:
    return (
        len(differs.swapped) == 1
        and not differs.added
        and not differs.dropped
        and all(len(side) <= 3 for side in differs.swapped[0])
        and differs.common >= 1
    )


def _mostly_common(differs: Difference) -> bool:
    """At least half of the shorter statement is in both."""
    old = differs.common + len(differs.dropped) + sum(len(a) for a, _ in differs.swapped)
    new = differs.common + len(differs.added) + sum(len(b) for _, b in differs.swapped)
    return differs.common >= 1 and differs.common * 2 >= min(old, new)


def _stem_in(differs: Difference, before: Sentence, verbs: frozenset[str]) -> bool:
    """The shared words name a relation that holds once, e.g. "dog's name is"."""
    swapped = {token.stem for a, _ in differs.swapped for token in a}
    return any(stem in verbs for stem in before.content if stem not in swapped)


def _other_value(differs: Difference, before: Sentence, after: Sentence, *, changes: bool) -> bool:
    """For a subject with one value: neither contains what the other says."""
    if before.about != after.about:
        return False
    names = before.marks("name"), after.marks("name")
    if all(names):
        return not names[0] & names[1] and (changes or not _other_contexts(before, after))
    figures = before.marks("number", "day"), after.marks("number", "day")
    if all(figures):
        return bool(figures[0] - figures[1] and figures[1] - figures[0])
    equate = all(one.verb == 0 and one.marks("small") & _EQUATING for one in (before, after))
    if equate and not set(before.content) & set(after.content):
        return True
    return not differs.about_other and _one_slot(differs)


def _other_contexts(before: Sentence, after: Sentence) -> bool:
    """Both say of what their value holds, and say different things: "at work", "at home"."""
    words_of = [
        {one.stem for one in side.tokens[side.verb + 1 :] if one.kind == "word"}
        for side in (before, after)
    ]
    return bool(words_of[0] - words_of[1] and words_of[1] - words_of[0])


def _leaves(new: str, before: Sentence, after: Sentence) -> bool:
    """Whether the new text says that just what the old one states is over.

    It has to name what is over: the old statement's verb, a name in it, or what it uses; a day or
    a number only where all else is the same.
    """
    if before.about != after.about or any(one.kind == "not" for one in before.tokens):
        return False
    told = before.marks("word", "name")
    if len(told & set(after.content)) * 2 < len(told):
        return False
    dated = before.marks("day", "number") if told <= set(after.content) else frozenset[str]()
    names = before.marks("name")
    verbs = [one.stem for one in before.tokens[before.verb :] if one.kind in ("word", "name")]
    for found in _LEFT.finditer(new):
        gone = set(parsed(found["left"]).content)
        if gone & (names | dated) or (
            not names - set(after.content) and verbs and verbs[0] in gone
        ):
            return True
    return False


def _switched(new: str, before: Sentence) -> bool:
    """ "I switched from vim to Helix" ends "I use vim", "I moved to Porto" ends "I live in Lisbon":
    the verb is another one, so what the old statement holds to has to be a state of the speaker."""
    if before.about or not _OWN.match(new):
        return False
    verbs = [one.stem for one in before.tokens[before.verb :] if one.kind == "word"][:1]
    if set(verbs) & _DWELLING and _MOVED.search(new):
        return not _MODES[1].search(new)
    if not set(verbs) & _HOLDING:
        return False
    held = set(before.content) - set(verbs)
    gone = (set(parsed(found["left"]).content) for found in _FROM.finditer(new))
    return any(one and one <= held for one in gone)


def _both_happened(new: Memory, old: Memory, before: Sentence, after: Sentence) -> bool:
    """Events, unless they are told of the same day."""
    if "episodic" not in (new.memory_type, old.memory_type):
        return False
    a, b = before.marks("day", "number"), after.marks("day", "number")
    if a and b:
        return bool(a - b and b - a)
    return day_of(new.created_at) != day_of(old.created_at)


_VERDICTS = ("same", "replaces", "conflicts", "both_true")
_SCHEMA = {
    "type": "object",
    "properties": {"verdict": {"enum": list(_VERDICTS)}},
    "required": ["verdict"],
    "additionalProperties": False,
}
_ASK = (
    "Two notes about a person and their work, A earlier, B later. Answer with one word as JSON:\n"
    "same: B says nothing that A does not say.\n"
    "conflicts: A and B cannot both be true at the same time.\n"
    "both_true: they are about different things, or both can be true.\n"
    'A: "Prefers tea." B: "Prefers coffee in the morning." -> {"verdict": "both_true"}\n'
    'A: "The office is in Porto." B: "The office is in Lisbon." -> {"verdict": "conflicts"}'
)


class Judge:
    """Rules, and for what they leave open a model, where there is one that can."""

    def __init__(self, model: Model | None = None, *, most: int = 6) -> None:
        """`most` is how many pairs the model is asked about in all; the rest stay as ruled."""
        self._model = model
        self._left = most if model else 0

    async def judge(self, pair: Pair) -> Judgement:
        """Never raises for the model's sake: then the rules' word stands."""
        ruled = judge_by_rules(pair.new, pair.old, cosine=pair.cosine, changes=pair.changes)
        if not ruled.open or self._model is None or self._left <= 0:
            return ruled
        self._left -= 1
        try:
            verdict = await _asked(self._model, pair)
        except ModelError:
            self._left = 0
            return ruled
        return _weighed(verdict, ruled, pair)


async def _asked(model: Model, pair: Pair) -> str:
    told = f'A: "{pair.old.content[:400]}"\nB: "{pair.new.content[:400]}"'
    request = ModelRequest(
        messages=(
            ChatMessage(role="system", content=_ASK), ChatMessage(role="user", content=told)
        ),
        response_schema=_SCHEMA,
        temperature=0.0,
        max_tokens=32,
        background=True,
        purpose="judge",
    )  # fmt: skip
    text = await whole_reply(model, request)
    try:
        return str(read(text).get("verdict", ""))
    except (ValueError, AttributeError):
        return ""


def _weighed(verdict: str, ruled: Judgement, pair: Pair) -> Judgement:
    """The model's word, as far as it goes: it may doubt, but not decide against a memory."""
    match verdict:
        case "conflicts" | "replaces":
            changes = pair.changes or says_change(pair.new.content)
            return _settled("the model sees a contradiction", pair.new, pair.old, changes)
        case _:
            return Judgement(action=ruled.action, reason=ruled.reason)
