"""One reply in one chat: messages that grow by edits while it is made, and end as what was said.

What is shown in between is a courtesy, given up where Telegram asks to wait; the last state is not.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any

from .line import Flooded, Line, LineError, OtherCopy, Refused, Unreachable
from .rendering import Part, parts_of

_LAST_WORDS_S = 5.0

Kept = Callable[[tuple[int, ...], bool], Awaitable[None]]
"""Writes down which messages carry the reply, and whether all of it is there."""


class Reply:
    """The messages of one reply."""

    def __init__(
        self,
        line: Line,
        chat: int,
        kept: Kept,
        *,
        sent: Sequence[int] = (),
        reply_to: int | None = None,
    ) -> None:
        """`sent` are messages that an earlier process began it in."""
        self._line, self._chat, self._kept, self._reply_to = line, chat, kept, reply_to
        self._messages: list[tuple[int, Part | None]] = [(one, None) for one in sent]
        """Ids, with what each shows as far as it is known."""

    async def draft(self, text: str) -> None:
        """Shows what there is so far, if that is possible now."""
        parts = parts_of(text)
        try:
            for number, part in enumerate(parts):
                await self._put(number, part)
        except (Flooded, Unreachable, OtherCopy, Refused):
            return  # the next one, or the end, shows it

    async def finish(self, text: str, *, otherwise: str) -> None:
        """Shows the whole of it, however long Telegram has to be asked; raises Refused where the
        chat takes nothing any more."""
        parts = parts_of(text) or parts_of(otherwise)
        for number, part in enumerate(parts):
            await self._line.surely(lambda at=number, one=part: self._put(at, one))
        for message, _ in self._messages[len(parts) :]:
            try:
                await self._line.surely(lambda one=message: self._line.delete(self._chat, one))
            except LineError:  # somebody deleted it before
                continue
        del self._messages[len(parts) :]
        await self._kept(self.ids, True)

    @property
    def ids(self) -> tuple[int, ...]:
        return tuple(one for one, _ in self._messages)

    async def _add(self, part: Part, reply_to: int | None) -> None:
        message = await self._line.post(self._chat, part, reply_to=reply_to)
        self._messages.append((message, part))
        await self._kept(self.ids, False)

    async def _put(self, number: int, part: Part) -> None:
        if number >= len(self._messages):
            await _uncut(self._add(part, self._reply_to if number == 0 else None))
            return
        message, shown = self._messages[number]
        if shown == part:
            return
        try:
            await self._line.edit(self._chat, message, part)
        except Refused as refused:
            if "to edit not found" not in refused.message.lower():
                raise
            message = await self._line.post(self._chat, part)  # it was deleted: said once more
        self._messages[number] = message, part


async def _uncut(sending: Coroutine[Any, Any, None]) -> None:
    """Whoever ends while a message is on its way waits a little, to write down that it is there."""
    task = asyncio.ensure_future(sending)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task], timeout=_LAST_WORDS_S)
        task.cancel()
        raise
