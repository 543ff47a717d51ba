"""A second look at the best hits by a model that reads question and text together, in bounded time.

It orders what is relevant anew and nothing else: what stands below the floor stays there. Where it
is late or fails the first order stands, and `problem` says why.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from skill_agent.ports import Reranker
from skill_agent.values import Hit

if TYPE_CHECKING:
    import numpy as np

BUDGET_S = 0.15
"""Longest wait a search takes upon itself."""
_FIRST, _MOST = 4, 50
"""Texts given to a model whose speed is not known yet, and ever."""
_SURE = 0.8
"""Share of the budget that is planned for: the machine does other things too."""
_FORGETS = 0.9
"""What is left of a slow pace after each search it sat out, so that it is tried again."""


class Reranking:
    """One reranker and what is known of its speed; use it from one event loop."""

    def __init__(
        self,
        reranker: Reranker,
        budget_s: float = BUDGET_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`clock` tells seconds, by which its speed is measured."""
        self._reranker = reranker
        self._clock = clock
        self._budget = budget_s
        self._pace = budget_s * _SURE / _FIRST
        self._ready = False
        self._running: asyncio.Task[np.ndarray] | None = None
        self.problem = ""
        """Why the last search went without it; empty where it did not."""

    @property
    def name(self) -> str:
        return self._reranker.name

    async def ordered(self, question: str, hits: Sequence[Hit]) -> list[Hit]:
        """The hits, which are all relevant and stand best first, in its order as far as the time
        allows; the scores of the first order stay with the places."""
        count = min(len(hits), _MOST, int(self._budget * _SURE / self._pace))
        if len(hits) < 2 or self._busy() or not self._affords(count):
            return list(hits)
        best = hits[:count]
        self._running = asyncio.create_task(
            asyncio.to_thread(self._scored, question, [hit.item.text for hit in best])
        )
        done, _ = await asyncio.wait([self._running], timeout=self._budget)
        if not done:
            self.problem = f"{self.name} took longer than {self._budget * 1000:.0f} ms"
            self._running.add_done_callback(_heard)
            return list(hits)
        try:
            scores = self._running.result()
        except Exception as error:  # a model of somebody's own choice; the first order stands
            self.problem = f"{self.name} failed: {error}"
            return list(hits)
        self.problem = ""
        return _placed(best, scores) + list(hits[count:])

    def _busy(self) -> bool:
        return self._running is not None and not self._running.done()

    def _affords(self, count: int) -> bool:
        if count >= 2:
            return True
        self.problem = (
            f"{self.name} reads {1 / self._pace:.0f} texts a second here, too few for "
            f"{self._budget * 1000:.0f} ms"
        )
        self._pace *= _FORGETS
        return False

    def _scored(self, question: str, texts: Sequence[str]) -> "np.ndarray":
        """Blocking. The first call loads the model, which is no measure of its speed."""
        if not self._ready:
            self._reranker.scores(question, texts[:1])
            self._ready = True
        began = self._clock()
        scores = self._reranker.scores(question, texts)
        self._pace = max(1e-5, (self._clock() - began) / len(texts))
        return scores


def _placed(hits: Sequence[Hit], scores: "np.ndarray") -> list[Hit]:
    """The hits by these scores, each with the score that belongs to its new place."""
    order = sorted(range(len(hits)), key=lambda row: -float(scores[row]))
    return [replace(hits[row], score=place.score) for row, place in zip(order, hits, strict=True)]


def _heard(task: "asyncio.Task[np.ndarray]") -> None:
    """Takes what a late call ended with, so that nobody is told it was never looked at."""
    if not task.cancelled():
        task.exception()
