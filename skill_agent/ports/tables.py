"""What the core asks of whoever computes with tables, as Protocols."""

from contextlib import AbstractAsyncContextManager
from typing import Protocol

from skill_agent.values import QueryResult, RawTable, TableProfile


class Sheet(Protocol):
    """One loaded table. It reads nothing but the table: no file, no network, no setting."""

    @property
    def profile(self) -> TableProfile: ...

    async def query(self, sql: str) -> QueryResult:
        """One SELECT over the table, within limits of time, memory, rows and characters.

        Raises ToolFailed for anything else, in words a model can act on.
        """
        ...


class TableReader(Protocol):
    """Loads tables into memory, each by itself."""

    def opened(self, table: RawTable) -> AbstractAsyncContextManager[Sheet]:
        """The table loaded and looked at, gone when the context ends. Raises ToolFailed where it
        is too large."""
        ...
