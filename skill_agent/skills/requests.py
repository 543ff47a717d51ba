"""Requests a skill brings along: what people say when they want it, and what only looks like it.

They stand in `references/requests.txt` of the skill's folder, one a line, in any language. A line
that begins with `not:` looks like a request and wants no skill; one with `#` is a comment. A skill
without the file is used only when it is called by its name: a description alone let too much pass.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from skill_agent.values import Skill

from .folder import read_plain
from .frontmatter import FrontMatterError, decode

REQUESTS = "references/requests.txt"
_UNWANTED = "not:"
_MOST_BYTES, _MOST_LINES, _MOST_CHARACTERS = 200_000, 1_000, 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Requests:
    """Examples of messages."""

    wanted: tuple[str, ...] = ()
    unwanted: tuple[str, ...] = ()
    """Look-alikes that want words only."""


def requests_of(skill: Skill) -> Requests:
    """The examples in a skill's folder; none where there is no such file or it cannot be read."""
    return read_requests(Path(skill.path) / REQUESTS)


def requests_stamp(skill: Skill) -> tuple[int, int] | None:
    """Time and size of a skill's file of examples; None where there is none."""
    try:
        status = (Path(skill.path) / REQUESTS).stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size


def read_requests(file: Path) -> Requests:
    """The examples of one file; empty where it is missing, too large, no text or no plain file."""
    try:
        raw = read_plain(file, _MOST_BYTES)
        if len(raw) > _MOST_BYTES:
            return Requests()
        text, _ = decode(raw)
    except (OSError, FrontMatterError):
        return Requests()
    return parse_requests(text.splitlines())


def parse_requests(lines: Iterable[str]) -> Requests:
    """Examples from lines; what is longer than a message of a few sentences is cut."""
    wanted: list[str] = []
    unwanted: list[str] = []
    for line in lines:
        text = line.strip()[:_MOST_CHARACTERS]
        if not text or text.startswith("#"):
            continue
        if text.startswith(_UNWANTED):
            unwanted.append(text.removeprefix(_UNWANTED).strip())
        else:
            wanted.append(text)
        if len(wanted) + len(unwanted) >= _MOST_LINES:
            break
    return Requests(wanted=tuple(wanted), unwanted=tuple(filter(None, unwanted)))
