"""The archive of a backup: a tar of the copied files behind the list of them, packed with gzip.

What is unpacked is held against that list: nothing else comes out, and nothing is missing.
"""

import gzip
import hashlib
import io
import os
import tarfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO

from skill_agent.errors import StoreError
from skill_agent.values import LedgerHead

from .manifest import MANIFEST, Content, StoredFile, manifest_text, read_manifest

ARCHIVE = "home.tar.gz"

Told = Callable[[int, int], None]
"""Called with bytes done and bytes in all; what it raises ends the work."""

_CHUNK = 1 << 20
_LARGEST_LIST = 50_000_000
_QUICKLY = 1
"""A ledger is packed already; what can be gained is gained at once."""


def pack(folder: Path, content: Content, head: LedgerHead, archive: Path, told: Told) -> None:
    """Packs the files of a folder into a new archive."""
    total, done = sum(one.size for one in content.files), 0

    def read(count: int) -> None:
        nonlocal done
        done += count
        told(done, total)

    with (
        archive.open("xb") as raw,
        gzip.GzipFile(fileobj=raw, mode="wb", compresslevel=_QUICKLY, filename="") as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as tar,
    ):
        said = manifest_text(content, head).encode()
        tar.addfile(_entry(MANIFEST, len(said), 0o600), io.BytesIO(said))
        for one in content.files:
            file = folder / one.name
            with file.open("rb") as stream:
                entry = _entry(one.name, one.size, file.stat().st_mode & 0o700)
                tar.addfile(entry, _Heard(stream, read))


def unpack(archive: Path, to: Path, told: Told) -> tuple[Content, LedgerHead]:
    """Unpacks into a new folder; raises StoreError for anything that is not as the list says."""
    to.mkdir(mode=0o700)
    with _explained(archive), tarfile.open(archive, mode="r|gz") as tar:
        entries = iter(tar)
        content, head = _list_of(tar, next(entries, None), to)
        wanted = {one.name: one for one in content.files}
        total, done = sum(one.size for one in content.files), 0
        for entry in entries:
            one = wanted.pop(entry.name, None)
            if one is None or not entry.isreg() or entry.size != one.size:
                raise _Wrong(f"{entry.name!r} is not in its list, or not as it says")
            _unpacked(tar, entry, one, to)
            done += one.size
            told(done, total)
        if wanted:
            raise _Wrong(f"{next(iter(wanted))!r} is missing")
    return content, head


def put_links(content: Content, to: Path) -> None:
    """The links of a home, once its files are there: nothing is ever written through one."""
    for name, target in content.links.items():
        place = to / _inside(name)
        place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        place.symlink_to(target)


class _Heard(io.RawIOBase):
    """A stream that tells how much is read of it."""

    def __init__(self, stream: IO[bytes], read: Callable[[int], None]) -> None:
        self._stream, self._read = stream, read

    def read(self, size: int = -1) -> bytes:
        piece = self._stream.read(size)
        self._read(len(piece))
        return piece


class _Wrong(Exception):
    """What is wrong with the archive, in words."""


def _list_of(
    tar: tarfile.TarFile, entry: tarfile.TarInfo | None, to: Path
) -> tuple[Content, LedgerHead]:
    stream = tar.extractfile(entry) if entry and entry.isreg() and entry.name == MANIFEST else None
    if stream is None or entry is None or entry.size > _LARGEST_LIST:
        raise _Wrong("the list of its files is not where it should be")
    list_ = to / MANIFEST
    list_.write_bytes(stream.read())
    try:
        content, head = read_manifest(list_)
    finally:
        list_.unlink()
    for name in (*(one.name for one in content.files), *content.links):
        _inside(name)
    return content, head


def _unpacked(tar: tarfile.TarFile, entry: tarfile.TarInfo, one: StoredFile, to: Path) -> None:
    stream = tar.extractfile(entry)
    assert stream is not None
    target = to / _inside(one.name)
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    digest = hashlib.sha256()
    mode = 0o600 | (entry.mode & 0o100)
    with os.fdopen(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as copy:
        while chunk := stream.read(_CHUNK):
            copy.write(chunk)
            digest.update(chunk)
        copy.flush()
        os.fsync(copy.fileno())
    if digest.hexdigest() != one.sha256:
        raise _Wrong(f"{one.name!r} is not as it was written")


def _inside(name: str) -> PurePosixPath:
    """The name as a path that stays within the home."""
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or not path.parts or "\0" in name:
        raise _Wrong(f"{name!r} lies outside the home")
    return path


def _entry(name: str, size: int, mode: int) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = size, mode
    return entry


@contextmanager
def _explained(archive: Path) -> Iterator[None]:
    try:
        yield
    except (_Wrong, tarfile.TarError, zlib.error, EOFError, gzip.BadGzipFile) as error:
        raise StoreError(
            f"{archive.name} is no whole archive: {error}", hint="choose another backup"
        ) from None
    except FileExistsError as error:
        raise StoreError(
            f"{archive.name} holds {error.filename} twice", hint="choose another backup"
        ) from None
