"""Where a home's socket lies and whether it is safe to use.

The standard library only: a client pays for nothing it does not need. Nothing listens here, and
nothing here decides who owns the home.
"""

import contextlib
import hashlib
import os
import socket
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

from skill_agent.errors import ConfigError, UsageError
from skill_agent.files.home import Home
from skill_agent.files.private import read_text, write_private

LIMIT = 100
"""Bytes a socket's path may have; systems allow 103 (macOS) to 107 (Linux)."""

_CONNECT_S = 0.5
_SOCKET = "host.sock"


def pointer(home: Home) -> Path:
    """The file that names the socket where it does not lie in the home."""
    return home.run / "host.addr"


def places(home: Home) -> Iterator[Path]:
    """Where the socket may lie, the best first: in the home, else in a short folder of our own
    below the temporary one, named by user and home."""
    inside = home.run / _SOCKET
    if len(os.fsencode(inside)) <= LIMIT:
        yield inside
    digest = hashlib.sha256(os.fsencode(home.root.resolve())).hexdigest()[:12]
    for temporary in dict.fromkeys((tempfile.gettempdir(), "/tmp")):
        outside = Path(temporary) / f"ska-{os.getuid()}-{digest}" / _SOCKET
        if len(os.fsencode(outside)) <= LIMIT:
            yield outside


def private_folder(folder: Path) -> None:
    """Makes the folder, or makes an own one private; raises UsageError for anybody else's."""
    with contextlib.suppress(FileExistsError):
        folder.mkdir(mode=0o700, parents=True)
    with contextlib.suppress(OSError):
        if _owned(folder):
            folder.chmod(0o700)
    check_private(folder)


def check_private(path: Path) -> None:
    """Raises UsageError where the path is not ours alone, OSError where it is not there."""
    found = path.lstat()
    kind = "socket" if stat.S_ISSOCK(found.st_mode) else "folder"
    if stat.S_ISLNK(found.st_mode) or not (
        stat.S_ISSOCK(found.st_mode) or stat.S_ISDIR(found.st_mode)
    ):
        raise UsageError(
            f"{path} is neither a socket nor a folder, so nobody can be reached through it",
            hint=f"look at it, then remove it: rm {path}",
        )
    if found.st_uid != os.geteuid():
        raise UsageError(
            f"the {kind} {path} belongs to another user (uid {found.st_uid}) and is not used",
            hint="remove it, or choose another home with SKILL_AGENT_HOME",
        )
    if found.st_mode & 0o077:
        raise UsageError(
            f"the {kind} {path} is open to other users and is not used",
            hint=f"chmod {'600' if kind == 'socket' else '700'} {path}",
        )


def said_socket(home: Home) -> Path:
    """Where the home's host says its socket is: what the pointer names, else in the home."""
    with contextlib.suppress(ConfigError):
        named = Path(read_text(pointer(home)).strip())
        if named.is_absolute() and named.name == _SOCKET:
            return named
    return home.run / _SOCKET


def live_socket(home: Home) -> Path | None:
    """The socket somebody listens on; None where there is none, or only a dead host's.

    Raises UsageError for a socket or folder that belongs to another user or is open to others.
    """
    path = said_socket(home)
    try:
        check_private(path)
        check_private(path.parent)
    except OSError:
        return None
    return path if _answers(path) else None


def point_to(home: Home, path: Path) -> None:
    """Leaves word where the socket is; none is needed for one inside the home."""
    if path.parent == home.run:
        pointer(home).unlink(missing_ok=True)
    else:
        write_private(pointer(home), f"{path}\n")


def _owned(path: Path) -> bool:
    found = path.lstat()
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid()


def _answers(path: Path) -> bool:
    """Whether somebody listens; a host too busy to accept at once still does."""
    if len(os.fsencode(path)) > LIMIT:
        return False
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as tried:
        tried.settimeout(_CONNECT_S)
        try:
            tried.connect(str(path))
        except (BlockingIOError, TimeoutError):
            return True
        except OSError:
            return False
    return True
