"""What the core asks of the two stores, as Protocols; no implementation lives here."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from skill_agent.ports.projections import Projection, State
from skill_agent.values import (
    Access,
    Belongings,
    BelongingsResult,
    Delta,
    FoundSession,
    Hit,
    ImportResult,
    LedgerHead,
    LogEntry,
    Memory,
    MemoryChange,
    MemoryFilter,
    Message,
    ModelCall,
    Occurrences,
    Purge,
    PurgeResult,
    Rebuilding,
    RecallQuery,
    Scope,
    Session,
    Similar,
    VerifyReport,
)

from .callbacks import Progress


class Ledger(Protocol):
    """The truth: sessions, messages and the append-only log. Returning means on disk."""

    @property
    def warnings(self) -> tuple[str, ...]:
        """What was found odd when it was opened."""
        ...

    async def create_session(self, session: Session) -> Session: ...
    async def session(self, session_id: str) -> Session | None: ...
    async def sessions(
        self,
        *,
        limit: int = 50,
        offset: int = 0,
        archived: bool = False,
        before: tuple[datetime, str] | None = None,
    ) -> list[Session]:
        """Newest activity first; `before` is (updated_at, id) of the last one already had."""
        ...

    async def find_sessions(
        self,
        text: str,
        *,
        names: Mapping[str, str],
        limit: int = 50,
        before: tuple[datetime, str] | None = None,
    ) -> list[FoundSession]:
        """As `sessions`, those whose title and agent (`names` by slug) hold every word of the text,
        or of which a message contains the text; case does not count."""
        ...

    async def rename_session(self, session_id: str, title: str, *, actor: str) -> None: ...
    async def set_session_agent(self, session_id: str, agent: str) -> None: ...
    async def archive_session(self, session_id: str, *, actor: str) -> None:
        """Takes a session off the list and its turns out of recall; nothing is erased."""
        ...

    async def save_message(self, message: Message) -> Message:
        """Gives the message its position; raises StoreError for an unknown session."""
        ...

    async def begin_session(self, session: Session, message: Message) -> Message:
        """Creates the session with its first message, both or neither."""
        ...

    async def message(self, message_id: str) -> Message | None: ...
    async def messages(
        self, session_id: str, *, last: int = 0, after: int = -1, limit: int = 0
    ) -> list[Message]:
        """In order, of positions greater than `after`; `last` > 0 keeps only that many from the
        end, `limit` > 0 from the beginning."""
        ...

    async def turn(self, turn_id: str) -> list[Message]:
        """A turn's messages in order, as `messages` gives them; empty for an unknown turn."""
        ...

    async def open_turns(self) -> list[Message]:
        """The persons' messages whose turn has no note of its end, since such notes are written."""
        ...

    async def search_messages(
        self, text: str, *, limit: int = 50, agent: str | None = None
    ) -> list[Message]:
        """Messages containing the text, ignoring case, newest first."""
        ...

    async def write_memories(self, changes: Sequence[MemoryChange]) -> list[Memory]:
        """All or none; each change is one log row."""
        ...

    async def import_memories(self, memories: Sequence[Memory], *, actor: str) -> ImportResult:
        """One transaction, built for thousands of rows; idempotent by id."""
        ...

    async def memory(self, memory_id: str) -> Memory | None:
        """By id or unambiguous prefix of at least 6 characters; raises NotFound if ambiguous."""
        ...

    async def memories_by_id(self, ids: Sequence[str]) -> dict[str, Memory]:
        """Those that exist, by exact id."""
        ...

    async def memories(self, wanted: MemoryFilter) -> list[Memory]:
        """Newest first."""
        ...

    async def memory_types(self, wanted: MemoryFilter) -> dict[str, int]:
        """How many memories of each type a listing without limits would give."""
        ...

    async def messages_by_id(self, ids: Sequence[str]) -> dict[str, Message]:
        """Those that exist, by exact id, without their data blocks."""
        ...

    async def accesses(self, ids: Sequence[str], *, since: datetime) -> dict[str, Access]:
        """How often each entered a prompt (`recalled` rows naming it), and since a moment; ids
        that never did are left out."""
        ...

    async def note(
        self, kind: str, entity: str, *, actor: str, reason: str = "", data: dict[str, Any]
    ) -> int:
        """A log row that changes no memory (recalled, usage, approval …); returns its seq.

        Kind `recalled` has a message as entity and the data `session`, `memories` (item ids) and
        `block`; `messages` gives the block back as `Message.context`.
        """
        ...

    async def log(
        self,
        entity: str | None = None,
        *,
        kinds: tuple[str, ...] = (),
        after: int = 0,
        limit: int = 1000,
    ) -> list[LogEntry]:
        """In order of sequence. `recalled` rows naming a memory belong to its log too."""
        ...

    async def projected(self, projection: Projection, keys: Sequence[str]) -> dict[str, State]:
        """The states of those keys that have one, as of the last row."""
        ...

    async def known(self) -> dict[str, int]:
        """How many memories hold, by owning agent; under an empty name those without one."""
        ...

    async def state_at(self, moment: datetime) -> list[Memory]:
        """Every memory as it was then, rebuilt from the log alone."""
        ...

    async def delta(self, after: int, *, limit: int = 2000) -> Delta:
        """What changed after a sequence, each entity once in its newest state."""
        ...

    async def last_seq(self) -> int: ...
    async def save_calls(
        self, calls: Sequence[ModelCall], *, seen: int, before: datetime, most_bytes: int
    ) -> None:
        """Keeps calls of models, and drops those made before a moment and the oldest past a size.

        They are no part of the log. Those of a turn that began at sequence `seen` are left out
        where something was erased after that; a purge takes all that were kept since what it
        erases was first there."""
        ...

    async def calls(self, turn_id: str) -> list[ModelCall]:
        """A turn's calls that are still kept, in order."""
        ...

    async def occurrences(self, phrases: Sequence[str]) -> dict[str, Occurrences]:
        """Where each phrase stands, by phrase; reads everything, so it takes its time."""
        ...

    async def purge(self, purge: Purge) -> PurgeResult:
        """Erases in one transaction, then makes the file anew so that no byte of it stays.

        The chain still verifies: rows keep their digests and lose what they said.
        """
        ...

    async def import_belongings(
        self, parts: Iterable[Belongings], *, actor: str
    ) -> BelongingsResult:
        """One transaction over all parts, which are read again where it must be begun again. What
        exists already is left alone, so it may be repeated. Notes keep their time as
        `LogEntry.at`."""
        ...

    async def verify(self) -> VerifyReport: ...
    async def backup(self, target: str) -> None:
        """A consistent copy into a new database file, made by the database itself while others
        write; raises StoreError where the ledger is closed or purged meanwhile."""
        ...

    async def counts(self) -> dict[str, int]:
        """`sessions`, `messages`, `memories`, `log`."""
        ...

    async def close(self) -> None: ...


