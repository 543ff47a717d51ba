"""What can be done with a home's backups while it is open, as an interface with its routes.

Restoring is none of it: that is done to a home that nobody holds.
"""

from datetime import datetime
from typing import Protocol

from skill_agent.ports import Progress
from skill_agent.route import route
from skill_agent.values import Backup, BackupCheck, Pruned

ListOfBackups = list[Backup]


class BackupOperations(Protocol):
    """Copies of the whole home, made while it is open."""

    @route("POST", "/v1/backups", scope="admin", status=201, once=True)
    async def create(self, *, passphrase: str = "", progress: Progress | None = None) -> Backup:
        """Makes a backup in the folder of the settings, encrypted where there is a passphrase."""
        ...

    @route("POST", "/v1/backups/elsewhere", scope="admin", local=True, status=201, once=True)
    async def create_in(
        self, to: str, *, passphrase: str = "", progress: Progress | None = None
    ) -> Backup:
        """Makes a backup in a folder of this machine."""
        ...

    @route("GET", "/v1/backups", scope="admin")
    async def list(self) -> ListOfBackups:
        """This home's backups in the folder of the settings, newest first."""
        ...

    @route("POST", "/v1/backups/{backup_id}/verify", scope="admin")
    async def verify(
        self, backup_id: str, *, passphrase: str = "", progress: Progress | None = None
    ) -> BackupCheck:
        """Reads a backup from end to end: digests, the ledger's chain, its head."""
        ...

    @route("POST", "/v1/backups/prune", scope="admin", once=True)
    async def prune(self, *, before: datetime | None = None, dry_run: bool = False) -> Pruned:
        """Removes backups that are older than a moment; without one, what the settings do not
        keep."""
        ...
