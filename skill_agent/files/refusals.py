"""What a disk refuses, in words: no room, no writing, no access, an error of the device.

The one place that knows these errors; stores and front ends ask it before they call something
unexpected. Databases tell them as text alone, so both numbers and texts are known.
"""

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from skill_agent.errors import HomeReadOnly, StoreError

_FULL = frozenset({errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC)})
_FULL_TEXTS = ("no space left", "file too large", "disk quota", "out of disk", "disk full")
_READ_ONLY = frozenset({errno.EROFS})
_READ_ONLY_TEXTS = ("read-only file system", "in read-only mode")
_DENIED = frozenset({errno.EACCES, errno.EPERM})
_DENIED_TEXTS = ("permission denied", "operation not permitted")
_COPY = "Copy the home to where it can be written, and name that: --home PATH"
_BROKEN = frozenset({errno.EIO})
_BROKEN_TEXTS = ("input/output error",)


def disk_refusal(error: BaseException, place: Path, doing: str = "") -> StoreError | None:
    """The error in words where the disk is what refused; None for any other.

    `place` is what was written or read, unless the error itself names a file; `doing` begins the
    sentence: "The ledger could not save".
    """
    number, text = getattr(error, "errno", None), str(error).lower()
    begun = f"{doing}: " if doing else ""
    at = _named(error) or place
    if number in _FULL or any(sign in text for sign in _FULL_TEXTS):
        return StoreError(
            f"{begun}the disk is full (no space left on {at}: {free_text(at)} free). "
            "Nothing was half-saved, and nothing that was saved is lost.",
            hint=f"Make room on the disk of {_folder(at)}, then try again.",
        )
    if number in _READ_ONLY or any(sign in text for sign in _READ_ONLY_TEXTS):
        return HomeReadOnly(
            f"{begun}{at} lies on a read-only disk, where nothing can be changed.",
            hint=_COPY,
        )
    if number in _DENIED or any(sign in text for sign in _DENIED_TEXTS):
        return StoreError(
            f"{begun}access to {at} was denied.",
            hint=f"See who owns {_folder(at)} (ls -ld) and that you may write there.",
        )
    if number in _BROKEN or any(sign in text for sign in _BROKEN_TEXTS):
        return StoreError(
            f"{begun}the disk of {at} reports an input/output error.",
            hint="It may be failing: copy the home to another disk, and look at the system's log.",
        )
    return None


@contextmanager
def disk_refusals(place: Path, doing: str = "") -> Iterator[None]:
    """Within it such an error comes out in words."""
    try:
        yield
    except (OSError, RuntimeError, ValueError) as error:
        if told := disk_refusal(error, place, doing):
            raise told from error
        raise


def is_full(error: BaseException) -> bool:
    """Whether it says that there is no room."""
    text = str(error).lower()
    return getattr(error, "errno", None) in _FULL or any(sign in text for sign in _FULL_TEXTS)


def cannot_write(error: OSError) -> bool:
    """Whether it says that nothing may be written there, whatever the room."""
    return error.errno in _READ_ONLY | _DENIED


def read_only(home: Path, doing: str = "") -> HomeReadOnly:
    """What a change in a read-only home is answered with."""
    begun = f"{doing}: the" if doing else "The"
    return HomeReadOnly(
        f"{begun} home {home} is read-only; what is there can be read, and nothing changed.",
        hint=_COPY,
    )


def is_read_only(folder: Path) -> bool:
    """Whether the disk of a folder is mounted so that nobody can write."""
    try:
        return bool(os.statvfs(folder).f_flag & os.ST_RDONLY)
    except (OSError, AttributeError):  # Windows knows no such thing
        return False


def free_text(place: Path) -> str:
    """How much room there is, for a person."""
    try:
        return f"{shutil.disk_usage(_folder(place)).free / 1e6:.0f} MB"
    except OSError:
        return "an unknown number of MB"


def _folder(place: Path) -> Path:
    """The nearest folder that is there."""
    for one in (place, *place.parents):
        if one.is_dir():
            return one
    return Path(os.sep)


def _named(error: BaseException) -> Path | None:
    name = getattr(error, "filename", None)
    return Path(os.fsdecode(name)) if isinstance(name, str | bytes) and name else None
