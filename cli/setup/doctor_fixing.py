"""`ska doctor --fix`: does what a finding says mends it, where that loses nothing.

What stands in a finding's `fix` is a command for the person. Only those named here are done for
them, each after a question; everything else stays a word of advice.
"""

import os
import shlex
import sys
from collections.abc import Callable, Sequence
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

from skill_agent.errors import StoreError
from skill_agent.files.home import Home
from skill_agent.values import Finding

from ..output import narrate
from ..surroundings import Surroundings

SAFE = (
    ("init",),
    ("memory", "rebuild"),
    ("backup", "create"),
    ("models", "pull"),
)
"""The beginnings of commands that only add or make anew what can be made anew."""


def fix(around: Surroundings, found: Sequence[Finding], *, yes: bool) -> int:
    """Mends what it can, one after another; gives how many were mended."""
    mended = 0
    for one in found:
        if one.level == "ok" or (work := _work_of(around, one)) is None:
            continue
        narrate(f"{one.title}: {one.detail}" if one.detail else one.title)
        if not (yes or around.confirm(f"{_said(one)} now?")):
            continue
        if work():
            mended += 1
            narrate(f"done: {_said(one)}")
        else:
            narrate(f"that did not work: {_said(one)}")
    return mended


def _said(one: Finding) -> str:
    return "make it private" if one.id == "permissions" else one.fix


def _work_of(around: Surroundings, one: Finding) -> Callable[[], bool] | None:
    """What mends it; nothing where only the person can."""
    if one.id == "permissions":
        return lambda: _made_private(around.home)
    words = shlex.split(one.fix) if one.fix.startswith("ska ") else []
    if not any(tuple(words[1 : 1 + len(safe)]) == safe for safe in SAFE):
        return None
    return lambda: _ran(around, words[1:])


def _ran(around: Surroundings, words: list[str]) -> bool:
    """A command of ours in this process; it says itself what goes wrong."""
    from ..main import run

    asks_nothing: dict[tuple[str, ...], list[str]] = {("init",): ["--yes"]}
    with redirect_stdout(sys.stderr):  # stdout is the diagnosis
        return run([*words, *asks_nothing.get(tuple(words[:1]), [])], around) == 0


def _made_private(home: Home) -> bool:
    """Nobody else reads the home; what another user owns is left, and told by the next look."""

    def closed(path: Path) -> None:
        if not path.is_symlink():
            path.chmod(path.stat().st_mode & ~0o077)

    def refused(error: OSError) -> Any:
        raise StoreError(f"cannot look through {error.filename}: {error.strerror}")

    try:
        closed(home.root)
        for folder, names, files in os.walk(home.root, onerror=refused):
            for name in (*names, *files):
                closed(Path(folder, name))
    except OSError as error:
        narrate(f"{error.filename}: {error.strerror}")
        return False
    return True
