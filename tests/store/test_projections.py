"""What is folded from the log is what folding all of it gives, whatever happened in between."""

import gzip
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from skill_agent.store.duckdb_ledger.ledger import DuckLedger

from skill_agent.conversations.figures import totals
from skill_agent.conversations.usage import add
from skill_agent.memory.book import MemoryBook
from skill_agent.memory.feedback import Feedback
from skill_agent.memory.recall.projector import Projector
from skill_agent.ports import Clock, MemoryIndex
from skill_agent.ports.projections import Projection, State
from skill_agent.values import Belongings, LogEntry, Note, Purge, Usage, UsageTotals

OLD = Path(__file__).parent / "fixtures" / "ledger-v1.duckdb.gz"
"""Two sessions of twelve turns, three ratings, one purge; made by the last version without
projections."""


class Counted:
    """A projection that counts rows by entity, and how often it was told of one."""

    def __init__(self, version: int = 1) -> None:
        self.steps: Counter[int] = Counter()
        self.projection = Projection(
            name="counted", version=version, kinds=("seen",), keys=self._keys, step=self._step
        )

    def _keys(self, row: LogEntry) -> list[str]:
        return [row.entity]

    def _step(self, key: str, state: State | None, row: LogEntry) -> State:
        self.steps[row.seq] += 1
        said = (row.new or {"n": 0})["n"]
        return {"rows": (state or {"rows": 0})["rows"] + 1, "last": said}


async def see(ledger: DuckLedger, entity: str, n: int) -> int:
    return await ledger.note("seen", entity, actor="x", data={"n": n})


async def test_every_row_is_folded_once_and_kept(open_ledger) -> None:
    counted, ledger = Counted(), await open_ledger()
    assert await ledger.projected(counted.projection, ["a"]) == {}
    for n in range(3):
        await see(ledger, "ab"[n % 2], n)
        await ledger.note("other", "a", actor="x", data={})
    assert await ledger.projected(counted.projection, ["a", "b", "c"]) == {
        "a": {"rows": 2, "last": 2},
        "b": {"rows": 1, "last": 1},
    }
    await see(ledger, "b", 9)
    await ledger.close()
    ledger = await open_ledger()
    assert await ledger.projected(counted.projection, ["b"]) == {"b": {"rows": 2, "last": 9}}
    assert await ledger.projected(counted.projection, []) == {}
    assert set(counted.steps.values()) == {1} and len(counted.steps) == 4


async def test_another_version_is_folded_anew(ledger) -> None:
    await see(ledger, "a", 1)
    await ledger.projected(Counted().projection, ["a"])
    newer = Counted(version=2)
    assert await ledger.projected(newer.projection, ["a"]) == {"a": {"rows": 1, "last": 1}}
    assert newer.steps.total() == 1


async def test_a_fold_that_fails_leaves_what_was(ledger) -> None:
    counted = Counted()
    await see(ledger, "a", 1)
    await ledger.projected(counted.projection, ["a"])
    await ledger.note("seen", "a", actor="x", data={"nothing": 1})
    for _ in range(2):
        try:
            await ledger.projected(counted.projection, ["a"])
        except KeyError:
            continue
        raise AssertionError("a row without its number was folded")
    await see(ledger, "a", 2)
    assert (await ledger.verify()).problems == ()


async def test_what_is_erased_is_gone_from_projections(ledger, ledger_path) -> None:
    counted = Counted()
    gone = await see(ledger, "zq-entity", 7)
    await see(ledger, "b", 1)
    before = await ledger.projected(counted.projection, ["zq-entity", "b"])
    assert before["zq-entity"] == {"rows": 1, "last": 7}
    await ledger.purge(Purge(notes=(gone,), actor="x"))
    after = await ledger.projected(counted.projection, ["zq-entity", "b"])
    assert after == {"zq-entity": {"rows": 1, "last": 0}, "b": {"rows": 1, "last": 1}}


