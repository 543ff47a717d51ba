"""Writes the base of a large index: what lives, some at a time, so that memory hardly grows."""

import json
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from .columns import Columns
from .lexical import StoredPostings
from .names import digests
from .rows import TEXTS, Kind
from .stored_base import (
    KINDS,
    MANIFEST,
    NAMES,
    PREFIX,
    ROWS,
    TERMS,
    Base,
    bases,
    delete_bases,
    files_of,
    mapped,
)
from .stored_rows import StoredRows
from .vectors import CompactVectors, Vectors, compact_shapes

_ROOM = 4
"""A base has room for this part of its size, and no less than so many rows."""
_LEAST_ROOM = 40_000
_BLOCK = 1 << 14
_TERMS_AT_ONCE = 1 << 21


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What a base is written from."""

    columns: Columns
    postings: tuple[StoredPostings | None, Sequence[str], tuple[np.ndarray, ...]]
    vectors: Vectors
    rows: StoredRows
    dimensions: int


def write_base(directory: Path, parts: Parts, kind: Kind) -> Base:
    """Writes what lives beside the older ones, deletes those, and maps it.

    Work and files grow with the size, memory hardly. Raises OSError.
    """
    older = bases(directory)
    last = int(older[-1].name[len(PREFIX) :]) if older else 0
    folder = directory / f"{PREFIX}{last + 1}"
    folder.mkdir(mode=0o700)
    try:
        keep = np.flatnonzero(parts.columns.column("alive"))
        seq = int(parts.columns.column("seq")[keep].max(initial=0))
        _Writing(folder, parts, keep).write()
        files = files_of(folder)
        told = {"kind": asdict(kind), "size": len(keep), "seq": seq, "files": files}
        _put(folder / MANIFEST, json.dumps(told))
        fresh = mapped(folder, kind, len(keep), seq)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    delete_bases(directory, fresh)
    return fresh


class _Writing:
    """One writing of a base."""

    def __init__(self, folder: Path, parts: Parts, keep: np.ndarray) -> None:
        self._folder = folder
        self._parts = parts
        self._keep = keep
        self._room = len(keep) + max(_LEAST_ROOM, len(keep) // _ROOM)
        self._renumbered = np.full(parts.columns.size + 1, -1, np.int32)
        """The new slot of each old one; of none, which is -1, none."""
        self._renumbered[keep] = np.arange(len(keep))

    def write(self) -> None:
        names = self._columns()
        self._vectors()
        self._rows()
        names[TERMS] = self._postings()
        _write_names(self._folder / NAMES, names)
        for name, texts in names.items():
            self._lookup(name, texts)
        for file in self._folder.iterdir():
            file.chmod(0o600)
            _sync(file)

    def _columns(self) -> dict[str, list[str]]:
        """The columns; gives the strings of those that hold names, as they are numbered now."""
        names: dict[str, list[str]] = {}
        for name, kind in KINDS.items():
            values = self._parts.columns.column(name)[self._keep]
            if name in TEXTS:
                used, values = np.unique(values, return_inverse=True)
                names[name] = [self._parts.columns.labels[name].name(c) for c in used if c >= 0]
                values = values - int(bool(len(used)) and used[0] < 0)
            elif name in ("before", "after"):
                values = self._renumbered[values]
            self._array(name, (self._room,), kind)[: len(self._keep)] = values
        return names

    def _vectors(self) -> None:
        shapes = compact_shapes(self._room, self._parts.dimensions)
        fresh = CompactVectors({name: self._array(name, *shape) for name, shape in shapes.items()})
        for start in range(0, len(self._keep), _BLOCK):
            fresh.put(start, self._parts.vectors.of(self._keep[start : start + _BLOCK]))

    def _rows(self) -> None:
        import pyarrow as pa

        batches = self._parts.rows.batches(self._keep)
        first = next(batches)
        found: list[np.ndarray] = []
        with (
            pa.OSFile(str(self._folder / ROWS), "wb") as sink,
            pa.ipc.new_file(sink, first.schema) as writer,
        ):
            for batch in chain([first], batches):
                writer.write_batch(batch)
                found.append(digests(batch["id"].to_pylist()))
        self._ordered("id", np.concatenate(found))

    def _postings(self) -> list[str]:
        """Writes them sorted by term, some terms at a time; gives the terms that are left."""
        stored, fresh, tail = self._parts.postings
        known = len(stored.terms) if stored else 0
        sizes, tail = _joined(stored, fresh, tail)
        slots = _Growing(self._folder / "posted.npy", np.int32)
        counts = _Growing(self._folder / "counts.npy", np.uint16)
        left = np.zeros(len(sizes), np.int64)
        for start, end in _runs(sizes):
            codes, old, often = _between(stored, tail, start, min(end, known), end)
            new = self._renumbered[old]
            codes, new, often = codes[new >= 0], new[new >= 0], often[new >= 0]
            left[start:end] = np.bincount(codes - start, minlength=end - start)
            slots.append(new)
            counts.append(np.minimum(often, np.iinfo(np.uint16).max))
        slots.close()
        counts.close()
        used = np.flatnonzero(left)
        starts = self._array("starts", (len(used) + 1,), np.int64)
        starts[:] = np.append(0, np.cumsum(left[used]))
        new_terms = {code: term for term, code in tail.terms.items()}
        return [
            stored.terms.name(code) if stored and code < known else new_terms[code]
            for code in used.tolist()
        ]

    def _lookup(self, name: str, texts: Sequence[str]) -> None:
        self._ordered(name, digests(texts))

    def _ordered(self, name: str, found: np.ndarray) -> None:
        order = np.argsort(found, kind="stable")
        self._array(f"{name}-digests", found.shape, np.uint64)[:] = found[order]
        self._array(f"{name}-places", found.shape, np.int32)[:] = order

    def _array(self, name: str, shape: tuple[int, ...], kind: Any) -> np.ndarray:
        """A new array in a file; what is not written takes no room on disk."""
        if 0 in shape:
            np.save(self._folder / f"{name}.npy", np.zeros(shape, kind))
            return np.zeros(shape, kind)
        file = self._folder / f"{name}.npy"
        return np.lib.format.open_memmap(file, mode="w+", dtype=kind, shape=shape)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Tail:
    """Postings of the newest slots under the codes of the base, sorted by them."""

    terms: Mapping[str, int]
    """Codes of the terms the base has not."""
    codes: np.ndarray
    slots: np.ndarray
    counts: np.ndarray


def _joined(
    stored: StoredPostings | None, fresh: Sequence[str], tail: tuple[np.ndarray, ...]
) -> tuple[np.ndarray, _Tail]:
    """How many postings each term has, and the newest under common codes."""
    starts, slots, counts = tail
    known = len(stored.terms) if stored else 0
    terms: dict[str, int] = {}
    given = np.zeros(len(fresh), np.int64)
    for row, term in enumerate(fresh):
        code = stored.terms.find(term) if stored else -1
        given[row] = code if code >= 0 else terms.setdefault(term, known + len(terms))
    codes = np.repeat(given, np.diff(starts))
    order = np.argsort(codes, kind="stable")
    sizes = np.zeros(known + len(terms), np.int64)
    if stored:
        sizes[:known] = np.diff(stored.starts)
    sizes += np.bincount(codes, minlength=len(sizes))
    return sizes, _Tail(terms=terms, codes=codes[order], slots=slots[order], counts=counts[order])


def _runs(sizes: np.ndarray) -> Iterator[tuple[int, int]]:
    """Terms parted so that each run has about as many postings as fit into memory with ease."""
    ends = np.cumsum(sizes)
    start = 0
    while start < len(sizes):
        done = ends[start - 1] if start else 0
        end = max(start + 1, int(np.searchsorted(ends, done + _TERMS_AT_ONCE, "right")))
        yield start, end
        start = end


def _between(
    stored: StoredPostings | None, tail: _Tail, start: int, stored_end: int, end: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Codes, slots and counts of a run of terms, by term and then by slot."""
    here = slice(*np.searchsorted(tail.codes, [start, end]))
    codes, slots, counts = tail.codes[here], tail.slots[here], tail.counts[here]
    if stored and stored_end > start:
        span = slice(stored.starts[start], stored.starts[stored_end])
        held = np.repeat(
            np.arange(start, stored_end), np.diff(stored.starts[start : stored_end + 1])
        )
        codes = np.concatenate([held, codes])
        slots = np.concatenate([stored.slots[span], slots])
        counts = np.concatenate([stored.counts[span], counts])
        order = np.argsort(codes, kind="stable")
        codes, slots, counts = codes[order], slots[order], counts[order]
    return codes, slots, counts


