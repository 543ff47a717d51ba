"""Ledgers in files that no process holds, as backups carry them: how far they go, whether whole.

Blocking, so it is called in a thread of its own; each look opens the file and closes it again.
"""

import asyncio
from pathlib import Path

from skill_agent.values import LedgerHead, VerifyReport

from .database import Database
from .ledger import DuckLedger
from .schema import check_version, stored_version


class DuckCopies:
    """`skill_agent.ports.LedgerCopies` for DuckDB files."""

    def head(self, file: Path) -> LedgerHead:
        """Changes nothing, whatever schema it has; raises StoreError for what is no ledger."""
        database = Database(file)
        with database.explained("be looked at"), database.read_only() as connection:
            schema = stored_version(connection)
            row = connection.execute(
                "SELECT seq, hash FROM log ORDER BY seq DESC LIMIT 1"
            ).fetchone()
        seq, said = row or (0, "")
        return LedgerHead(seq=seq, hash=said, schema=schema)

    def verify(self, file: Path) -> VerifyReport:
        """Everything in it; one of an older schema is migrated, so give it a copy. Raises
        LedgerTooNew for a newer one."""
        check_version(self.head(file).schema)
        return asyncio.run(_verified(file))


async def _verified(file: Path) -> VerifyReport:
    ledger = await DuckLedger.open(file)
    try:
        return await ledger.verify()
    finally:
        await ledger.close()
