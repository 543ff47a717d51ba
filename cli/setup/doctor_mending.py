"""What `ska doctor` mends when it is asked to: a damaged ledger, and one that ends too early.

Under the home's lock and over the files alone: the home itself need not open.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import typer

from skill_agent.errors import LedgerBehind, StoreError
from skill_agent.identifiers import iso

from ..opening.options import utc_now
from ..output import emit_json, narrate, table
from ..surroundings import Surroundings

if TYPE_CHECKING:
    from skill_agent.files.home import Home

    from ...store.ledger.anchor import Anchors
    from ...store.ledger.salvaging import Salvage

WHOLE = "the ledger is whole: nothing was done"
LEFT = "nothing was changed"


def salvage(around: Surroundings, *, yes: bool, as_json: bool) -> None:
    """Shows what can still be read, and puts a new ledger of it in the damaged one's place."""
    from ...store.duckdb_ledger.salvage import read
    from ...store.lance_index.reading import items_in

    with _held(around) as anchors:
        damage = _damage(around.home)
        if not damage:
            narrate(WHOLE)
            return
        narrate(damage)
        narrate("reading what is left …")
        found = read(anchors, items_in(around.home.index))
        _tell(found, as_json=as_json)
        if found.empty:
            raise StoreError(
                "nothing can be read, neither in the ledger nor in the index; " + LEFT,
                hint="`ska backup list` shows what can be brought back; to begin with nothing: "
                f"mv '{anchors.ledger}' elsewhere, then ska doctor --accept-loss",
            )
        question = "Put a new ledger of this in its place? The damaged files are kept beside it."
        if not (yes or around.confirm(question, default=False)):
            narrate(LEFT + "" if around.interactive else f"{LEFT}; --yes does it without asking")
            raise typer.Exit(1)
        aside = asyncio.run(_rebuilt(found, anchors, damage))
    narrate(f"the home opens again; the damaged files are kept as {aside}*")


def accept_loss(around: Surroundings, *, yes: bool) -> None:
    """Goes on with a ledger that ends too early, and writes into it that it does."""
    with _held(around) as anchors:
        lost = asyncio.run(_lost(around.home))
        if lost is None:
            narrate(WHOLE)
            return
        narrate(lost.message)
        question = "Go on with what is there? What is missing stays missing."
        if not (yes or around.confirm(question, default=False)):
            narrate(LEFT if around.interactive else f"{LEFT}; --yes does it without asking")
            raise typer.Exit(1)
        rows = asyncio.run(_accepted(around.home, anchors, lost))
    narrate(f"the ledger now ends at row {rows}; the index is made anew at the next search")


@contextmanager
def _held(around: Surroundings) -> "Iterator[Anchors]":
    """The home's lock, and what is known of its log's end."""
    from skill_agent.errors import NotFound

    from ...store.duckdb_ledger.placing import finish
    from ...store.ledger.anchor import Anchors
    from ...store.lock import HomeLock

    home = around.home
    if not home.root.is_dir():
        raise NotFound(f"there is no skill-agent home at {home.root}", hint="ska init")
    with HomeLock(home.lock, role="doctor"):
        anchors = Anchors.of(home)
        finish(anchors, utc_now())
        yield anchors


def _damage(home: "Home") -> str:
    """Why the ledger cannot be gone on with as it is; empty where it can."""
    return asyncio.run(_looked(home))


async def _looked(home: "Home") -> str:
    from ...store.duckdb_ledger.ledger import DuckLedger

    if not home.ledger.exists() and await _lost(home) is None:
        return ""
    try:
        ledger = await DuckLedger.open(home.ledger, index=home.index, only_reads=True)
    except StoreError as error:
        return error.message
    try:
        report = await ledger.verify()
    except StoreError as error:
        return error.message
    finally:
        await ledger.close()
    return f"{len(report.problems)} problems: {report.problems[0]}" if report.problems else ""


async def _lost(home: "Home") -> LedgerBehind | None:
    """The error an opening ends with, by the anchors or by the index."""
    from ...store.duckdb_ledger.ledger import DuckLedger
    from ...store.lance_index.reading import items_in
    from ...store.ledger.anchor import Anchors

    anchors = Anchors.of(home)
    try:
        anchors.check_there()
        if not home.ledger.exists():
            return None
        ledger = await DuckLedger.open(home.ledger, index=home.index, only_reads=True)
    except LedgerBehind as error:
        return error
    try:
        last = await ledger.last_seq()
    finally:
        await ledger.close()
    reached = max((one.seq for one in items_in(home.index)), default=0)
    if reached <= last:
        return None
    return LedgerBehind(
        f"The search index reflects the log up to row {reached}, but the ledger ends at row {last}."
    )


async def _rebuilt(found: "Salvage", anchors: "Anchors", damage: str) -> str:
    from ...store.duckdb_ledger.placing import finish
    from ...store.duckdb_ledger.salvage import accept, build
    from ...store.ledger.salvaging import stamp

    path = await build(found, anchors, utc_now, damage)
    accept(path, anchors)
    now = utc_now()
    finish(anchors, now)
    return f"{anchors.ledger.name}.damaged-{stamp(now)}"


async def _accepted(home: "Home", anchors: "Anchors", lost: LedgerBehind) -> int:
    from ...store.duckdb_ledger.ledger import DuckLedger

    known = anchors.read()
    told: dict[str, Any] = {"lost": lost.message, "at": iso(utc_now())}
    if known is not None:
        told |= {"log_ended_at": known.seq, "hash": known.hash, "written_at": known.at}
    ledger = await DuckLedger.open(home.ledger, index=home.index, as_it_is=True)
    try:
        await ledger.accept_loss(told)
        return await ledger.last_seq()
    finally:
        await ledger.close()


def _tell(found: "Salvage", *, as_json: bool) -> None:
    if as_json:
        emit_json(
            [
                {
                    "id": one.name, "found": one.found, "from_index": one.from_index,
                    "missing": one.missing,
                }
                for one in found.tallies
            ]
        )  # fmt: skip
        return
    if found.problem:
        narrate(f"the file itself gives nothing: {found.problem}")
    rows = [
        (one.name, one.found, one.from_index, "unknown" if one.missing is None else one.missing)
        for one in found.tallies
    ]
    table(("what", "found", "from the index", "missing"), rows)
