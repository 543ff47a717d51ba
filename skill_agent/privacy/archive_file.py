"""Opening what `user_archive` wrote, with suspicion: nothing is unpacked to disk, no part is held
whole, and a file that is not as it was written gives nothing at all.
"""

import hashlib
import json
import zipfile
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from skill_agent.errors import UsageError

from .json_rows import NotRows, rows
from .signing import signer
from .user_archive import FORMAT, MANIFEST, PARTS, SIGNED

LARGEST, LARGEST_OWN = 200 * 1024**2, 2 * 1024**3
"""Bytes of all parts together: of a file from anywhere, of one whose signature is known."""
_LARGEST_MANIFEST = 64 * 1024
_MOST_SQUEEZED = 200
"""Times a part may be larger than its packed form; conversations reach 20."""
_ALWAYS_FINE = 10 * 1024**2
_CHUNK = 1 << 20


class Wrong(Exception):
    """What is wrong with the file, in words."""


class ArchiveFile:
    """An archive whose parts are as its manifest says."""

    def __init__(self, path: Path) -> None:
        """Raises UsageError for what is no whole archive of ours."""
        self.path = path
        with self._opened() as archive:
            self._check_entries(archive)
            self.manifest = _manifest(archive)
        seal = self.manifest.pop(SIGNED, None)
        self.key = signer(self.manifest, seal)
        """Of the home that signed it; empty where none did."""

    def check(self, *, trusted: bool) -> None:
        """Raises UsageError where a part is not as it was written, or more than anybody keeps."""
        with self._opened() as archive:
            size = sum(entry.file_size for entry in archive.infolist())
            if size > (most := LARGEST_OWN if trusted else LARGEST):
                raise Wrong(f"it unpacks to {size:,} bytes, and {most:,} are the most")
            digests = self.manifest.get("sha256")
            for name in PARTS:
                if not isinstance(digests, dict) or _digest(archive, name) != digests.get(name):
                    raise Wrong(f"{name} is not as it was written")

    def rows(self, part: str, keys: Collection[str], *, most: int) -> Iterator[tuple[str, bytes]]:
        """Every object in these lists of a part, undecoded; raises Wrong."""
        with zipfile.ZipFile(self.path) as archive, _stream(archive, part) as stream:
            try:
                yield from rows(stream, keys, most=most)
            except NotRows as error:
                raise Wrong(f"{part}: {error}") from None

    @contextmanager
    def told(self) -> Iterator[None]:
        """What goes wrong within, as the error a person reads."""
        try:
            yield
        except (OSError, zipfile.BadZipFile, NotImplementedError, EOFError, Wrong) as error:
            raise UsageError(
                f"{self.path} is not a whole export of a user's data: {error}. "
                "Nothing was imported.",
                hint="make it again with: ska user export",
            ) from None

    @contextmanager
    def _opened(self) -> Iterator[zipfile.ZipFile]:
        with self.told(), zipfile.ZipFile(self.path) as archive:
            yield archive

    def _check_entries(self, archive: zipfile.ZipFile) -> None:
        entries = archive.infolist()
        if sorted(entry.filename for entry in entries) != sorted((*PARTS, MANIFEST)):
            raise Wrong(f"it should hold {', '.join((*PARTS, MANIFEST))} and nothing else")
        for entry in entries:
            if entry.flag_bits & 1:
                raise Wrong("it is encrypted")
            squeezed = entry.file_size > max(entry.compress_size, 1) * _MOST_SQUEEZED
            if squeezed and entry.file_size > _ALWAYS_FINE:
                raise Wrong(f"{entry.filename} unpacks to far more than conversations would")


def _manifest(archive: zipfile.ZipFile) -> dict[str, Any]:
    if archive.getinfo(MANIFEST).file_size > _LARGEST_MANIFEST:
        raise Wrong("its manifest is not ours")
    with _stream(archive, MANIFEST) as stream:
        try:
            manifest = json.loads(stream.read(_LARGEST_MANIFEST).decode("utf-8"))
        except (ValueError, RecursionError) as error:
            raise Wrong(f"{MANIFEST} is no JSON: {error}") from None
    if not isinstance(manifest, dict) or manifest.get("product") != "skill-agent":
        raise Wrong("its manifest is not ours")
    if manifest.get("format") != FORMAT:
        raise Wrong(f"it has format {manifest.get('format')!r}, this program knows {FORMAT}")
    return manifest


def _digest(archive: zipfile.ZipFile, name: str) -> str:
    digest = hashlib.sha256()
    with _stream(archive, name) as stream:
        while chunk := stream.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


@contextmanager
def _stream(archive: zipfile.ZipFile, name: str) -> Iterator[IO[bytes]]:
    """An entry's bytes, of which there are never more than the entry says."""
    try:
        with archive.open(name) as stream:
            yield stream
    except (Wrong, GeneratorExit):
        raise
    except Exception as error:  # zlib and zipfile raise what they like for damaged bytes
        raise Wrong(f"{name} is damaged ({error})") from None
