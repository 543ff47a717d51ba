"""The files below a folder that a person may want to name; looked through in a thread.

Bounded, and roughly as git sees it: hidden files, links and what a `.gitignore` names are left out.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from time import monotonic

MOST_FILES, MOST_SECONDS = 5_000, 2.0
_NEVER = frozenset({"node_modules", "__pycache__", "venv", "target", "dist", "build"})
_LONGEST_IGNORE = 100_000


@dataclass(frozen=True, slots=True)
class _Rule:
    """One line of a `.gitignore`."""

    folder: str
    """Where it stands, relative, with a slash at the end; empty at the top."""
    pattern: str
    folders_only: bool
    takes_back: bool

    def fits(self, path: str, *, is_folder: bool) -> bool:
        if (self.folders_only and not is_folder) or not path.startswith(self.folder):
            return False
        below = path.removeprefix(self.folder)
        if "/" in self.pattern:
            return fnmatch(below, self.pattern.lstrip("/"))
        return fnmatch(below.rsplit("/", 1)[-1], self.pattern)


def files_below(folder: Path) -> list[str]:
    """Relative paths, those near the top first; at most 5 000, and none after two seconds."""
    found, until = list[str](), monotonic() + MOST_SECONDS
    waiting: list[tuple[str, tuple[_Rule, ...]]] = [("", ())]
    while waiting and len(found) < MOST_FILES and monotonic() < until:
        here, rules = waiting.pop(0)
        rules = (*rules, *_rules_in(folder, here))
        for name, is_folder in _entries(folder / here):
            path = f"{here}{name}"
            if _ignored(path, rules, is_folder=is_folder):
                continue
            if is_folder:
                waiting.append((f"{path}/", rules))
            else:
                found.append(path)
    return found[:MOST_FILES]


def _entries(folder: Path) -> Iterator[tuple[str, bool]]:
    try:
        with os.scandir(folder) as entries:
            shown = [one for one in entries if not one.name.startswith(".")]
    except OSError:
        return
    for one in sorted(shown, key=lambda one: one.name.lower()):
        try:
            if one.is_dir(follow_symlinks=False) and one.name not in _NEVER:
                yield one.name, True
            elif one.is_file(follow_symlinks=False):
                yield one.name, False
        except OSError:
            continue


def _rules_in(folder: Path, here: str) -> tuple[_Rule, ...]:
    try:
        with (folder / here / ".gitignore").open(encoding="utf-8", errors="replace") as file:
            lines = file.read(_LONGEST_IGNORE).splitlines()
    except OSError:
        return ()
    kept = (line.strip() for line in lines)
    return tuple(_rule(line, here) for line in kept if line and not line.startswith("#"))


def _rule(line: str, here: str) -> _Rule:
    takes_back = line.startswith("!")
    pattern = line.removeprefix("!")
    return _Rule(here, pattern.rstrip("/"), pattern.endswith("/"), takes_back)


def _ignored(path: str, rules: tuple[_Rule, ...], *, is_folder: bool) -> bool:
    """The last rule that fits decides."""
    for rule in reversed(rules):
        if rule.fits(path, is_folder=is_folder):
            return not rule.takes_back
    return False


def matching(files: list[str], typed: str, most: int) -> list[str]:
    """Those whose name begins with it, then those whose path holds it."""
    low = typed.lower()
    begun = [one for one in files if begins(one, low)]
    held = [one for one in files if low in one.lower() and not begins(one, low)]
    return [*begun, *held][:most]


def begins(path: str, typed: str) -> bool:
    low = path.lower()
    return low.rsplit("/", 1)[-1].startswith(typed) or low.startswith(typed)
