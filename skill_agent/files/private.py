"""Reading what a person wrote, and replacing it so that a crash leaves the old or the new.

No meaning is given to the text here.
"""

import contextlib
import os
import tempfile
from pathlib import Path

from skill_agent.errors import ConfigError, UsageError


def read_text(file: Path) -> str:
    """The file's text; raises ConfigError where it cannot be read or is not UTF-8."""
    try:
        raw = file.read_bytes()
    except OSError as error:
        raise ConfigError(
            f"cannot be read: {error.strerror or error}", file=str(file), hint="run `ska init`"
        ) from None
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise ConfigError(
            "not UTF-8 text", file=str(file), line=line, hint="save the file as UTF-8"
        ) from None


def write_private(file: Path, text: str) -> None:
    """Replaces the file in one step, mode 0600; a symbolic link keeps pointing where it did."""
    target = file.resolve()
    try:
        handle, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    except OSError as error:
        raise UsageError(f"cannot write beside {target}: {error.strerror or error}") from None
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(text.encode("utf-8"))
            stream.flush()
            os.fsync(stream.fileno())
        Path(name).replace(target)
    except OSError as error:
        with contextlib.suppress(OSError):
            Path(name).unlink()
        raise UsageError(f"{target} was not changed: {error.strerror or error}") from None
