"""Disks of a test's own: small ones, and such as cannot be written. They need root and mounts."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def small_disk(at: Path, size: str) -> Iterator[Path]:
    """A disk in memory that soon is full."""
    at.mkdir(parents=True, exist_ok=True)
    _mounted("-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(at))
    try:
        yield at
    finally:
        _unmounted(at)


@contextmanager
def written_nowhere(folder: Path, at: Path) -> Iterator[Path]:
    """A folder seen at another place, where nobody can write it, not even root."""
    at.mkdir(parents=True, exist_ok=True)
    _mounted("--bind", str(folder), str(at))
    try:
        _mounted("-o", "remount,bind,ro", str(at))
        yield at
    finally:
        _unmounted(at)


def fill(disk: Path) -> Path:
    """Takes all the room there is; deleting the file it gives back gives it back."""
    file = disk / "fill"
    with file.open("wb", buffering=0) as stream:
        for size in (1_000_000, 4_096, 1):
            while True:
                try:
                    if stream.write(b"x" * size) < size:
                        break
                except OSError:
                    break
    return file


def _mounted(*arguments: str) -> None:
    try:
        done = subprocess.run(["mount", *arguments], capture_output=True, text=True, check=False)
    except OSError as error:
        pytest.skip(f"there is no mount: {error}")
    if done.returncode:
        pytest.skip(f"nothing can be mounted here: {done.stderr.strip()}")


def _unmounted(at: Path) -> None:
    subprocess.run(["umount", "-l", str(at)], capture_output=True, check=False)
