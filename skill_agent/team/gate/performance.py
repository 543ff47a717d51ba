"""How an agent did when something like this was asked before: ratings of the last thirty days."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from skill_agent.conversations.client_context import typed
from skill_agent.ports import Ledger

from .trust import Outcome

if TYPE_CHECKING:
    import numpy as np

    from skill_agent.ports import Embedder

UNRATED = 0.5
_DAYS, _RECENT = timedelta(days=30), timedelta(days=7)
_ALIKE = 0.5
"""The least cosine, over what short messages have in common, of queries that are alike."""
_PENALTY, _MOST_PENALTY = 0.1, 0.2
"""What a bad rating of the last week takes off beside lowering the share of good ones."""
_MOST_KEPT = 2_000
_MOST_NEW = 64
"""Rated queries that are looked up for one message; the others wait for the next."""


class RatedQueries:
    """What was asked where replies were rated, as vectors; none is kept on disk."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._vectors: OrderedDict[str, np.ndarray | None] = OrderedDict()
        """By reply; None where there is no query any more."""

    async def of(
        self,
        outcomes: Mapping[str, Sequence[Outcome]],
        query: "np.ndarray | None",
        embedder: "Embedder | None",
        now: datetime,
        fold: Callable[[str], str],
    ) -> dict[str, float]:
        """By agent, the share of good ratings among replies to queries like this one; agents
        without any are left out."""
        recent = {
            agent: [one for one in found if one.rated and now - one.at <= _DAYS]
            for agent, found in outcomes.items()
        }
        wanted = [one.of for found in recent.values() for one in found]
        if query is None or embedder is None or not wanted:
            return {}
        await self._learn(wanted, embedder, fold)
        shares: dict[str, float] = {}
        for agent, found in recent.items():
            alike = [one for one in found if self._alike(one.of, query)]
            if alike:
                shares[agent] = share_of(alike, now)
        return shares

    def _alike(self, reply: str, query: "np.ndarray") -> bool:
        vector = self._vectors.get(reply)
        return vector is not None and float(vector @ query) >= _ALIKE

    async def _learn(
        self, replies: Sequence[str], embedder: "Embedder", fold: Callable[[str], str]
    ) -> None:
        new = [one for one in replies if one not in self._vectors][:_MOST_NEW]
        if not new:
            return
        known = await self._ledger.messages_by_id(new)
        texts: dict[str, str] = {}
        for reply in new:
            turn = await self._ledger.turn(known[reply].turn) if reply in known else []
            asked = next((one for one in turn if one.role == "user"), None)
            if asked is not None and asked.content.strip():
                texts[reply] = fold(typed(asked))
        made = await asyncio.to_thread(embedder.embed, [*texts.values()]) if texts else ()
        vectors = dict(zip(texts, made, strict=True))
        self._vectors |= {reply: vectors.get(reply) for reply in new}
        while len(self._vectors) > _MOST_KEPT:
            self._vectors.popitem(last=False)


def share_of(outcomes: Sequence[Outcome], now: datetime) -> float:
    """Good ratings among all, one of either kind taken for granted, less for recent bad ones."""
    good = sum(one.good for one in outcomes)
    bad = [one for one in outcomes if not one.good]
    penalty = min(_MOST_PENALTY, _PENALTY * sum(now - one.at <= _RECENT for one in bad))
    return max(0.0, (good + 1) / (len(outcomes) + 2) - penalty)
