"""Reading what a person wrote, and replacing it so that a crash leaves the old or the new.

No meaning is given to the text here.
"""

import contextlib
import json
import os
import stat
import tempfile
from pathlib import Path
from typing import Any

from skill_agent.errors import ConfigError, UsageError

from .refusals import disk_refusal

MOST_BYTES = 1_000_000
"""Of a file that a person writes, or that we keep beside it; a larger one would take seconds."""


def read_bytes(file: Path, *, most: int = MOST_BYTES) -> bytes:
    """What a plain file of at most so many bytes holds; raises ConfigError for anything else.

    A pipe or device in its place is told apart without waiting for it.
    """
    try:
        handle = os.open(file, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
        with os.fdopen(handle, "rb") as stream:
            found = os.fstat(handle)
            if not stat.S_ISREG(found.st_mode):
                raise ConfigError("is no plain file", file=str(file), hint=f"see ls -l '{file}'")
            raw = stream.read(most + 1)
    except (OSError, ValueError) as error:
        said = getattr(error, "strerror", "") or str(error)
        raise ConfigError(
            f"cannot be read: {said}", file=str(file), hint="run `ska init`"
        ) from None
    if len(raw) > most:
        raise ConfigError(f"holds {found.st_size:,} bytes; {most:,} is the most", file=str(file))
    return raw


def read_text(file: Path, *, most: int = MOST_BYTES) -> str:
    """The file's text; raises ConfigError where it cannot be read or is not UTF-8."""
    raw = read_bytes(file, most=most)
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise ConfigError(
            "not UTF-8 text", file=str(file), line=line, hint="save the file as UTF-8"
        ) from None


def read_json(file: Path, *, most: int = MOST_BYTES) -> Any:
    """The document in the file; raises ConfigError for one that is no strict JSON, names a key
    twice, or holds half a character."""
    text = read_text(file, most=most)
    try:
        found = json.loads(text, parse_constant=_no_number, object_pairs_hook=_each_once)
        json.dumps(found, ensure_ascii=False).encode()
    except json.JSONDecodeError as error:
        raise ConfigError(
            f"not valid JSON: {error.msg}", file=str(file), line=error.lineno
        ) from None
    except RecursionError:
        raise ConfigError("not valid JSON: nested too deep", file=str(file)) from None
    except ValueError as error:
        raise ConfigError(f"not valid JSON: {str(error)[:100]}", file=str(file)) from None
    return found


def _no_number(name: str) -> float:
    raise ValueError(f"{name} is no number")


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in found if names.count(name) > 1)
        raise ValueError(f"the key {twice[:60]!a} stands there twice")
    return found


def resolved(file: Path) -> Path:
    """Where a link leads, or the file itself; raises UsageError for links in a circle."""
    try:
        return file.resolve()
    except (OSError, RuntimeError) as error:
        raise UsageError(f"{file} leads nowhere: {error}", hint=f"rm '{file}'") from None


def write_private(file: Path, text: str) -> None:
    """Replaces the file in one step, mode 0600; a symbolic link keeps pointing where it did.

    Raises UsageError where something else than a plain file stands: a device must not be replaced;
    StoreError, in words, where the disk is full, read-only or failing.
    """
    target = resolved(file)
    if target.exists() and not target.is_file():
        raise UsageError(f"{file} is no plain file; it was left as it is")
    try:
        handle, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    except OSError as error:
        refused = disk_refusal(error, target, f"{target} was not changed")
        raise refused or UsageError(
            f"cannot write beside {target}: {error.strerror or error}"
        ) from None
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(text.encode("utf-8"))
            stream.flush()
            os.fsync(stream.fileno())
        Path(name).replace(target)
    except OSError as error:
        with contextlib.suppress(OSError):
            Path(name).unlink()
        refused = disk_refusal(error, target, f"{target} was not changed")
        raise refused or UsageError(
            f"{target} was not changed: {error.strerror or error}"
        ) from None
