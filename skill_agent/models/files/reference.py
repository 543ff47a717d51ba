"""What a person may name to be pulled beside the catalogue: a file on the hub, a file of their own.

Says what is to be fetched and whether its bytes can be checked; fetching is `pull`'s work.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from skill_agent.errors import NotFound, PullFailed, UsageError
from skill_agent.files.home import Home

from .catalogue import Entry, Folder, HubFile, ModelFile, Source, entries, hub_url, known
from .gguf import is_gguf
from .hub import CONNECT_S, SourceFailed, asked, at_endpoint, unreachable
from .installed import digest_of

HUB_PREFIX = "hf:"
_FORM = "hf:OWNER/REPO/FILE.gguf"
_REFERENCE = re.compile(r"hf:([\w.-]+/[\w.-]+)/((?:[\w.@+-]+/)*[\w.@+ -]+\.gguf)", re.ASCII)
_SHA256 = re.compile(r"[0-9a-f]{64}")
_PIECE = re.compile(r"-\d{5}-of-\d{5}$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A model to pull."""

    entry: Entry
    loose: bool = False
    """It comes to lie among the files of the person's own."""
    sources: Sequence[Source] = ()
    """Tried before those of the entry."""


def is_file_name(reference: str) -> bool:
    """Whether it names a file on this machine and no model of the catalogue."""
    plain = known(reference.removeprefix("embedded/")) is None
    return plain and (reference.endswith(".gguf") or reference.startswith((".", "/", "~")))


def hub_file(reference: str, sha256: str, home: Home, environ: Mapping[str, str]) -> Wanted:
    """A file on the hub; its own word is taken for a checksum that is not given. Blocking.

    Raises UsageError for a reference that cannot mean anything, PullFailed where the checksum
    cannot be had.
    """
    found = _REFERENCE.fullmatch(reference)
    if found is None or ".." in reference:
        raise UsageError(f"{reference!r} names no GGUF file on the hub", hint=f"write {_FORM}")
    repository, file = found[1], found[2]
    name = PurePosixPath(file).stem
    if _PIECE.search(name):
        raise UsageError(
            f"{name} is one piece of a model in several files",
            hint="choose a quantisation that is one file",
        )
    url = hub_url(repository, file)
    if catalogued := _catalogued(url):
        return Wanted(entry=catalogued)
    digest = _checked_digest(sha256) if sha256 else _told_digest(at_endpoint(url, environ))
    entry = _loose_entry(name, digest, 0, home, (HubFile(url),))
    return Wanted(entry=entry, loose=True)


def own_file(path: Path, home: Home) -> Wanted:
    """A file on this machine: one of the catalogue's by name and bytes, else of the person's own.

    Reads every byte: seconds for a gigabyte. Raises NotFound, and UsageError for a file of
    another kind.
    """
    path = path.expanduser()
    if not path.is_file():
        raise NotFound(f"there is no file {path}", hint="ska models list shows what can be fetched")
    if not is_gguf(path):
        raise UsageError(f"{path} is no GGUF file", hint="llama.cpp's convert tool makes one")
    digest, source = digest_of(path), Folder(path.absolute().parent, link=True)
    for entry in entries():
        if any((file.name, file.sha256) == (path.name, digest) for file in entry.files):
            return Wanted(entry=entry, sources=(source,))
    size = path.stat().st_size
    entry = _loose_entry(path.stem, digest, size, home, (source,), file=path.name)
    return Wanted(entry=entry, loose=True)


def _loose_entry(
    name: str,
    sha256: str,
    size: int,
    home: Home,
    sources: tuple[Source, ...],
    *,
    file: str = "",
) -> Entry:
    """Raises UsageError where the name stands for another model already."""
    target = home.models / (file or f"{name}.gguf")
    taken = known(name) is not None or (target.is_file() and digest_of(target) != sha256)
    if taken or name.startswith("."):
        raise UsageError(
            f"a model of the name {name!r} is there already",
            hint=f"rename the file and give its path, or remove {target}",
        )
    made = ModelFile(name=target.name, size=size, sha256=sha256, sources=sources)
    return Entry(name=name, kind="chat", title=name, licence="", files=(made,))


def _catalogued(url: str) -> Entry | None:
    """The entry of the catalogue that this very file belongs to."""
    file = HubFile(url)
    found = (one for one in entries() if any(file in each.sources for each in one.files))
    return next(found, None)


def _checked_digest(sha256: str) -> str:
    digest = sha256.strip().lower().removeprefix("sha256:")
    if _SHA256.fullmatch(digest) is None:
        raise UsageError("--sha256 takes 64 hexadecimal digits")
    return digest


def _told_digest(url: str) -> str:
    try:
        if silence := unreachable(url, CONNECT_S):
            raise SourceFailed(silence)
        digest = asked(url, patience_s=30.0).sha256
    except SourceFailed as problem:
        raise PullFailed(
            f"{url}: {problem}", hint="check the name on the hub, and the connection"
        ) from None
    if not digest:
        raise PullFailed(
            f"{url} comes without a checksum, so nobody could tell whether its bytes are right",
            hint="give the one its publisher names: --sha256 DIGEST",
        )
    return digest
