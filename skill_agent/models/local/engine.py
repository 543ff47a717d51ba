"""A loaded model shared by many requests: slots, streaming into asyncio, prefixes kept on disk.

What a prompt means, tools and schemas are not known here.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

from skill_agent.errors import ModelError
from skill_agent.ports import StatusPart

from .kv_cache import StateCache, StateKey
from .llama_host import Endpoint, LlamaHost
from .slots import Slot, SlotBoard, common_prefix

Chunk = dict[str, Any]
Result = TypeVar("Result")

_WORTH_KEEPING = 128
"""Tokens from which a prefix is worth a file."""
_SLOW_TOKENS = 256
"""Tokens still to be read from which the person is told how far it is."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """A rendered prompt; `prefix` is the part that stays the same for an agent."""

    text: str
    prefix: str


class Engine:
    """Runs prompts on one `LlamaHost`. Belongs to one event loop; close it."""

    def __init__(self, host: LlamaHost, cache: StateCache | None, key: StateKey) -> None:
        self._host = host
        self._cache = cache
        self._key = key
        self._board = SlotBoard(host.settings.slots)
        self._pool = ThreadPoolExecutor(host.settings.slots + 2, "llama")
        self._reapers: set[asyncio.Task[None]] = set()
        self._prefixes: dict[str, str] = {}
        self._firsts: dict[str, int] = {}
        self._closed = False

    @property
    def window(self) -> int:
        return self._host.window

    @property
    def endpoint(self) -> Endpoint:
        return self._host.endpoint

    @property
    def full(self) -> bool:
        """Whether a request would have to wait for another."""
        return self._board.full

    async def close(self) -> None:
        """Stops what runs, waits for its threads and unloads the model."""
        if self._closed:
            return
        self._closed = True
        await self._board.drained()
        await asyncio.gather(*self._reapers)
        await self._in_thread(self._host.close)
        self._pool.shutdown(wait=False)

    async def count(self, text: str) -> int:
        return await self._in_thread(self._host.count, text)

    async def first_tokens(self, texts: list[str]) -> list[int]:
        """The first token of each text; remembered, for they are asked for at every turn."""

        def learn() -> None:
            for text in texts:
                if text not in self._firsts:
                    self._firsts[text] = self._host.tokens(text)[0]

        await self._in_thread(learn)
        return [self._firsts[text] for text in texts]

    async def prompt(self, messages: list[dict[str, str]]) -> Prompt:
        """Renders messages; the prefix reaches to where the first message after the system's
        begins, and is empty without a system message."""
        text = await self._in_thread(self._host.render, messages)
        if not messages or messages[0]["role"] != "system":
            return Prompt(text=text, prefix="")
        prefix = await self._prefix(messages[0])
        return Prompt(text=text, prefix=prefix if text.startswith(prefix) else "")

    async def _prefix(self, system: dict[str, str]) -> str:
        known = self._prefixes.get(system["content"])
        if known is None:

            def rendered(word: str) -> str:
                return self._host.render([system, {"role": "user", "content": word}])

            both = [await self._in_thread(rendered, word) for word in ("A", "B")]
            if len(self._prefixes) > 64:
                self._prefixes.clear()
            known = self._prefixes[system["content"]] = common_prefix(*both)
        return known

    def reading(self, prompt: Prompt) -> bool:
        """Whether background work is about to make this prompt's prefix hot."""
        return self._board.reading(prompt.prefix)

    @asynccontextmanager
    async def slot(self, prompt: Prompt, *, background: bool = False) -> AsyncIterator[Slot]:
        """A slot for a request, given back even where its thread ends later."""
        if background:
            slot = await self._board.take_aside(prompt.prefix)
        else:
            slot = await self._board.take(
                prompt.text, prompt.prefix, restorable=lambda: self._kept(prompt.prefix)
            )
        try:
            yield slot
        finally:
            self._release(slot)

    def _release(self, slot: Slot) -> None:
        """Not awaited by the one who cancels: the thread may need a batch's time to notice."""
        slot.stop.set()
        if slot.worker is None:
            self._board.give_back(slot)
            return
        reaper = asyncio.get_running_loop().create_task(self._reap(slot, slot.worker))
        self._reapers.add(reaper)
        reaper.add_done_callback(self._reapers.discard)

    async def _reap(self, slot: Slot, worker: "asyncio.Future[None]") -> None:
        await asyncio.wait([worker])
        if not worker.cancelled():
            worker.exception()  # raised to whoever listened; here only the slot matters
        self._board.give_back(slot)

    async def run(self, slot: Slot, payload: dict[str, Any]) -> AsyncGenerator[Chunk, None]:
        """The chunks of a completion; after an early close the thread stops by itself."""
        loop = asyncio.get_running_loop()
        queue: asyncio.Queue[Chunk | None] = asyncio.Queue()
        stop = slot.stop

        def heard(chunk: Chunk) -> bool:
            if stop.is_set():
                return True
            try:
                loop.call_soon_threadsafe(queue.put_nowait, chunk)
            except RuntimeError:  # the loop is closed: nobody listens any more
                return True
            return False

        body = {**payload, "id_slot": slot.number}
        slot.worker = loop.run_in_executor(self._pool, self._host.complete, body, heard)
        slot.worker.add_done_callback(lambda _: queue.put_nowait(None))
        while (chunk := await queue.get()) is not None:
            yield chunk
        worker, slot.worker = slot.worker, None
        await worker

    async def read_prefix(
        self, slot: Slot, prefix: str, *, keep: bool
    ) -> AsyncGenerator[StatusPart | Chunk, None]:
        """Makes the slot hold the prefix: by memory, from disk, or by reading it, after the part
        of it that it shares with another state on disk: one more line about the person in the
        middle need not cost the whole.

        Yields what a person may be told, and the last chunk where tokens were read. `keep` writes
        a prefix that had to be read to disk.
        """
        if not prefix or slot.text.startswith(prefix):
            return
        key = self._key.digest(prefix)
        if await self._in_thread(self._restore, slot, key):
            slot.text = prefix
            return
        await self._in_thread(self._restore_nearest, slot, prefix)
        slot.text, tokens = "", 0
        async with aclosing(self.run(slot, {"prompt": prefix, "n_predict": 0})) as chunks:
            async for chunk in chunks:
                if state := chunk.get("prompt_progress"):
                    # A guess at how much is held if this is interrupted, on the low side.
                    held = 0.9 * state["processed"] / state["total"]
                    slot.text = prefix[: int(held * len(prefix))]
                if status := progress(chunk, "reading the agent's instructions"):
                    yield status
                if "timings" in chunk:
                    tokens = chunk["usage"]["prompt_tokens"]
                    yield chunk
        if not tokens:
            return
        slot.text = prefix
        if keep and tokens >= _WORTH_KEEPING and self._cache is not None:
            await self._in_thread(self._save, slot, prefix)

    def _restore(self, slot: Slot, key: str) -> bool:
        name = self._cache.checkout(key) if self._cache else None
        if self._cache is None or name is None:
            return False
        try:
            self._host.restore_slot(slot.number, name)
        except ModelError as error:
            log.warning("a kept state could not be restored: %s", error)
            self._cache.drop(key)
            return False
        self._cache.checkin(key)
        return True

    def _restore_nearest(self, slot: Slot, prefix: str) -> None:
        """The state on disk that begins most like the prefix, where the slot begins less so."""
        if self._cache is None:
            return
        key, shared = self._cache.nearest(self._key.marks(prefix))
        if key and shared > slot.shared(prefix):
            self._restore(slot, key)

    def _save(self, slot: Slot, prefix: str) -> None:
        key = self._key.digest(prefix)
        if self._cache is None or self._cache.has(key):
            return
        try:
            self._host.save_slot(slot.number, self._cache.draft(key))
        except ModelError as error:
            log.warning("a state could not be saved: %s", error)
            return
        self._cache.keep(key, self._key.marks(prefix))

    def _kept(self, prefix: str) -> bool:
        return self._cache is not None and self._cache.has(self._key.digest(prefix))

    async def warm(self, prefix: str) -> None:
        """Reads and keeps a prefix while nothing else runs; goes on after each interruption."""
        while prefix and not self._closed:
            if self._kept(prefix):
                return
            slot = await self._board.take_idle(prefix)
            try:
                async for _ in self.read_prefix(slot, prefix, keep=True):
                    pass
                if slot.text.startswith(prefix):
                    return
            finally:
                self._release(slot)

    async def _in_thread(self, call: Callable[..., Result], *arguments: Any) -> Result:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._pool, call, *arguments)


def progress(chunk: Chunk, what: str) -> StatusPart | None:
    """How far a long prompt is read, in words; None where it is not worth telling."""
    state = chunk.get("prompt_progress")
    if not state or state["total"] - state["cache"] < _SLOW_TOKENS:
        return None
    done = state["processed"] - state["cache"]
    share = 100 * done // (state["total"] - state["cache"])
    spent = state.get("time_ms", 0)
    rate = f", {1000 * done / spent:.0f} tokens/s" if spent and done else ""
    return StatusPart(text=f"{what} ({share} %{rate})") if share < 100 else None
