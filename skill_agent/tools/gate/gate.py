"""Which tools a message may want at all, for models that reach for whatever they are shown.

A small model offered a tool uses it: a diff is reviewed by opening the world clock. So it is
offered only what a message can plausibly want, decided by cues and by likeness to examples, outside
of the conversation. Large models choose well by themselves and need no gate.
"""

import asyncio
import logging
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from skill_agent.errors import ModelUnavailable
from skill_agent.skills.requests import (
    Requests,
    read_requests,
    requests_of,
    requests_stamp,
)
from skill_agent.values import Skill

from .classifier import Classifier, Example, Lead, taught
from .cues import asks, calls, has_address, sentences
from .kept import KeptVectors

if TYPE_CHECKING:
    from skill_agent.ports import Embedder

HTTP_GET = "http_get"
MARGIN = 0.12
"""The least lead over words that makes a tool plausible; chosen on labelled messages."""
WANTING_MARGIN = 0.08
"""The same where the message asks or orders anyway; chosen with it."""
_BESIDE_THE_BEST = 0.15
"""A second tool is plausible too if it is no further behind."""
_ASKED = 0.3
"""What a question beside an address adds: whoever asks and gives a page means the page."""
_log = logging.getLogger(__name__)

_OURS = Path(__file__).with_name("requests")


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A tool or skill a message may want."""

    name: str
    score: float
    """Its lead over wanting words only; 1 where it was called by its name."""
    why: str


class Gate:
    """Decides for the messages of one home.

    `known` gives the skills there are at the moment; without an embedder it goes by letters alone.
    The examples' vectors are kept in `vectors`, where that is a file.
    """

    def __init__(
        self,
        *,
        known: Callable[[], Sequence[Skill]],
        embedder: "Callable[[], Embedder] | None" = None,
        vectors: Path | None = None,
    ) -> None:
        self._known, self._embedder, self._vectors = known, embedder, vectors
        self._lock = asyncio.Lock()
        self._learned: tuple[object, Classifier] | None = None

    async def plausible(
        self, text: str, *, offered: Collection[str], beside: bool = False, wants: bool = False
    ) -> list[Candidate]:
        """What of `offered` (skills by name, `http_get`) the typed words may want, best first.

        `beside` says that a diff, a table or a log came with them: then the words mean that, unless
        they hold an address or call a skill by its name. `wants` says that they ask for something:
        then a smaller lead is enough.
        """
        named = [name for name in sorted(offered) if calls(text, name)]
        if named:
            return [Candidate(name=name, score=1.0, why="called by name") for name in named]
        address = has_address(text)
        among = {name for name in offered if (name == HTTP_GET) == address}
        if not among or not text.strip() or (beside and not address):
            return []
        classifier = await self._classifier()
        among &= {*classifier.tools}
        if not among:
            return []
        leads = await asyncio.to_thread(_leads, classifier, text, among)
        least = WANTING_MARGIN if wants else MARGIN
        least -= _ASKED if address and asks(text) else 0.0
        return [
            Candidate(name=lead.tool, score=lead.margin, why=f"like “{lead.nearest}”")
            for lead in leads
            if lead.margin > max(least, leads[0].margin - _BESIDE_THE_BEST)
        ]

    async def warm(self) -> None:
        """Learns the examples ahead of the first message: seconds of work, in a thread."""
        await self._classifier()

    def _teach(self, skills: Sequence[Skill]) -> Classifier:
        """Blocking. An embedder that cannot be loaded is done without."""
        examples = _examples(skills)
        embedder = self._embedder() if self._embedder else None
        if embedder is None or embedder.dimensions == 1:  # words alone, until a model is there
            return _by_letters(examples)
        kept = KeptVectors(embedder, self._vectors) if self._vectors else embedder
        try:
            return taught(examples, embedder, learning=kept)
        except ModelUnavailable as problem:
            _log.warning("tools are judged by letters alone: %s", problem.message)
            return _by_letters(examples)

    async def _classifier(self) -> Classifier:
        """What the examples of now teach; learned again only when a file of them has changed."""
        skills = self._known()
        async with self._lock:
            state = await asyncio.to_thread(_state, skills)
            if self._learned is None or self._learned[0] != state:
                self._learned = state, await asyncio.to_thread(self._teach, skills)
            return self._learned[1]


@lru_cache(maxsize=2)
def _by_letters(examples: tuple[Example, ...]) -> Classifier:
    """The same examples teach every home of a process the same."""
    return taught(examples, None)


def _leads(classifier: Classifier, text: str, among: Collection[str]) -> list[Lead]:
    """The leads by the whole message or by one sentence of it, whichever is clearer: the request
    may come after thanks or a story. Blocking."""
    without = {HTTP_GET} - {*among}
    found = [
        classifier.leads(part, among=among, without=without)
        for part in dict.fromkeys([text, *sentences(text)])
        if has_address(part) == (HTTP_GET in among)
    ]
    return max(found, key=lambda leads: leads[0].margin)


def _state(skills: Sequence[Skill]) -> object:
    """Differs when the examples do; blocking."""
    return tuple((skill.name, requests_stamp(skill)) for skill in skills)


def _examples(skills: Sequence[Skill]) -> tuple[Example, ...]:
    """Ours, then those of each skill; blocking."""
    ours = [("", "words.txt"), (HTTP_GET, "http_get.txt")]
    found = [one for tool, file in ours for one in _labelled(tool, read_requests(_OURS / file))]
    for skill in skills:
        found += _labelled(skill.name, requests_of(skill))
    return tuple(dict.fromkeys(found))


def _labelled(tool: str, requests: Requests) -> list[Example]:
    wanted = [Example(text=text, wants=tool) for text in requests.wanted]
    return wanted + [Example(text=text) for text in requests.unwanted]
