"""A new ledger of what can be read of a damaged one, and how it comes into the old one's place.

The new one is made beside; until it is whole and asked for, nothing of the home is changed. A crash
while it is put in place is finished by the next opening.
"""

import shutil
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from skill_agent.errors import StoreError
from skill_agent.values import IndexItem

from ..ledger.anchor import Anchors, anchor_file
from ..ledger.salvaging import Pieces, Salvage, Tally, told_of
from .damaged import LOST, Found, damaged
from .ledger import DuckLedger
from .placing import salvaged_file

_TABLES = ("log", "sessions", "messages", "memories", "model_calls")
_CALL = ("id", "seq", "turn", "session", "created_at", "size", "content")


def read(anchors: Anchors, items: Iterable[IndexItem]) -> Salvage:
    """What the file and the index still give; blocking, under the home's lock."""
    with damaged(anchors.ledger) as reading:
        tables = {name: list(reading.rows(name)) for name in _TABLES}
        counted = {name: reading.count(name) for name in _TABLES}
        problem = reading.problem
    pieces = Pieces(tables, items, LOST)
    salvage = Salvage(belongings=pieces.put_together(), problem=problem)
    salvage.calls = [tuple(row[name] for name in _CALL) for row in _whole_calls(tables)]
    salvage.tallies = _tallies(salvage, pieces, tables, counted, anchors)
    return salvage


async def build(
    salvage: Salvage, anchors: Anchors, clock: Callable[[], datetime], damage: str
) -> Path:
    """Writes it into a new file beside the ledger and gives that; raises StoreError where the disk
    refuses or what was written does not verify."""
    path = anchors.ledger.with_name(anchors.ledger.name + ".salvaging")
    drop_unfinished(anchors.ledger)
    ledger = await DuckLedger.open(path, clock)
    try:
        await ledger.import_belongings([salvage.belongings], actor="salvage")
        await ledger.note(
            "ledger.salvaged",
            "ledger",
            actor="user",
            reason="what could be read of a damaged ledger",
            data={
                "damage": damage,
                "tables": {one.name: told_of(one) for one in salvage.tallies},
            },
        )
        await ledger.take_calls(salvage.calls)
        report = await ledger.verify()
        if report.problems:
            raise StoreError(f"The new ledger does not verify: {report.problems[0]}")
    except BaseException:
        await ledger.close()
        drop_unfinished(anchors.ledger)
        raise
    await ledger.close()
    anchor_file(path).unlink(missing_ok=True)
    return path


def accept(path: Path, anchors: Anchors) -> None:
    """The new file is the one to take: from here on a crash does not undo it."""
    path.replace(salvaged_file(anchors.ledger))


def drop_unfinished(ledger: Path) -> None:
    """Deletes what an earlier try left."""
    for left in ledger.parent.glob(f"{ledger.name}.salvaging*"):
        with suppress(OSError):
            shutil.rmtree(left) if left.is_dir() else left.unlink()


def _whole_calls(tables: dict[str, list[Found]]) -> Iterable[Found]:
    for row in tables["model_calls"]:
        if all(row.get(name, LOST) is not LOST for name in _CALL):
            yield row


def _tallies(
    salvage: Salvage,
    pieces: Pieces,
    tables: dict[str, list[Found]],
    counted: dict[str, int | None],
    anchors: Anchors,
) -> list[Tally]:
    there, anchor = salvage.belongings, anchors.read()
    rows = max(counted["log"] or 0, anchor.seq if anchor else 0) or counted["log"]
    known = {
        "sessions": pieces.known_to_log("session.created", ("session.imported",)),
        "messages": pieces.known_to_log("message.saved", ("message.imported",)),
        "memories": pieces.known_to_log("memory.created", ("memory.imported",)),
    }
    found = {
        "sessions": len(there.sessions),
        "messages": len(there.messages),
        "memories": len(there.memories),
    }
    tallies = [
        Tally(
            name=name,
            found=found[name],
            from_index=pieces.from_index.get(name, 0),
            missing=_missing(found[name], counted[name], known[name]),
        )
        for name in found
    ]
    whole = sum(all(value is not LOST for value in row.values()) for row in tables["log"])
    calls = len(salvage.calls)
    return [
        *tallies,
        Tally(name="notes", found=len(there.notes)),
        Tally(name="log rows", found=whole, missing=_missing(whole, rows, 0)),
        Tally(name="model calls", found=calls, missing=_missing(calls, counted["model_calls"], 0)),
    ]


def _missing(found: int, counted: int | None, known: int) -> int | None:
    if counted is None and not known:
        return None
    return max(0, max(counted or 0, known) - found)
