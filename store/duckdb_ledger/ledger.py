"""The ledger over DuckDB: the truth about sessions, messages, memories and what happened.

One connection on one thread of its own is the only writer; every method waits for that thread.
There is no recall and no vector here: those are a projection that may be deleted at any time.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from os import PathLike
from pathlib import Path
from typing import Any, TypeVar

from skill_agent.errors import StoreError
from skill_agent.ports import Clock
from skill_agent.ports.projections import Projection, State
from skill_agent.values import (
    Access,
    Belongings,
    BelongingsResult,
    Delta,
    FoundSession,
    ImportResult,
    LogEntry,
    Memory,
    MemoryChange,
    MemoryFilter,
    Message,
    ModelCall,
    Occurrences,
    Purge,
    PurgeResult,
    Session,
    VerifyReport,
)

from ..ledger.anchor import Anchors
from ..ledger.journal import DatabaseLost, Journal
from ..ledger.phrase_search import occurrences
from ..ledger.projecting import Projections
from ..ledger.recent import Recent
from ..ledger.verify import verify
from .change_feed import ChangeFeed
from .contents import StoredContents
from .conversations import Conversations
from .database import Database
from .history import History
from .memories import Memories
from .memory_import import import_memories
from .model_calls import ModelCalls
from .opening import Opening, told
from .person_data import import_belongings
from .projected import ProjectedTables
from .purge import purge
from .rewrite import owe, rewrite
from .writing import Writing

Result = TypeVar("Result")

_MOST_TOGETHER = 64
_COUNTED = ("sessions", "messages", "memories", "log")


def utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class _Waiting:
    """A write in the queue, and where its result goes."""

    work: Callable[[], Any]
    done: "Future[Any]"


class DuckLedger:
    """`skill_agent.ports.Ledger` on a DuckDB file; open with `await DuckLedger.open(path)`."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        *,
        user: str = "me",
        recent: Recent | None = None,
        index: Path | None = None,
        as_it_is: bool = False,
    ) -> None:
        self._database = database
        self._recent = recent or Recent(user)
        self._journal = Journal(Writing(database), clock, self._recent)
        anchors = Anchors(database.path, index)
        self._opening = Opening(database, self._journal, anchors, clock, as_it_is=as_it_is)
        self._contents = StoredContents(database)
        self._conversations = Conversations(database, self._journal)
        self._memories = Memories(database, self._journal)
        self._history = History(database, self._journal)
        self._calls = ModelCalls(database, self._journal)
        self._projections = Projections(ProjectedTables(database), self._rows_after)
        self._feed = ChangeFeed(database, self._journal, user)
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="ledger")
        self._waiting: deque[_Waiting] = deque()
        self._closed = False

    @classmethod
    async def open(
        cls,
        path: str | PathLike[str],
        clock: Clock = utc_now,
        *,
        user: str = "me",
        recent: Recent | None = None,
        index: Path | None = None,
        only_reads: bool = False,
        as_it_is: bool = False,
    ) -> "DuckLedger":
        """Opens or creates the file, migrated to the newest schema.

        `user` is the person whose turns these are, `recent` holds what is kept in memory, `index`
        is the folder of the search index, which vouches for the ledger too. With `only_reads`
        nothing is written, and a change raises HomeReadOnly; with `as_it_is` a log that ends too
        early is no error, see `accept_loss`. Raises LedgerTooNew or LedgerBehind
        (nothing changed), HomeBusy if another process has the file, or StoreError. See `warnings`
        for what had to be mended.
        """
        database = Database(Path(path), only_reads=only_reads)
        ledger = cls(database, clock, user=user, recent=recent, index=index, as_it_is=as_it_is)
        try:
            await ledger._run("be opened", lambda: None)
        except BaseException:
            ledger._closed = True
            ledger._thread.shutdown(wait=False)
            raise
        return ledger

    @property
    def warnings(self) -> tuple[str, ...]:
        """Sentences for the person about damage met while opening, or kept aside since."""
        return told(self._database)

    # -- sessions and messages ---------------------------------------------------------------

    async def create_session(self, session: Session) -> Session:
        return await self._save(lambda: self._conversations.create(session))

    async def session(self, session_id: str) -> Session | None:
        self._check_open()
        if (known := self._recent.session(session_id)) is not None:
            return known
        return await self._run("read", lambda: self._conversations.session(session_id))

    async def sessions(
        self,
        *,
        limit: int = 50,
        offset: int = 0,
        archived: bool = False,
        before: tuple[datetime, str] | None = None,
    ) -> list[Session]:
        return await self._run(
            "read", lambda: self._conversations.sessions(limit, offset, archived, before)
        )

    async def find_sessions(
        self,
        text: str,
        *,
        names: Mapping[str, str],
        limit: int = 50,
        before: tuple[datetime, str] | None = None,
    ) -> list[FoundSession]:
        return await self._run("read", lambda: self._conversations.find(text, names, limit, before))

    async def rename_session(self, session_id: str, title: str, *, actor: str) -> None:
        await self._change_session("session.renamed", session_id, actor, title=title)

    async def set_session_agent(self, session_id: str, agent: str) -> None:
        await self._change_session("session.agent_set", session_id, "person", agent=agent)

    async def archive_session(self, session_id: str, *, actor: str) -> None:
        await self._change_session("session.archived", session_id, actor, archived=True)

    async def _change_session(self, kind: str, session_id: str, actor: str, **new: Any) -> None:
        await self._save(lambda: self._conversations.change(kind, session_id, actor, **new))

    async def save_message(self, message: Message) -> Message:
        return await self._save(lambda: self._conversations.save(message))

    async def begin_session(self, session: Session, message: Message) -> Message:
        return await self._save(lambda: self._conversations.begin(session, message))

    async def message(self, message_id: str) -> Message | None:
        return await self._run("read", lambda: self._conversations.message(message_id))

    async def messages(
        self, session_id: str, *, last: int = 0, after: int = -1, limit: int = 0
    ) -> list[Message]:
        self._check_open()
        talk = self._recent.talk(session_id)
        if talk is None and not (last > 0 or limit > 0 or after >= 0):
            return await self._run("read", lambda: self._conversations.talk(session_id))
        if talk is None:
            return await self._run(
                "read", lambda: self._conversations.messages(session_id, last, after, limit)
            )
        found = [one for one in talk if one.position > after]
        found = found[-last:] if last > 0 else found
        return found[:limit] if limit > 0 else found

    async def turn(self, turn_id: str) -> list[Message]:
        return await self._run("read", lambda: self._conversations.turn(turn_id))

    async def open_turns(self) -> list[Message]:
        return await self._run("read", self._conversations.open_turns)

    async def messages_by_id(self, ids: Sequence[str]) -> dict[str, Message]:
        return await self._run("read", lambda: self._conversations.by_id(ids))

    async def search_messages(
        self, text: str, *, limit: int = 50, agent: str | None = None
    ) -> list[Message]:
        return await self._run("read", lambda: self._conversations.search(text, limit, agent))

    # -- memories ----------------------------------------------------------------------------

    async def write_memories(self, changes: Sequence[MemoryChange]) -> list[Memory]:
        return await self._save(lambda: self._memories.write(changes))

    async def import_memories(self, memories: Sequence[Memory], *, actor: str) -> ImportResult:
        return await self._run(
            "save", lambda: import_memories(self._database, self._journal, memories, actor)
        )

    async def memory(self, memory_id: str) -> Memory | None:
        return await self._run("read", lambda: self._memories.memory(memory_id))

    async def memories_by_id(self, ids: Sequence[str]) -> dict[str, Memory]:
        self._check_open()
        known = self._recent.memories(ids)
        if len(known) == len(set(ids)):
            return known
        return await self._run("read", lambda: self._memories.by_id(ids))

    async def memories(self, wanted: MemoryFilter) -> list[Memory]:
        return await self._run("read", lambda: self._memories.list(wanted))

    async def known(self) -> dict[str, int]:
        return await self._run("read", self._memories.known)

    async def memory_types(self, wanted: MemoryFilter) -> dict[str, int]:
        return await self._run("read", lambda: self._memories.types(wanted))

    async def state_at(self, moment: datetime) -> list[Memory]:
        return await self._run("read", lambda: self._memories.at(moment))

    # -- the log -----------------------------------------------------------------------------

    async def note(
        self, kind: str, entity: str, *, actor: str, reason: str = "", data: dict[str, Any]
    ) -> int:
        return await self._save(lambda: self._history.note(kind, entity, actor, reason, data))

    async def log(
        self,
        entity: str | None = None,
        *,
        kinds: tuple[str, ...] = (),
        after: int = 0,
        limit: int = 1000,
    ) -> list[LogEntry]:
        self._check_open()
        if (known := self._recent.log(entity, kinds, after, limit)) is not None:
            return known
        return await self._run("read", lambda: self._history.log(entity, kinds, after, limit))

    def _rows_after(self, kinds: tuple[str, ...], after: int, limit: int) -> list[LogEntry]:
        if (known := self._recent.log(None, kinds, after, limit)) is not None:
            return known
        return self._history.log(None, kinds, after, limit)

    async def accesses(self, ids: Sequence[str], *, since: datetime) -> dict[str, Access]:
        return await self._run("read", lambda: self._history.accesses(ids, since))

    async def projected(self, projection: Projection, keys: Sequence[str]) -> dict[str, State]:
        return await self._run(
            "read", lambda: self._projections.states(projection, keys, self._journal.head.seq)
        )

    async def delta(self, after: int, *, limit: int = 2000) -> Delta:
        self._check_open()
        if (known := self._feed.recent(after, limit)) is not None:
            return known
        return await self._run("read", lambda: self._feed.delta(after, limit))

    async def last_seq(self) -> int:
        self._check_open()
        return self._journal.head.seq

    def forget(self) -> None:
        """Drops what is kept in memory of the tables; answers stay the same."""
        self._recent.forget()

    # -- calls of models ---------------------------------------------------------------------

    async def save_calls(
        self, calls: Sequence[ModelCall], *, seen: int, before: datetime, most_bytes: int
    ) -> None:
        await self._run(
            "save",
            lambda: self._calls.save(calls, seen=seen, before=before, most_bytes=most_bytes),
        )

    async def calls(self, turn_id: str) -> list[ModelCall]:
        return await self._run("read", lambda: self._calls.of_turn(turn_id))

    # -- erasing, taking in ------------------------------------------------------------------

    async def occurrences(self, phrases: Sequence[str]) -> dict[str, Occurrences]:
        return await self._run("read", lambda: occurrences(self._contents, phrases))

    async def purge(self, purge: Purge) -> PurgeResult:
        return await self._run("erase", lambda: self._purge(purge))

    def _purge(self, wanted: Purge) -> PurgeResult:
        owe(self._database)
        done = purge(self._database, self._journal, wanted)
        return replace(done, problem=self._made_anew())

    def _made_anew(self) -> str:
        """Rewrites the file; why that failed, or nothing."""
        try:
            # A copy under way would hold what was erased.
            self._database.copier.stop()
            with self._database.explained("be made anew"):
                rewrite(self._database)
        except StoreError as error:
            return f"{error.message} What was erased is out of use, but its bytes are still there."
        finally:
            self._journal.load_head()
        return ""

    async def import_belongings(
        self, parts: Iterable[Belongings], *, actor: str
    ) -> BelongingsResult:
        return await self._run(
            "save", lambda: import_belongings(self._database, self._journal, parts, actor)
        )

    # -- care --------------------------------------------------------------------------------

    async def verify(self) -> VerifyReport:
        return await self._run("verify", lambda: verify(self._contents))

    async def backup(self, target: str) -> None:
        """Beside the ledger's thread: what is written meanwhile waits for nothing."""
        database, action = self._database, "make a backup"
        try:
            copying = await self._run(
                action, lambda: database.copier.start(database.connection, Path(target))
            )
            await asyncio.wrap_future(copying)
        except asyncio.CancelledError:
            # On the ledger's thread, so that a copy that is only about to start ends as well.
            await self._run(action, database.copier.stop)
            raise
        except StoreError:
            raise
        except Exception as error:  # DuckDB's own, and what the disk says
            raise database.in_words(error, action) from error

    async def accept_loss(self, lost: dict[str, Any]) -> None:
        """Takes the log to end where it ends, and says so in it."""
        await self._run("be accepted", self._opening.accept)
        await self.note("ledger.loss_accepted", "ledger", actor="user", data=lost)

    async def take_calls(self, rows: Sequence[tuple[Any, ...]]) -> None:
        """Rows of `model_calls` from another ledger, as old as the newest of this one's log."""
        await self._run("save", lambda: self._calls.take(rows))

    async def counts(self) -> dict[str, int]:
        return await self._run("read", self._count)

    def _count(self) -> dict[str, int]:
        parts = ", ".join(f"(SELECT count(*) FROM {table})" for table in _COUNTED)
        return dict(zip(_COUNTED, self._database.rows(f"SELECT {parts}")[0], strict=True))

    async def close(self) -> None:
        """Waits for what is under way; closing twice does nothing."""
        if self._closed:
            return
        self._closed = True
        loop = asyncio.get_running_loop()
        try:
            await loop.run_in_executor(self._thread, self._opening.close)
        finally:
            self._thread.shutdown(wait=False)

    # -- the thread --------------------------------------------------------------------------

    def _check_open(self) -> None:
        if self._closed:
            raise StoreError("The ledger is closed.", hint="Open it again.")

    async def _run(self, action: str, work: Callable[[], Result]) -> Result:
        self._check_open()
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, self._anchored, action, work)

    def _anchored(self, action: str, work: Callable[[], Result]) -> Result:
        result = self._attempt(action, work)
        self._opening.hold()
        return result

    async def _save(self, work: Callable[[], Result]) -> Result:
        """As `_run`, but writes that wait for the thread together share one commit."""
        self._check_open()
        waiting = _Waiting(work, Future())
        self._waiting.append(waiting)
        self._thread.submit(self._save_waiting)
        return await asyncio.wrap_future(waiting.done)

    def _save_waiting(self) -> None:
        """Everything that waits now; the calls for what another took find nothing to do."""
        group: list[_Waiting] = []
        while self._waiting and len(group) < _MOST_TOGETHER:
            waiting = self._waiting.popleft()
            if waiting.done.set_running_or_notify_cancel():
                group.append(waiting)
        if len(group) < 2 or not self._saved_together(group):
            for waiting in group:
                self._save_alone(waiting)
        if self._database.is_open:
            self._opening.hold()

    def _saved_together(self, group: "list[_Waiting]") -> bool:
        """False if one of them failed: then nothing is saved, and each is tried by itself."""

        def write() -> list[Any]:
            with self._journal.together():
                return [waiting.work() for waiting in group]

        try:
            results = self._attempt("save", write)
        except Exception:  # whose fault it was shows when each is tried by itself
            return False
        for waiting, result in zip(group, results, strict=True):
            waiting.done.set_result(result)
        return True

    def _save_alone(self, waiting: "_Waiting") -> None:
        try:
            result = self._attempt("save", waiting.work)
        except BaseException as error:  # the wall between the thread and whoever waits
            waiting.done.set_exception(error)
        else:
            waiting.done.set_result(result)

    def _attempt(self, action: str, work: Callable[[], Result]) -> Result:
        """Does the work; once more if a fatal error struck before anything was durable."""
        if not self._database.is_open:
            self._opening.open(self._made_anew)
        try:
            with self._database.explained(action):
                return work()
        except DatabaseLost:
            self._opening.reload()
        try:
            with self._database.explained(action):
                return work()
        except DatabaseLost as error:
            self._opening.reload()
            raise self._database.in_words(error, action) from error
