"""Whether an English statement is another one told by somebody else: of oneself or of "the user".
Everything else has to be the same in every sign."""

import re

from skill_agent.text.sameness import plain, same

from .stemming import stems

_TOLD = re.compile(
    r"(?:(?:the )?user|i) (?:(?:is|am) (?P<doing>[a-z]+ing)|(?P<does>[a-z]+))\b(?P<rest>.*)",
    re.IGNORECASE | re.DOTALL,
)


def says_the_same(one: str, other: str) -> bool:
    """Whether both are one statement, whoever tells it: "I take tea", "The user takes tea."."""
    if same(one, other):
        return True
    told = [_TOLD.fullmatch(plain(text)) for text in (one, other)]
    if told[0] is None or told[1] is None:
        return False
    return same(told[0]["rest"] or "-", told[1]["rest"] or "-") and _verb(told[0]) == _verb(told[1])


def _verb(told: re.Match[str]) -> str:
    """The verb without its person: "takes" and "take", "is training" and "trains"."""
    verb = (told["doing"] or told["does"]).lower()
    if verb in ("am", "is", "have", "has", "do", "does"):
        return {"am": "is", "have": "has", "do": "does"}.get(verb, verb)
    return verb if verb.endswith("ed") else (stems(verb) or [verb])[0]
