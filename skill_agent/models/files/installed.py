"""What of the catalogue lies on disk, and whether its bytes are known to be right.

A record beside the files says which size and change time were verified, so that no start-up
reads a gigabyte to be sure. Nothing is fetched here.
"""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from skill_agent.errors import ConfigError, ModelUnavailable
from skill_agent.files.home import Home
from skill_agent.files.private import read_json, write_private

from .catalogue import Entry, ModelFile, entry, known

_RECORD = ".verified.json"


@dataclass(frozen=True, slots=True)
class Loadable:
    """A model file a loader may open, and the digest of its bytes."""

    path: Path
    sha256: str


def folder_of(models: Path, model: Entry) -> Path:
    return models / model.name


def installed(name: str, home: Home) -> bool:
    """Whether every file of the model is there in its full size; cheap."""
    model = known(name.removeprefix("embedded/"))
    if model is None:
        return loose_file(name, home) is not None
    folder = folder_of(home.models, model)
    return all(_whole(folder, file) for file in model.files)


def on_disk(model: Entry, home: Home) -> int:
    """Bytes of the model's files as they lie there."""
    folder = folder_of(home.models, model)
    return sum(max(0, _size(folder / file.name)) for file in model.files)


def verify(name: str, home: Home) -> list[str]:
    """Reads every byte and says what is wrong, in sentences; empty when all is right.

    Blocking: seconds for a gigabyte. Raises NotFound for an unknown model.
    """
    model = entry(name)
    folder = folder_of(home.models, model)
    problems = []
    for file in model.files:
        path = folder / file.name
        if not path.is_file():
            problems.append(f"{path} is missing")
        elif digest_of(path) != file.sha256:
            problems.append(f"{path} is damaged: its checksum is not the published one")
        else:
            record(folder, file.name, file.sha256)
    return problems


def trusted(folder: Path, file: ModelFile) -> bool:
    """Whether the file was verified and has not changed since."""
    right_size = not file.size or _size(folder / file.name) == file.size
    return right_size and _recorded(folder, file.name) == file.sha256


def loadable(name: str, home: Home) -> Loadable:
    """The chat model's file, verified now if it never was. Blocking.

    Raises ModelUnavailable where it is missing or damaged, NotFound for an unknown name.
    """
    loose = loose_file(name, home)
    if loose is not None:
        recorded = _recorded(loose.parent, loose.name)
        return Loadable(loose, recorded or _measured(loose))
    model = entry(name)
    file = model.files[0]
    folder = folder_of(home.models, model)
    path = folder / file.name
    pull = f"ska models pull {model.name}"
    if not path.is_file():
        raise ModelUnavailable(f"the model {model.name} is not installed", hint=pull)
    if not trusted(folder, file):
        if digest_of(path) != file.sha256:
            raise ModelUnavailable(f"{path} is damaged or incomplete", hint=pull)
        record(folder, file.name, file.sha256)
    return Loadable(path, file.sha256)


def loose_file(name: str, home: Home) -> Path | None:
    """A GGUF file the person put into the models folder, found by its name without the ending."""
    bare = name.removeprefix("embedded/")
    if known(bare) is not None or "/" in bare or bare.startswith("."):
        return None
    path = home.models / f"{bare}.gguf"
    return path if path.is_file() else None


def loose_names(home: Home) -> list[str]:
    """Names of the GGUF files the person put into the models folder."""
    if not home.models.is_dir():
        return []
    return sorted(path.stem for path in home.models.glob("*.gguf"))


def record(folder: Path, name: str, sha256: str) -> None:
    """Notes that the file, as it is now, has this digest."""
    found = (folder / name).stat()
    notes = _notes(folder)
    notes[name] = [found.st_size, found.st_mtime_ns, sha256]
    write_private(folder / _RECORD, json.dumps(notes, indent=1))


def digest_of(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _measured(path: Path) -> str:
    digest = digest_of(path)
    record(path.parent, path.name, digest)
    return digest


def _recorded(folder: Path, name: str) -> str:
    """The digest on record, if the file still has the size and time it had then."""
    try:
        size, changed, sha256 = _notes(folder)[name]
        found = (folder / name).stat()
    except (OSError, KeyError, ValueError, TypeError):
        return ""
    return sha256 if (found.st_size, found.st_mtime_ns) == (size, changed) else ""


def _notes(folder: Path) -> dict[str, list]:
    try:
        notes = read_json(folder / _RECORD)
    except ConfigError:
        return {}
    return notes if isinstance(notes, dict) else {}


def _whole(folder: Path, file: ModelFile) -> bool:
    """Whether the file has its full size; where that is unknown, whether it was verified."""
    if file.size:
        return _size(folder / file.name) == file.size
    return trusted(folder, file)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return -1
