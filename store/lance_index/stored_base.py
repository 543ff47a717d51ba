"""The part of a large index that lies in mapped files beside the table, written anew now and then.

A folder of plain arrays (`.npy`, with room for what comes, which stays in memory: they are mapped
copy-on-write) and two Arrow files, of the rows and of the distinct strings. A manifest is written
last and says how large each file must be, so half a base is none. Everything in it is derived from
the table: what followed it there is read from there, and without it all is.
"""

import json
import os
import shutil
import zlib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from .lexical import StoredPostings
from .names import Lookup
from .rows import TEXTS, Kind
from .vectors import CompactVectors, compact_shapes

if TYPE_CHECKING:
    import pyarrow as pa

PREFIX, MANIFEST, ROWS, NAMES = "base-", "manifest.json", "rows.arrow", "names.arrow"
TERMS = "terms"
_ENDS = 1 << 16
"""Bytes of each end of a file that its checksum covers."""
KINDS: Mapping[str, Any] = {
    "seq": np.int64, "position": np.int64, "created": np.float64, "expires": np.float64,
    "importance": np.float32, "pinned": np.bool_, "asks": np.bool_, "digits": np.bool_,
    "alive": np.bool_,
    "length": np.float32, "before": np.int32, "after": np.int32,
    **dict.fromkeys(TEXTS, np.int32),
}  # fmt: skip
"""The columns and what they hold."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Base:
    """A base as it is mapped."""

    kind: Kind
    size: int
    seq: int
    """The highest ledger sequence in it: later rows of the table are not."""
    folder: Path
    arrays: Mapping[str, np.ndarray]
    names: Mapping[str, Lookup]
    ids: Lookup
    postings: StoredPostings
    vectors: CompactVectors
    parts: "Sequence[pa.RecordBatch]"


def open_base(directory: Path) -> Base | None:
    """The newest whole base of a table's folder; None without one."""
    for folder in reversed(bases(directory)):
        with suppress(OSError, ValueError, KeyError, TypeError, IndexError):
            told = json.loads((folder / MANIFEST).read_text("utf-8"))
            if told["files"] == files_of(folder):
                return mapped(folder, Kind(**told["kind"]), told["size"], told["seq"])
    return None


def delete_bases(directory: Path, but: Base | None) -> None:
    """Deletes those nobody uses: older, damaged, half."""
    for folder in bases(directory):
        if but is None or folder != but.folder:
            shutil.rmtree(folder, ignore_errors=True)


def bases(directory: Path) -> list[Path]:
    """Every folder of a base, also half a one, the newest last."""
    found = [one for one in directory.glob(f"{PREFIX}*") if one.name[len(PREFIX) :].isdigit()]
    return sorted(found, key=lambda one: int(one.name[len(PREFIX) :]))


def mapped(folder: Path, kind: Kind, size: int, seq: int) -> Base:
    """A whole base."""
    import pyarrow as pa

    def array(name: str, mode: Any = "r") -> np.ndarray:
        held = np.load(folder / f"{name}.npy", mmap_mode=mode)
        return held.view(np.ndarray)

    def lookup(name: str, texts: "Sequence[pa.Array]") -> Lookup:
        return Lookup(array(f"{name}-digests"), array(f"{name}-places"), texts)

    rows = pa.ipc.open_file(pa.memory_map(str(folder / ROWS)))
    parts = [rows.get_batch(number) for number in range(rows.num_record_batches)]
    [texts] = pa.ipc.open_file(pa.memory_map(str(folder / NAMES))).read_all().to_batches()
    held = {name: lookup(name, [texts[name].values]) for name in (*TEXTS, TERMS)}
    compact = compact_shapes(1, 1)
    return Base(
        kind=kind,
        size=size,
        seq=seq,
        folder=folder,
        arrays={name: array(name, "c") for name in KINDS},
        names=held,
        ids=lookup("id", [part["id"] for part in parts]),
        postings=StoredPostings(
            held[TERMS], {name: array(name) for name in ("starts", "posted", "counts")}
        ),
        vectors=CompactVectors({name: array(name, "c") for name in compact}),
        parts=parts,
    )


def files_of(folder: Path) -> dict[str, list[int]]:
    """Size of each file and a checksum of its ends, which a crash or a full disk leaves wrong."""
    found: dict[str, list[int]] = {}
    for file in sorted(folder.iterdir()):
        if file.name.startswith(MANIFEST):
            continue
        with file.open("rb") as held:
            size = held.seek(0, os.SEEK_END)
            held.seek(0)
            summed = zlib.crc32(held.read(_ENDS))
            held.seek(max(0, size - _ENDS))
            found[file.name] = [size, zlib.crc32(held.read(), summed)]
    return found
