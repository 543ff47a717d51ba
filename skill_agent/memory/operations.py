"""What can be done with memories, as interfaces with their routes."""

from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any, Protocol

from skill_agent.errors import UsageError
from skill_agent.ports import Progress
from skill_agent.route import route
from skill_agent.values import (
    Chore,
    ChoreStatus,
    ConsolidationReport,
    Dispute,
    ExpiryReport,
    ExtractionJob,
    FeedbackResult,
    Found,
    ImportPlan,
    ImportResult,
    IndexStatus,
    JobState,
    LanguageCoverage,
    LogEntry,
    Memory,
    MemoryDifference,
    MemoryFilter,
    NewMemory,
    Origin,
    Rating,
    Search,
    Story,
    Update,
    VerifyReport,
)

Memories = list[Memory]  # `list` is a method of the memory
Finds = list[Found]
Entries = list[LogEntry]
Differences = list[MemoryDifference]
Disputes = list[Dispute]
Updates = list[Update]
Jobs = list[ExtractionJob]
Texts = list[str]
Languages = list[LanguageCoverage]
NOTHING_TOLD: Mapping[str, Any] = MappingProxyType({})


class MemoryOperations(Protocol):
    """What can be done with memories."""

    @route("POST", "/v1/memories", scope="memory", status=201, limit="embed", key="key")
    async def add(self, new: NewMemory | str) -> Memory:
        """Keeps one memory; it is on disk when this returns."""
        ...

    @route("GET", "/v1/memories", scope="read", keyset=("created_at", "id"))
    async def list(self, wanted: MemoryFilter | None = None) -> Memories:
        """Memories, the newest first."""
        ...

    @route("POST", "/v1/memories/search", scope="read", limit="search")
    async def search(self, wanted: Search | str, *, progress: Progress | None = None) -> Finds:
        """Memories and messages that have to do with the query, the best first."""
        ...

    @route("POST", "/v1/memories/import", scope="memory", limit="embed")
    async def keep(self, memories: Memories, *, actor: str = "import") -> ImportResult:
        """Keeps memories made elsewhere, each by its own id; doing it twice adds nothing. None of
        them becomes identity, profile, team's or pinned: `plan_import` tells."""
        ...

    @route("POST", "/v1/memories/import/plan", scope="memory", id="plan_memories")
    async def plan_import(self, memories: Memories) -> ImportPlan:
        """Tells what `keep` would make of these."""
        ...

    @route("GET", "/v1/memories/status", scope="read")
    async def status(self) -> IndexStatus:
        """How the index is, and how far another embedder's vectors are."""
        ...

    @route("GET", "/v1/memories/languages", scope="read")
    async def languages(self) -> Languages:
        """What memory can do in each language spoken here lately, and in those it has words of."""
        ...

    @route("GET", "/v1/memories/known", scope="read")
    async def known(self) -> dict[str, int]:
        """How many memories hold of each agent, by slug; of everybody under an empty name."""
        ...

    @route("GET", "/v1/memories/position", scope="read")
    async def position(self) -> int:
        """Sequence of the newest log row, for `written_since`."""
        ...

    @route("GET", "/v1/memories/types", scope="read")
    async def types(self, agent: str | None = None) -> dict[str, int]:
        """How many memories in use there are of each type, or of those an agent may see."""
        ...

    @route("GET", "/v1/memories/changes", scope="read")
    async def written_since(self, position: int) -> Memories:
        """Memories made since a position in the log, as they are now."""
        ...

    @route("GET", "/v1/memories/disputes", scope="read")
    async def disputes(self) -> Disputes:
        """What contradicts what and waits for a decision, the newest first."""
        ...

    @route("GET", "/v1/memories/shares", scope="read")
    async def shares(self) -> Memories:
        """What concerns the team and waits to be shared, the newest first."""
        ...

    @route("GET", "/v1/memories/selves", scope="read")
    async def selves(self) -> Memories:
        """What agents were told of themselves and waits for a person's yes, the newest first."""
        ...

    @route("GET", "/v1/memories/updates", scope="read")
    async def updates(self) -> Updates:
        """Memories about which something newer was said; the newest first."""
        ...

    @route("GET", "/v1/memories/at", scope="read")
    async def at(self, moment: datetime) -> Memories:
        """Every memory as it was at a moment, rebuilt from the log."""
        ...

    @route("GET", "/v1/memories/difference", scope="read")
    async def difference(self, earlier: datetime, later: datetime) -> Differences:
        """What became of the memories between two moments, in order of their creation."""
        ...

    @route("POST", "/v1/memories/verify", scope="admin")
    async def verify(self) -> VerifyReport:
        """Checks every log row against its hash and every memory against the log."""
        ...

    @route("POST", "/v1/memories/rebuild", scope="admin")
    async def rebuild(self, progress: Progress | None = None) -> int:
        """Makes the index again from the ledger; gives how many items it then holds."""
        ...

    @route("POST", "/v1/memories/settle", scope="read")
    async def settle(self, progress: Progress | None = None) -> None:
        """Returns once everything written so far can be found."""
        ...

    @route("GET", "/v1/memories/{memory_id}", scope="read")
    async def get(self, memory_id: str) -> Memory:
        """One memory, by id or unambiguous prefix."""
        ...

    @route("GET", "/v1/memories/{memory_id}/log", scope="read")
    async def log(self, memory_id: str) -> Entries:
        """Every change of a memory, and every prompt it entered."""
        ...

    @route("GET", "/v1/memories/{memory_id}/story", scope="read")
    async def story(self, memory_id: str) -> Story:
        """A memory's whole story: the sentences it came from, its versions, every log row."""
        ...

    @route("POST", "/v1/memories/{memory_id}/pin", scope="memory")
    async def pin(self, memory_id: str, *, actor: str = "person") -> Memory:
        """Pins a memory: always in the prompt within the pinned reserve."""
        ...

    @route("POST", "/v1/memories/{memory_id}/unpin", scope="memory")
    async def unpin(self, memory_id: str, *, actor: str = "person") -> Memory:
        """Takes the pin off; an identity memory keeps it."""
        ...

    @route("DELETE", "/v1/memories/{memory_id}", scope="memory")
    async def forget(self, memory_id: str, *, reason: str = "", actor: str = "person") -> Memory:
        """Archives a memory: out of recall and prompts, recoverable."""
        ...

    @route("POST", "/v1/memories/{memory_id}/restore", scope="memory")
    async def restore(self, memory_id: str, *, reason: str = "", actor: str = "person") -> Memory:
        """Takes a forgotten or expired memory back."""
        ...

    @route("POST", "/v1/memories/{memory_id}/correct", scope="memory", limit="embed")
    async def correct(
        self, memory_id: str, content: str, *, reason: str = "", actor: str = "person"
    ) -> Memory:
        """Puts a new version in a memory's place and gives it."""
        ...

    async def corrected(
        self,
        memory_id: str,
        content: str,
        *,
        origins: tuple[Origin, ...] = (),
        told: Mapping[str, Any] = NOTHING_TOLD,
        reason: str = "",
        actor: str = "person",
    ) -> Memory:
        """As `correct`, in others' words: what they wrote has none of the person's standing.
        `told` is kept as metadata. In the process of the host only."""
        ...

    @route("POST", "/v1/memories/{memory_id}/adopt", scope="memory")
    async def adopt(self, memory_id: str, *, actor: str = "person") -> Memory:
        """Makes a memory part of who its agent is: always in its prompt."""
        ...

    @route("POST", "/v1/memories/{memory_id}/share", scope="memory")
    async def share(self, memory_id: str, *, actor: str = "person") -> Memory:
        """Makes a memory every agent's; who heard it is kept."""
        ...

    @route("POST", "/v1/memories/{memory_id}/unshare", scope="memory")
    async def unshare(
        self, memory_id: str, *, agent: str | None = None, actor: str = "person"
    ) -> Memory:
        """Gives a shared memory back to who heard it, or to `agent`; one that waits stays where it
        is and waits no longer."""
        ...

    @route("POST", "/v1/memories/{memory_id}/resolve", scope="memory", once=True)
    async def resolve(
        self,
        memory_id: str,
        *,
        both: bool = False,
        undo: bool = False,
        reason: str = "",
        actor: str = "person",
    ) -> Memories:
        """Ends a dispute or an update: this memory is right, or, with `both`, all of them are;
        `undo` takes back that one gave way to another."""
        ...

    async def import_rows(
        self,
        rows: Iterable[dict[str, Any]],
        *,
        actor: str = "import",
        progress: Progress | None = None,
        total: int = 0,
        refused: Callable[[UsageError], None] | None = None,
    ) -> ImportResult:
        """Keeps rows of the interchange form in chunks, by `keep`."""
        ...

    async def plan_rows(
        self,
        rows: Iterable[dict[str, Any]],
        *,
        refused: Callable[[UsageError], None] | None = None,
    ) -> ImportPlan:
        """Tells what `import_rows` would make of these, by `plan_import`."""
        ...

    def export(self, wanted: MemoryFilter | None = None) -> AsyncIterator[dict[str, Any]]:
        """Rows of the interchange form, the newest first, by `list`."""
        ...


