"""What can be done with what comes from other programs, as an interface with its routes."""

from typing import Protocol

from skill_agent.ports import Progress
from skill_agent.route import route
from skill_agent.values import (
    BatchUndo,
    ErasureReport,
    ImportBatch,
    PastPlan,
    PastRequest,
    Unconfirmed,
)

Batches = list[ImportBatch]  # `list` is a method


class ImportOperations(Protocol):
    """Conversations, memories and notes of other programs: brought in, vouched for, taken back."""

    @route("POST", "/v1/imports/plan", scope="admin", local=True)
    async def plan(self, wanted: PastRequest, *, progress: Progress | None = None) -> PastPlan:
        """Tells what a file or folder on this machine holds; keeps nothing."""
        ...

    @route("POST", "/v1/imports", scope="admin", local=True)
    async def bring(
        self, wanted: PastRequest, *, progress: Progress | None = None
    ) -> ImportBatch | None:
        """Brings it in, in pieces each of which is on disk once counted; what is here already is
        not taken twice, so one that was cut short is simply asked for again. None where nothing
        was new."""
        ...

    @route("POST", "/v1/imports/begun", scope="memory")
    async def begin(self, path: str) -> str:
        """Begins a batch for rows that the caller keeps himself, by `memory.keep` with the actor
        `import ID`; one of the same path that was cut short goes on. Gives its id."""
        ...

    @route("POST", "/v1/imports/{ref}/end", scope="memory")
    async def end(self, ref: str) -> ImportBatch:
        """Ends a batch that was begun so: counts what came in with it."""
        ...

    @route("GET", "/v1/imports", scope="read")
    async def list(self) -> Batches:
        """What came in, the newest first, and how far its reading is."""
        ...

    @route("GET", "/v1/imports/{ref}/unconfirmed", scope="read")
    async def unconfirmed(self, ref: str) -> Unconfirmed:
        """What nobody has vouched for yet: of a batch, or of one memory, by id or its beginning."""
        ...

    @route("POST", "/v1/imports/{ref}/confirm", scope="memory")
    async def confirm(self, ref: str, *, actor: str = "person") -> int:
        """Vouches for a batch's memories, those read from its conversations so far among them, or
        for one memory: they count as the person's own words. Gives how many."""
        ...

    @route("GET", "/v1/imports/{ref}/undo", scope="read")
    async def plan_undo(self, ref: str) -> BatchUndo:
        """Tells what `undo` would take away, and what would stay."""
        ...

    @route("POST", "/v1/imports/{ref}/undo", scope="admin", once=True)
    async def undo(self, ref: str, *, expected: str, actor: str = "person") -> ErasureReport:
        """Erases what came in with a batch, as far as nobody vouched for it or built on it; a
        digest other than that of `plan_undo` is refused."""
        ...
