"""What can be done with everything about a person, as interfaces with their routes."""

from typing import Protocol

from skill_agent.ports import Progress
from skill_agent.route import route
from skill_agent.values import (
    Erasure,
    ErasureReport,
    FileKind,
    ImportPlan,
    ImportResult,
    UserErasure,
    UserExport,
    UserImport,
)


class ErasureOperations(Protocol):
    """Erasing memories for good."""

    @route("POST", "/v1/erasures/plan", scope="admin")
    async def plan(self, memory_ids: list[str]) -> Erasure:
        """Tells exactly what erasing these memories would take away."""
        ...

    @route("POST", "/v1/erasures", scope="admin", once=True)
    async def erase(
        self, memory_ids: list[str], *, expected: str, reason: str = "", actor: str = "person"
    ) -> ErasureReport:
        """Erases what a plan named; a digest other than that plan's is refused."""
        ...


class UserOperations(Protocol):
    """Everything about the person: taken along, brought in, erased."""

    @route("POST", "/v1/user/export", scope="admin", local=True)
    async def export(
        self, path: str, progress: Progress | None = None, *, secrets: bool = False
    ) -> UserExport:
        """Writes everything about the person into one zip on this machine; credentials are
        masked, unless `secrets`."""
        ...

    @route("POST", "/v1/user/import/plan", scope="admin", local=True)
    async def plan_import(self, path: str, *, trust: bool = False, key: str = "") -> ImportPlan:
        """Tells what `import_` would bring in, and what of it as less or not at all."""
        ...

    @route("POST", "/v1/user/import", scope="admin", local=True)
    async def import_(
        self,
        path: str,
        *,
        trust: bool = False,
        key: str = "",
        progress: Progress | None = None,
    ) -> UserImport:
        """Brings in what another home exported; doing it twice adds nothing. With `trust`
        everything comes in as it is, if this home signed it or the one whose `key` is named."""
        ...

    @route("POST", "/v1/user/memories/plan", scope="admin", local=True, id="plan_signed_memories")
    async def plan_memories(self, path: str, *, key: str = "") -> ImportPlan:
        """Tells what `import_memories` would bring in."""
        ...

    @route("POST", "/v1/user/memories", scope="admin", local=True, id="import_signed_memories")
    async def import_memories(
        self, path: str, *, key: str = "", progress: Progress | None = None
    ) -> ImportResult:
        """Brings in a signed file of memories as they are; `key` as with `import_`."""
        ...

    @route("POST", "/v1/user/signatures", scope="admin", local=True, id="sign_file")
    async def sign(self, path: str) -> str:
        """Signs a file on this machine, beside it; gives the public key of this home."""
        ...

    @route("POST", "/v1/user/erasure/plan", scope="admin")
    async def plan_purge(self) -> UserErasure:
        """Tells what `erase` would take away."""
        ...

    @route("POST", "/v1/user/erasure", scope="admin", once=True)
    async def erase(
        self, *, expected: str, reason: str = "", actor: str = "person"
    ) -> ErasureReport:
        """Erases every conversation and memory of the person; `expected` as with memories."""
        ...

    @route("POST", "/v1/written-files", scope="admin", local=True, id="note_written")
    async def note_written(self, path: str, kind: FileKind) -> None:
        """Keeps a file written outside the home in mind, so that erasing reaches it."""
        ...
