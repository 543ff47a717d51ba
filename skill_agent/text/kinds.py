"""What kind of message a person typed: whether it tells, asks, wants work done, or only chats.

A linear model over hashed pieces of text, trained by `benchmarks/kinds.py` on messages in eleven
languages; no rule of any language stands here. Each sentence is judged and the message as a whole.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from .kind_features import features

KindName = Literal["tell", "ask_me", "ask", "do", "keep", "chat"]
"""`tell` tells something; `ask_me` asks what only the person can have told, `ask` anything else;
`do` wants work done; `keep` wants something remembered; `chat` greets, thanks, agrees, feels."""
KINDS: tuple[KindName, ...] = get_args(KindName)

WEIGHTS = Path(__file__).parents[1] / "bundled" / "kinds.npz"

_TELL, _DO, _KEEP, _CHAT = (KINDS.index(name) for name in ("tell", "do", "keep", "chat"))
_BETWEEN_SENTENCES = re.compile(
    r"(?<=[!?…])\s+|(?<=[^\W\d]{3}\.)\s+|(?<=[。！？：])|(?<=:)\s+|\s*\n\s*"
)
_WORD = re.compile(r"\w")
_MANY, _LONG = 4, 300
"""Of a long message, as many sentences from either end, as many characters of each, are read:
what is pasted between them is not what the person says."""
_MOSTLY = 0.5


@dataclass(frozen=True, kw_only=True, slots=True)
class Kind:
    """The likeliest kind of a message, how likely it is, and what it would be otherwise."""

    name: KindName
    probability: float
    runner_up: KindName
    chances: Mapping[KindName, float]


class KindReader:
    """Reads kinds with one table of weights, which it holds: a row of bytes for each bucket."""

    def __init__(self, path: Path = WEIGHTS) -> None:
        with np.load(path) as stored:
            self._rows: NDArray[np.int8] = stored["rows"]
            self._scale: NDArray[np.float32] = stored["scale"]
            self._bias: NDArray[np.float32] = stored["bias"]

    def kind_of(self, text: str) -> Kind:
        """The kind of a message; what has no word in it is chat."""
        chances = self._chances(text)
        best, second, *_ = np.argsort(-chances, kind="stable")
        return Kind(
            name=KINDS[best],
            probability=float(chances[best]),
            runner_up=KINDS[second],
            chances={name: float(one) for name, one in zip(KINDS, chances, strict=True)},
        )

    def _chances(self, text: str) -> NDArray[Any]:
        if not _WORD.search(text):
            return np.eye(len(KINDS))[_CHAT]
        said = sentences(text)
        whole = self._judged(" ".join(said))
        if len(said) == 1:
            return whole
        return (whole + deciding(said, [self._judged(one) for one in said])) / 2

    def _judged(self, sentence: str) -> NDArray[Any]:
        scores = self._bias.astype(np.float64)
        for loudness, buckets in features(sentence):
            added = self._rows[buckets].sum(axis=0, dtype=np.int32)
            scores += loudness * self._scale * added
        odds = np.exp(scores - scores.max())
        return odds / odds.sum()


def sentences(text: str) -> list[str]:
    """The sentences of a message that have words, of a long one those at its ends."""
    parts = [one.strip()[:_LONG] for one in _BETWEEN_SENTENCES.split(text) if _WORD.search(one)]
    return parts if len(parts) <= 2 * _MANY else parts[:_MANY] + parts[-_MANY:]


def deciding(said: list[str], judged: list[NDArray[Any]]) -> NDArray[Any]:
    """What the sentence is that decides: the last that wants something, else the one that tells
    most. An order that ends in a colon decides, for what follows is what it is about."""
    for sentence, chances in zip(said, judged, strict=True):
        if sentence.endswith((":", "：")) and chances[_DO] + chances[_KEEP] > _MOSTLY:
            return chances
    for chances in reversed(judged):
        if chances[_TELL] + chances[_CHAT] < _MOSTLY:
            return chances
    telling = max(judged, key=lambda chances: chances[_TELL])
    return telling if telling[_TELL] > _MOSTLY else judged[-1]


def kind_of(text: str) -> Kind:
    """The kind of a message by the weights that come with the product."""
    return _shipped().kind_of(text)


@cache
def _shipped() -> KindReader:
    return KindReader()