async def test_what_was_kept_is_not_in_the_file_after_a_purge(ledger, ledger_path) -> None:
    secret = Projection(
        name="said",
        version=1,
        kinds=("seen",),
        keys=lambda row: ["key"],
        step=lambda key, state, row: {"said": (row.new or {}).get("said")},
    )
    row = await ledger.note("seen", "a", actor="x", data={"said": "zqzqzq"})
    assert await ledger.projected(secret, ["key"]) == {"key": {"said": "zqzqzq"}}
    await ledger.purge(Purge(notes=(row,), actor="x"))
    assert await ledger.projected(secret, ["key"]) == {"key": {"said": None}}
    await ledger.close()
    assert b"zqzqzq" not in b"".join(file.read_bytes() for file in ledger_path.parent.iterdir())


# -- usage and ratings -----------------------------------------------------------------------


async def used(ledger: DuckLedger, n: int) -> int:
    data = {"session": f"s{n % 2}", "model": "m", "prompt_tokens": 10 + n, "cost_usd": n / 4}
    return await ledger.note("usage", f"turn-{n}", actor="kyra", data=data)


async def all_read(ledger: DuckLedger, now: datetime) -> UsageTotals:
    """The same, by reading every row."""
    rows = await ledger.log(kinds=("usage",), limit=10_000)
    usages = [
        Usage(**{name: value for name, value in (row.new or {}).items() if name != "session"})
        for row in rows
    ]
    total = today = Usage()
    for row, usage in zip(rows, usages, strict=True):
        total = add(total, usage)
        if row.at.astimezone().date() == now.astimezone().date():
            today = add(today, usage)
    last = usages[-1] if usages else Usage()
    return UsageTotals(last=last, today=today, total=total, turns=len(rows))


async def test_totals_are_those_of_every_row(ledger, clock: Clock) -> None:
    assert await totals(ledger, clock()) == await all_read(ledger, clock())
    for n in range(5):
        await used(ledger, n)
        assert await totals(ledger, clock()) == await all_read(ledger, clock())
    at = clock() - timedelta(days=1)
    old = Note(kind="usage", entity="t", actor="x", at=at, data={"prompt_tokens": 7})
    await ledger.import_belongings([Belongings(notes=(old,))], actor="x")
    assert await totals(ledger, clock()) == await all_read(ledger, clock())
    assert await totals(ledger, at) == await all_read(ledger, at)
    gone = (await ledger.log(kinds=("usage",)))[2].seq
    await ledger.purge(Purge(notes=(gone,), actor="x"))
    assert await totals(ledger, clock()) == await all_read(ledger, clock())


async def no_index() -> MemoryIndex:
    raise AssertionError("nothing here needs the index")


def unpacked(target: Path) -> Path:
    target.parent.mkdir(parents=True)
    target.write_bytes(gzip.decompress(OLD.read_bytes()))
    return target


async def test_an_older_ledger_is_caught_up(
    ledger_path: Path, open_ledger: Callable, clock: Clock
) -> None:
    unpacked(ledger_path)
    ledger = await open_ledger()
    assert (await ledger.verify()).problems == ()
    rows = await ledger.log(limit=1_000)
    now = datetime(2026, 11, 20, 12, tzinfo=UTC)
    found = await totals(ledger, now)
    # As the version that made it told them.
    assert found.total == Usage(
        model="tiny",
        prompt_tokens=1166,
        completion_tokens=66,
        cached_tokens=550,
        cost_usd=16.5,
        first_token_s=0.5,
        total_s=16.5,
    )
    assert (found.turns, found.last) == (12, replace(found.last, prompt_tokens=111))
    assert found == await all_read(ledger, now)
    book = MemoryBook(ledger, Projector(ledger, no_index), clock, "me")
    feedback = Feedback(ledger, book, clock)
    replies = [f"reply-{n}" for n in range(12)]
    assert await feedback.of(replies) == {"reply-3": "down", "reply-4": "down"}
    assert await ledger.log(limit=1_000) == rows
    assert (await ledger.verify()).problems == ()
