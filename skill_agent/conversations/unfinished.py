"""Replies as far as they have come, in files: what a killed process had shown is not lost.

A file is there while its turn runs. Whoever opens the home next writes what it finds into the
ledger as a partial reply, and marks every turn that has no end.
"""

import asyncio
import contextlib
import json
import logging
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from skill_agent.errors import SkillAgentError
from skill_agent.events import TurnFailed
from skill_agent.files.private import read_json, write_private
from skill_agent.identifiers import new_id
from skill_agent.ports import Clock, Ledger
from skill_agent.text.whole import whole
from skill_agent.values import ORIGINS, Message, Origin

from .turn_ends import note_end, state_of
from .turn_states import told

EVERY_S = 2.0
"""A growing reply is written down so often at most."""
MOST_BYTES = 16_000_000
CUT_SHORT = "the program ended before the reply was whole"

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Unfinished:
    """A running turn's reply."""

    session: str
    turn: str
    agent: str
    text: str = ""
    origins: tuple[Origin, ...] = ()


class UnfinishedReplies:
    """The folder of those files."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def keep(self, reply: Unfinished) -> None:
        """Raises SkillAgentError or OSError where it cannot be written."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        said = asdict(replace(reply, text=whole(reply.text)))
        write_private(self._file(reply.turn), json.dumps(said))

    def drop(self, turn: str) -> None:
        with contextlib.suppress(OSError):
            self._file(turn).unlink(missing_ok=True)

    def left(self) -> list[Unfinished]:
        """Those of a process that is gone; what cannot be read is put away."""
        found: list[Unfinished] = []
        for file in sorted(self._folder.glob("*.json")):
            try:
                found.append(_read(file))
            except (SkillAgentError, TypeError, KeyError) as problem:
                _log.warning("%s was not read: %s", file.name, problem)
                with contextlib.suppress(OSError):
                    file.replace(file.with_suffix(".unreadable"))
        return found

    def _file(self, turn: str) -> Path:
        return self._folder / f"{turn}.json"


def _read(file: Path) -> Unfinished:
    said = read_json(file, most=MOST_BYTES)
    origins = tuple(one for one in ORIGINS if one in said["origins"])
    found = Unfinished(**{**said, "origins": origins})
    if not all(isinstance(one, str) for one in (found.session, found.turn, found.text)):
        raise TypeError("not what was written")
    return found


class Keeping:
    """Writes one running reply down now and then, beside the event loop."""

    def __init__(self, replies: UnfinishedReplies, begun: Unfinished) -> None:
        self._replies, self._now = replies, begun
        self._last = 0.0
        self._over = asyncio.Event()
        self._writing: asyncio.Task[None] | None = None

    async def begin(self) -> None:
        """Before anything is shown."""
        await self._write()

    def grown(self, text: str, origins: tuple[Origin, ...]) -> None:
        """The reply as it stands now; it is written down soon, with what comes until then."""
        self._now = replace(self._now, text=text, origins=origins)
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._soon())

    async def end(self) -> None:
        """The ledger has it now."""
        self._over.set()
        if self._writing is not None:
            await asyncio.wait([self._writing])
        await asyncio.to_thread(self._replies.drop, self._now.turn)

    async def _soon(self) -> None:
        wait = max(0.0, self._last + EVERY_S - time.monotonic())
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._over.wait(), wait)
            return
        self._last = time.monotonic()
        await self._write()

    async def _write(self) -> None:
        try:
            await asyncio.to_thread(self._replies.keep, self._now)
        except (OSError, SkillAgentError) as problem:  # a turn goes on without
            _log.warning("a running reply is not kept in a file: %s", problem)


async def mark_unfinished(ledger: Ledger, replies: UnfinishedReplies, clock: Clock) -> int:
    """Keeps what a process that is gone had shown, and ends its turns; how many there were.

    It may be cut short and begun again: a turn that has its end is left alone.
    """
    left = {one.turn: one for one in await asyncio.to_thread(replies.left)}
    open_turns = {one.turn: one for one in await ledger.open_turns()}
    marked = 0
    for turn in dict.fromkeys([*left, *open_turns]):
        marked += await _mark(ledger, turn, left.get(turn), clock)
        await asyncio.to_thread(replies.drop, turn)
    return marked


async def _mark(ledger: Ledger, turn: str, reply: Unfinished | None, clock: Clock) -> bool:
    messages = await ledger.turn(turn)
    state = await state_of(ledger, messages)
    if state is None or state.ended_at is not None:
        return False  # its message was erased or never saved, or only the file was left
    if state.state == "finished":
        await note_end(ledger, told(state))
        return False
    kept = state.message_id
    if reply is not None and reply.text.strip() and kept is None:
        kept = await _keep(ledger, messages, reply, clock)
    failed = TurnFailed(
        session=state.session,
        turn=turn,
        agent=state.agent,
        reason="host_lost",
        message=CUT_SHORT,
        hint="ask again",
        message_id=kept,
        text=state.text,
    )
    await note_end(ledger, failed)
    return True


async def _keep(
    ledger: Ledger, messages: Sequence[Message], reply: Unfinished, clock: Clock
) -> str:
    asked = messages[0]
    partial = Message(
        id=new_id(),
        session=asked.session,
        turn=asked.turn,
        role="assistant",
        content=reply.text,
        created_at=clock(),
        agent=asked.agent,
        state="partial",
        origins=reply.origins,
    )
    await ledger.save_message(partial)
    return partial.id
