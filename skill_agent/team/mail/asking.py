"""Whether the person wants the agent to have a colleague do something: "ask Luke to review this".

In any language: a colleague has to be named, and the rest has to be like messages in which work is
handed over, not like those that only speak of somebody. Only typed words are looked at. What a
language's file is certain of is taken off the instruction: "Ask Luke to" is no part of the work.
Whoever is in doubt hands nothing over: the agent answers as ever.
"""

import asyncio
import logging
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from skill_agent.errors import ModelUnavailable
from skill_agent.skills.requests import read_requests
from skill_agent.text.language import Language, english, spoken
from skill_agent.tools.gate.classifier import Classifier, Example, taught
from skill_agent.tools.gate.cues import sentences
from skill_agent.tools.gate.kept import KeptVectors
from skill_agent.turns.colleagues.nearby import Errand

from .names import Named, named

if TYPE_CHECKING:
    from skill_agent.ports import Embedder

SURE = 0.33
"""The least lead over mere talk from which a message is handed over; chosen on labelled ones."""
CERTAIN = -0.5
"""The same where it has a form by which the language hands work over: little is asked of the rest,
for "ask Ada what the median is" is like a question."""
LONGEST = 2_000
"""Characters of typed words: whoever writes more has something else in mind."""
_ASKS = "ask"
_EXAMPLES = Path(__file__).with_name("requests") / "ask.txt"
_STANDS_FOR, _ANOTHER = "Luke", "Mia"
_MARK = "\ue000"
_BEGINS = r"(?:^|(?<=\D[.!?…;:\n])\s+|(?<=[。！？\n]))"
_OWNING = re.compile(r"['’`ʼ]\w+$")
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """How a message was read for one colleague it names."""

    slug: str
    margin: float
    what: str = ""
    """The message without the address; empty where that is not certain."""

    @property
    def asks(self) -> bool:
        return self.margin >= (CERTAIN if self.what else SURE)


class Asking:
    """Reads the messages of one home. Without an embedder it goes by letters alone."""

    def __init__(
        self,
        *,
        embedder: "Callable[[], Embedder] | None" = None,
        vectors: Path | None = None,
    ) -> None:
        self._embedder, self._vectors = embedder, vectors
        self._lock = asyncio.Lock()
        self._learned: Classifier | None = None

    async def errand(
        self, typed: str, agents: Mapping[str, Sequence[str]], language: Language | None = None
    ) -> Errand | None:
        """Whom the words hand work to, and which; `agents` are the colleagues, slug to names."""
        found = [one for one in await self.read(typed, agents, language) if one.asks]
        if len(found) > 1:  # "ask Luke about Ada's figures": whoever is certainly addressed
            found = [one for one in found if one.what]
        if len(found) != 1:
            return None
        return Errand(to=found[0].slug, what=found[0].what or typed.strip())

    async def read(
        self, typed: str, agents: Mapping[str, Sequence[str]], language: Language | None = None
    ) -> list[Reading]:
        """How the words read for each colleague they name; nothing is learned before one is."""
        places = named(typed, agents) if 0 < len(typed) <= LONGEST else []
        if not places:
            return []
        classifier = await self._classifier()
        return await asyncio.to_thread(_readings, classifier, typed, places, language)

    async def _classifier(self) -> Classifier:
        async with self._lock:
            if self._learned is None:
                self._learned = await asyncio.to_thread(self._teach)
            return self._learned

    def _teach(self) -> Classifier:
        """Blocking. An embedder that cannot be loaded is done without."""
        embedder = self._embedder() if self._embedder else None
        if embedder is None or embedder.dimensions == 1:  # words alone, until a model is there
            return _by_letters()
        kept = KeptVectors(embedder, self._vectors) if self._vectors else embedder
        try:
            return taught(_examples(), embedder, learning=kept)
        except ModelUnavailable as problem:
            _log.warning("requests to colleagues are told by letters alone: %s", problem.message)
            return _by_letters()


def what_is_asked(text: str, place: Named, language: Language | None = None) -> str:
    """The text without the address of a colleague; empty where no form of a language has it.

    The message's own language goes first, for one form may begin another's.
    """
    name = text[place.start : place.end]
    if _OWNING.search(name):  # "have Luke's tests passed?" asks nobody
        return ""
    marked = f"{text[: place.start]}{_MARK}{text[place.end :]}"
    first = [language] if language else []
    for one in dict.fromkeys([*(known.code for known in first), *(k.code for k in spoken())]):
        for form in _forms(one):
            if match := form.search(marked):
                rest = f"{marked[: match.start()]} {match['what']}".strip()
                return rest.replace(_MARK, name)
    return ""


def words_of(language: Language | None) -> Mapping[str, str]:
    """What code says of colleagues; English where the language has nothing."""
    found = language.tables.get("team") if language else None
    return found or english().tables["team"]


@lru_cache(maxsize=32)
def _forms(code: str) -> tuple["re.Pattern[str]", ...]:
    known = next((one for one in spoken() if one.code == code), None)
    table = known.tables.get("team") if known else None
    if not table:
        return ()
    return tuple(
        re.compile(
            f"{_BEGINS}{table['lead']}{form.replace('{name}', _MARK)}",
            re.IGNORECASE | re.DOTALL,
        )
        for form in table["ask"]
    )


def _readings(
    classifier: Classifier, text: str, places: Sequence[Named], language: Language | None
) -> list[Reading]:
    """Blocking: it embeds the text."""
    found: list[Reading] = []
    for slug in dict.fromkeys(one.slug for one in places):
        mine = [one for one in places if one.slug == slug]
        whats = [what_is_asked(text, one, language) for one in mine]
        found.append(
            Reading(
                slug=slug,
                margin=_margin(classifier, _likened(text, places, slug)),
                what=next(filter(None, whats), ""),
            )
        )
    return found


def _margin(classifier: Classifier, text: str) -> float:
    """By the whole message or by the one sentence of it that names the colleague, whichever is
    clearer: the request may come after a story."""
    parts = [text, *(one for one in sentences(text) if _STANDS_FOR in one)]
    leads = [
        classifier.leads(part, among={_ASKS}, without=())[0].margin for part in dict.fromkeys(parts)
    ]
    return max(leads)


def _likened(text: str, places: Sequence[Named], slug: str) -> str:
    """The text with the name that the examples have in place of the colleague's."""
    pieces, at = list[str](), 0
    for one in places:
        pieces += [text[at : one.start], _STANDS_FOR if one.slug == slug else _ANOTHER]
        at = one.end
    return "".join([*pieces, text[at:]])


@lru_cache(maxsize=1)
def _by_letters() -> Classifier:
    """The same examples teach every home of a process the same."""
    return taught(_examples(), None)


def _examples() -> tuple[Example, ...]:
    """Blocking."""
    read = read_requests(_EXAMPLES)
    wanted = [Example(text=_shown(one), wants=_ASKS) for one in read.wanted]
    return (*wanted, *(Example(text=_shown(one)) for one in read.unwanted))


def _shown(example: str) -> str:
    return example.replace("{name}", _STANDS_FOR)