class ExtractionOperations(Protocol):
    """What was read for memories, what waits, what failed."""

    @route("GET", "/v1/extractions", scope="read")
    async def list(self, states: tuple[JobState, ...] = (), *, limit: int = 50) -> Jobs:
        """Stretches of conversations to be read, the newest first."""
        ...

    @route("POST", "/v1/extractions/{job_id}/retry", scope="memory", once=True)
    async def retry(self, job_id: str) -> ExtractionJob:
        """Puts a failed one back into the queue."""
        ...

    @route("POST", "/v1/extractions/run", scope="memory", id="extract")
    async def run(
        self, session: str | None = None, *, again: bool = False, progress: Progress | None = None
    ) -> Jobs:
        """Reads for memories what nobody has read yet, of one conversation or all."""
        ...


class UpkeepOperations(Protocol):
    """Consolidation and expiry."""

    @route("POST", "/v1/upkeep/consolidate", scope="memory")
    async def consolidate(
        self, *, dry_run: bool = False, summarise: bool = True, progress: Progress | None = None
    ) -> ConsolidationReport:
        """Merges, sums up (with a model able to), moves between tiers."""
        ...

    @route("POST", "/v1/upkeep/expire", scope="memory")
    async def expire(self, *, dry_run: bool = False) -> ExpiryReport:
        """Archives what has run out."""
        ...

    @route("GET", "/v1/upkeep/{chore}", scope="read")
    async def status(self, chore: Chore) -> ChoreStatus:
        """When a chore ran, when it is due, what it did in all its runs."""
        ...


class FeedbackOperations(Protocol):
    """Ratings of replies."""

    @route("POST", "/v1/feedback", scope="memory")
    async def rate(
        self, ref: str, rating: Rating, comment: str = "", *, actor: str = "person"
    ) -> FeedbackResult:
        """Rates a reply by id, prefix or `latest`; the same rating again does nothing."""
        ...

    @route("POST", "/v1/feedback/lookup", scope="read")
    async def of(self, message_ids: Texts) -> dict[str, Rating]:
        """The last rating of each reply that has one."""
        ...
