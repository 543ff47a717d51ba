"""Texts as vectors, by the embedder that recall goes by."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from skill_agent.errors import ModelUnavailable
from skill_agent.ports import CountsTokens, Embedder
from skill_agent.text.shaping import estimate_tokens

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True, slots=True, kw_only=True)
class Embedded:
    """What an embedder makes of some texts."""

    model: str
    vectors: "np.ndarray"
    """float32, a row of length 1 for each text."""
    tokens: int
    """That it read."""


class Embeddings:
    """The home's embedder, loaded when it is first asked."""

    def __init__(self, embedder: Callable[[], Embedder] | None) -> None:
        self._make, self._made = embedder, None
        self._one_at_a_time = asyncio.Lock()

    async def of(self, texts: Sequence[str]) -> Embedded:
        """Raises ModelUnavailable where no embedder is installed; of no texts, only that."""
        async with self._one_at_a_time:  # it has the processor to itself as it is
            return await asyncio.to_thread(self._of, texts)

    def _of(self, texts: Sequence[str]) -> Embedded:
        embedder = self._embedder()
        if isinstance(embedder, CountsTokens):
            tokens = embedder.count_tokens(texts)
        else:
            tokens = sum(map(estimate_tokens, texts))
        return Embedded(model=embedder.name, vectors=embedder.embed(texts), tokens=tokens)

    def _embedder(self) -> Embedder:
        """Kept once there is a real one: it may be fetched while the home is open."""
        if self._made is None:
            found = self._make() if self._make else None
            if found is None or found.dimensions < 2:  # the stand-in that knows words alone
                raise ModelUnavailable(
                    "no embedding model is installed here", hint="fetch it with `ska models pull`"
                )
            self._made = found
        return self._made
