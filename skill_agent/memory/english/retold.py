"""Whether an English statement is another one in other words: told of oneself or of "the user", or
with a tail more. Everything else has to be the same in every sign."""

import re

from skill_agent.text.sameness import marks, plain, same

from .stemming import stems, words

_TOLD = re.compile(
    r"(?:(?:the )?user|i) (?:(?:is|am) (?P<doing>[a-z]+ing)|(?P<does>[a-z]+))\b(?P<rest>.*)",
    re.IGNORECASE | re.DOTALL,
)
_TAIL = re.compile(r",? ?(?:with|as|named|called|and|in|at) (?P<tail>.+)", re.DOTALL)
_NARROWS = frozenset(words("no not none nor never without but except only unless until if"))


def says_the_same(one: str, other: str) -> bool:
    """Whether both are one statement, whoever tells it: "I take tea", "The user takes tea."."""
    if same(one, other):
        return True
    told = [_TOLD.fullmatch(plain(text)) for text in (one, other)]
    if told[0] is None or told[1] is None:
        return False
    return same(told[0]["rest"] or "-", told[1]["rest"] or "-") and _verb(told[0]) == _verb(told[1])


def says_more(short: str, long: str) -> bool:
    """Whether the longer one is the shorter with a tail that takes nothing back."""
    least = len(plain(short).split(" "))
    parts = plain(long).split(" ")
    for at in range(max(1, least - 1), min(len(parts), least + 2)):
        if says_the_same(short, " ".join(parts[:at])):
            tail = _TAIL.fullmatch(" ".join(parts[at:]))
            return tail is not None and not _takes_back(tail["tail"])
    return False


def _takes_back(tail: str) -> bool:
    return bool(_NARROWS & {*words(tail)}) or any(not one.isalpha() for one in marks(f"and {tail}"))


def _verb(told: re.Match[str]) -> str:
    """The verb without its person: "takes" and "take", "is training" and "trains"."""
    verb = (told["doing"] or told["does"]).lower()
    if verb in ("am", "is", "have", "has", "do", "does"):
        return {"am": "is", "have": "has", "do": "does"}.get(verb, verb)
    return verb if verb.endswith("ed") else (stems(verb) or [verb])[0]
