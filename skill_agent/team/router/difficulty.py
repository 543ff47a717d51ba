"""How hard messages of one home are: learned at the first that asks, kept for a few minutes."""

import asyncio
import logging
import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from skill_agent.errors import SkillAgentError
from skill_agent.text.whole import whole
from skill_agent.tools.gate.kept import KeptVectors
from skill_agent.values import Complexity

from .examples import examples
from .lately import Lately, digest
from .score import MOST, WEIGHTS
from .scorer import LETTERS_SPREAD, SPREAD, Scorer, sized, taught
from .shape import size_of

if TYPE_CHECKING:
    from skill_agent.ports import Embedder

SCORES_S = 300.0
_SHORT = 120.0
"""Letters of a message that may go on with what was said before it, without saying what."""
_LEANS_FROM = 4.0
"""Context a message must depend on before what it follows counts."""
_MOST_READ = 8_000
"""Characters that are looked at of one message."""

_log = logging.getLogger(__name__)


class Difficulty:
    """Scores messages; without an embedder by letters and shape alone, and less surely.

    The examples' vectors are kept in `vectors`, where that is a file, so that they are computed
    once a home and embedder.
    """

    def __init__(
        self,
        *,
        embedder: "Callable[[], Embedder] | None" = None,
        vectors: Path | None = None,
        scores: Lately[Complexity] | None = None,
    ) -> None:
        self._embedder, self._vectors = embedder, vectors
        self._scores = Lately[Complexity](SCORES_S) if scores is None else scores
        self._lock = asyncio.Lock()
        self._scorer: Scorer | None = None

    async def of(self, text: str, *, earlier: Sequence[str] = (), beside: int = 0) -> Complexity:
        """How hard a message is after what the person said `earlier`, with so many characters
        attached to it."""
        scorer = await self._learned()
        texts = [whole(one[:_MOST_READ]) for one in (*earlier, text)]
        found: Complexity | None = None
        for one in texts:
            key = digest(one)
            alone = self._scores.get(key)
            if alone is None:
                alone = await asyncio.to_thread(scorer.score, one)
                self._scores.keep(key, alone)
            found = leaning(alone, one, found)
        assert found is not None
        spread = SPREAD if scorer.reads(texts[-1]) else LETTERS_SPREAD
        return sized(with_attached(found, beside), spread)

    async def warm(self) -> None:
        """Learns ahead of the first message: a second or two, in a thread."""
        await self._learned()

    async def _learned(self) -> Scorer:
        async with self._lock:
            if self._scorer is None:
                self._scorer = await asyncio.to_thread(self._teach)
            return self._scorer

    def _teach(self) -> Scorer:
        """Blocking. An embedder that cannot be loaded is done without."""
        try:
            embedder = self._embedder() if self._embedder else None
            if embedder is None or embedder.dimensions == 1:  # words alone, until a model is there
                return _by_letters()
            kept = KeptVectors(embedder, self._vectors) if self._vectors else embedder
            return taught(examples(), embedder, learning=kept)
        except SkillAgentError as problem:
            _log.warning("how hard messages are is judged by letters alone: %s", problem.message)
            return _by_letters()


@lru_cache(maxsize=1)
def _by_letters() -> Scorer:
    """The same examples teach every home of a process the same."""
    return taught(examples(), None)


def leaning(alone: Complexity, text: str, before: Complexity | None) -> Complexity:
    """A message with what it goes on with: "and in German?" is as hard as what it asks about,
    thanks are not."""
    if before is None:
        return alone
    short = max(0.0, 1 - size_of(text) / _SHORT)
    share = short * min(max((alone.context_dependency - _LEANS_FROM) / _LEANS_FROM, 0.0), 1.0)
    own = {name: getattr(alone, name) for name in WEIGHTS}
    older = {name: max(own[name], getattr(before, name)) for name in WEIGHTS}
    return replace(
        alone, **{name: own[name] + share * (older[name] - own[name]) for name in WEIGHTS}
    )


def with_attached(found: Complexity, characters: int) -> Complexity:
    """What lies beside a message has to be read for it: the longer the more."""
    if not characters:
        return found
    depends = min(MOST, 2.0 + 2.0 * math.log10(1 + characters / 100))
    return replace(
        found,
        context_dependency=max(found.context_dependency, depends),
        reasoning_depth=max(found.reasoning_depth, 0.8 * depends),
        domain_specificity=max(found.domain_specificity, 0.5 * depends),
    )