class _Growing:
    """An array in a file whose length is known at the end."""

    def __init__(self, file: Path, kind: Any) -> None:
        self._file, self._kind, self._size = file, np.dtype(kind), 0
        self._raw = file.with_suffix(".raw").open("wb")

    def append(self, values: np.ndarray) -> None:
        self._raw.write(np.ascontiguousarray(values, self._kind).tobytes())
        self._size += len(values)

    def close(self) -> None:
        """Puts numpy's head before it."""
        self._raw.close()
        raw = self._file.with_suffix(".raw")
        with self._file.open("wb") as whole, raw.open("rb") as values:
            shape = {"descr": self._kind.str, "fortran_order": False, "shape": (self._size,)}
            np.lib.format.write_array_header_1_0(whole, shape)
            shutil.copyfileobj(values, whole, 1 << 20)
        raw.unlink()


def _write_names(file: Path, names: Mapping[str, Sequence[str]]) -> None:
    """One row: a list of strings per name."""
    import pyarrow as pa

    texts = pa.table(
        {name: pa.array([list(held)], pa.list_(pa.string())) for name, held in names.items()}
    )
    with pa.OSFile(str(file), "wb") as sink, pa.ipc.new_file(sink, texts.schema) as writer:
        writer.write_table(texts)


def _put(file: Path, text: str) -> None:
    fresh = file.with_suffix(".new")
    fresh.write_text(text, "utf-8")
    fresh.chmod(0o600)
    _sync(fresh)
    fresh.replace(file)


def _sync(file: Path) -> None:
    handle = os.open(file, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