class LedgerCopies(Protocol):
    """Ledgers in files that no process holds, as backups carry them; blocking."""

    def head(self, file: Path) -> LedgerHead:
        """How far it goes; the file is not changed. Raises StoreError for what is no ledger."""
        ...

    def verify(self, file: Path) -> VerifyReport:
        """Everything in it. One of an older schema is migrated, so give it a copy; raises
        LedgerTooNew for a newer one."""
        ...


class MemoryIndex(Protocol):
    """A projection of the ledger for recall; may be deleted and rebuilt at any time."""

    @property
    def embedder(self) -> str:
        """Name of the embedder whose vectors answer now."""
        ...

    @property
    def problem(self) -> str:
        """Why recall goes by words alone; empty while it does not."""
        ...

    @property
    def rebuilding(self) -> Rebuilding | None:
        """How far the vectors of a newly chosen embedder are; None while none are wanted."""
        ...

    async def rebuilt_to(self) -> int:
        """Highest ledger sequence in the vectors being built; 0 where there are none."""
        ...

    async def grow(self, delta: Delta) -> None:
        """Applies what follows `rebuilt_to` to the vectors being built, which take over once they
        have seen all the serving ones have. Raises ModelUnavailable."""
        ...

    async def scrub(self) -> None:
        """Afterwards no file of the index, nor its copy in memory, holds a byte of anything removed
        or replaced. Raises OSError where an old file cannot be deleted."""
        ...

    async def watermark(self) -> int:
        """Highest ledger sequence reflected; 0 for a new index."""
        ...

    async def apply(self, delta: Delta, progress: Progress | None = None) -> None:
        """Upserts and removes, idempotently, and moves the watermark to `up_to`."""
        ...

    async def recall(self, query: RecallQuery) -> list[Hit]:
        """Best first, at most `query.limit`, visibility enforced inside the query."""
        ...

    async def similar(
        self, texts: Sequence[str], *, scope: Scope, limit: int = 8
    ) -> list[list[Similar]]:
        """For each text the memories in scope nearest to it, best first, compared bare: cosine of
        the texts alone. Without an embedder: the share of word stems they have in common."""
        ...

    async def near_pairs(self, *, above: float, scope: Scope) -> list[tuple[str, str, float]]:
        """Pairs of memories in scope whose bare texts are nearer than `above`, nearest first."""
        ...

    async def tend(self) -> None:
        """Compaction and ANN building; called by the host when idle."""
        ...

    async def reset(self) -> None:
        """Empties the index; the next `apply` starts from 0."""
        ...

    async def counts(self) -> dict[str, int]: ...
    async def close(self) -> None: ...
