"""Another ledger in a ledger's place, the old files aside; each step may be repeated after a crash.

Files are renamed, never opened.
"""

import os
import shutil
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from ..ledger.anchor import Anchors
from ..ledger.salvaging import stamp


def salvaged_file(ledger: Path) -> Path:
    """Where a new ledger waits that is whole and asked for."""
    return ledger.with_name(ledger.name + ".salvaged")


def finish(anchors: Anchors, now: datetime) -> None:
    """Puts a waiting ledger in place, if there is one."""
    fresh = salvaged_file(anchors.ledger)
    if not fresh.exists():
        return
    set_aside(anchors, now)
    fresh.replace(anchors.ledger)
    _sync(fresh.parent)


def set_aside(anchors: Anchors, now: datetime) -> str:
    """Moves the ledger, its write-ahead log and its index out of the way, and forgets how far it
    went; gives the name the files begin with."""
    ledger, aside = anchors.ledger, f"{anchors.ledger.name}.damaged-{stamp(now)}"
    wal = ledger.with_name(ledger.name + ".wal")
    anchors.remove()
    for file, name in ((wal, f"{aside}.wal"), (ledger, aside), (anchors.index, f"{aside}.index")):
        if file is not None and os.path.lexists(file):
            _moved(file, ledger.with_name(name))
    return aside


def index_aside(anchors: Anchors, now: datetime) -> None:
    """Moves the index alone out of the way."""
    if anchors.index is not None and anchors.index.exists():
        name = f"{anchors.ledger.name}.damaged-{stamp(now)}.index"
        _moved(anchors.index, anchors.ledger.with_name(name))


def drop_aside(file: Path) -> None:
    """Deletes what lies aside, a file or an index."""
    if file.is_dir():
        shutil.rmtree(file)
    else:
        file.unlink(missing_ok=True)


def _moved(file: Path, target: Path) -> None:
    """An earlier try may have left something there."""
    while os.path.lexists(target):
        target = target.with_name(f"{target.name}-again")
    file.rename(target)


def _sync(folder: Path) -> None:
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
