"""Ledgers on real files, and short ways to make what goes into them."""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from skill_agent.store.duckdb_ledger.ledger import DuckLedger

from skill_agent.ports import Clock
from skill_agent.values import Memory, MemoryChange, Message, Session

START = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)


class Maker:
    """Values with everything filled in that a test does not care about."""

    def __init__(self) -> None:
        self._numbers = count(1)

    def memory(self, content: str = "", **fields: Any) -> Memory:
        number = next(self._numbers)
        defaults: dict[str, Any] = {
            "id": f"memory-{number:06d}",
            "content": content or f"Fact number {number}.",
            "created_at": START,
            "updated_at": START,
        }
        return Memory(**{**defaults, **fields})

    def session(self, agent: str = "kyra", **fields: Any) -> Session:
        defaults: dict[str, Any] = {
            "id": f"session-{next(self._numbers):06d}",
            "title": "Release day",
            "created_at": START,
            "updated_at": START,
        }
        return Session(agent=agent, **{**defaults, **fields})

    def message(self, session: Session, content: str = "Hello", **fields: Any) -> Message:
        number = next(self._numbers)
        defaults: dict[str, Any] = {
            "id": f"message-{number:06d}",
            "turn": f"turn-{number}",
            "role": "user",
            "created_at": START,
        }
        return Message(session=session.id, content=content, **{**defaults, **fields})

    def created(self, content: str = "", *, actor: str = "user", **fields: Any) -> MemoryChange:
        return MemoryChange(
            kind="memory.created", memory=self.memory(content, **fields), actor=actor
        )


OpenLedger = Callable[..., Awaitable[DuckLedger]]


@pytest.fixture
def make() -> Maker:
    return Maker()


@pytest.fixture
def ledger_path(tmp_path: Path) -> Path:
    return tmp_path / "store" / "ledger.duckdb"


@pytest.fixture
async def open_ledger(ledger_path: Path, clock: Clock) -> AsyncIterator[OpenLedger]:
    """Opens the test's ledger, or another; all are closed at the end."""
    opened: list[DuckLedger] = []

    async def open_one(path: Path | None = None) -> DuckLedger:
        ledger = await DuckLedger.open(path or ledger_path, clock)
        opened.append(ledger)
        return ledger

    yield open_one
    for ledger in opened:
        await ledger.close()


@pytest.fixture
async def ledger(open_ledger: OpenLedger) -> DuckLedger:
    return await open_ledger()
