"""The skills of a home: found, listed, and opened one step at a time.

Catalogue first, a body on activation, single files on demand. Reading the front matter is
`reading`'s work, whom to trust `trust`'s; which agent has which skill is decided elsewhere.
"""

import logging
import os
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from html import escape
from pathlib import Path
from time import monotonic

from skill_agent.errors import ConfigError, NotFound, ToolFailed
from skill_agent.files.bundled import bundled_skills_path
from skill_agent.files.home import Home
from skill_agent.text.gate import tamed
from skill_agent.text.nearest import did_you_mean
from skill_agent.text.shaping import one_line
from skill_agent.values import Skill

from .folder import (
    RESOURCE_BYTES,
    SKIPPED,
    Entry,
    FolderRefused,
    entries_of,
    is_as_read,
    read_plain,
)
from .frontmatter import FrontMatterError, decode
from .operations import Skills
from .reading import (
    DESCRIPTION_LIMIT,
    SkillFile,
    find_skill_file,
    read_entries,
    refused_skill,
)
from .requests import REQUESTS
from .trust import NOT_APPROVED, approvals_in, is_trusted, judged

MOST_FOLDERS, MOST_DEPTH = 2_000, 5
"""Where a scan stops; it says so."""

_log = logging.getLogger(__name__)

BRIEF = "brief"
"""Key of a skill's metadata: its instructions in a few sentences, for models that are told few."""
BODY_CHARACTERS, LISTED_FILES = 40_000, 100
READ_ON = "read the rest with read_skill_file, path SKILL.md"
MORE = "…"
"""Stands at the end of a list of files that was cut."""

Stamp = tuple[tuple[int, ...], tuple[Entry, ...]]
"""Of the SKILL.md, which may be a link, and of all that lies beside it."""


def skill_roots(home: Home, user: Path | None = None) -> tuple[Path, ...]:
    """Where skills are looked for, the first winning a name twice given.

    The home's own, then `~/.agents/skills`, which other programs share (`user` names another
    home directory), then those that come with the product.
    """
    shared = (user or Path.home()) / ".agents" / "skills"
    return home.skills, shared, bundled_skills_path()


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a scan of one root saw."""

    files: tuple[Path, ...]
    notes: tuple[str, ...] = ()
    """What kept the scan from seeing everything."""


def find_skills(
    root: Path, *, most_folders: int = MOST_FOLDERS, most_depth: int = MOST_DEPTH
) -> Found:
    """Every SKILL.md below a root, or the root's own; in order of path."""
    files: list[Path] = []
    notes: list[str] = []
    seen: set[Path] = set()
    pending = [(root, 0)]
    while pending:
        folder, depth = pending.pop(0)
        real = folder.resolve()
        if real in seen:
            continue
        if len(seen) >= most_folders:
            notes.append(
                f"{root}: stopped after {most_folders} folders; some skills may be missing"
            )
            break
        seen.add(real)
        file = find_skill_file(folder)
        if file:
            files.append(file)
        # Below a skill lie its own files; only a root may be a skill and hold others.
        if (file is None or folder == root) and depth < most_depth:
            pending += [(inner, depth + 1) for inner in _folders(folder, notes)]
    return Found(files=tuple(sorted(files)), notes=tuple(notes))


def _folders(folder: Path, notes: list[str]) -> list[Path]:
    try:
        with os.scandir(folder) as entries:
            names = sorted(entry.name for entry in entries if _is_folder(entry))
    except FileNotFoundError:
        return []
    except OSError as error:
        notes.append(f"{folder}: {error.strerror or error}")
        return []
    return [folder / name for name in names]


def _is_folder(entry: os.DirEntry[str]) -> bool:
    """False also for a link that leads in a circle, which must not hide its neighbours."""
    try:
        return entry.name not in SKIPPED and entry.is_dir()
    except OSError:
        return False


class SkillBook:
    """The skills below some roots; looks again at every call, reads only what has changed.

    `rules` are the stored approvals, without which only the skills that came with the program are
    trusted. Until a skill is, nothing but its name reaches a prompt unasked.
    """

    def __init__(
        self, roots: Sequence[Path], *, rules: Callable[[], Sequence[str]] = tuple
    ) -> None:
        self.roots, self._rules = tuple(roots), rules
        self.notes: tuple[str, ...] = ()
        """What kept the last scan from seeing everything."""
        self._read: dict[Path, tuple[Stamp, SkillFile]] = {}
        self._last: tuple[float, tuple[SkillFile, ...]] | None = None

    # -- the list ----------------------------------------------------------------------------

    def skills(self) -> tuple[Skill, ...]:
        """Every skill by name, then those refused or shadowed, with their reasons."""
        return self._judged(self._sorted())

    def skills_lately(self, seconds: float = 1.0) -> tuple[Skill, ...]:
        """As `skills`, as they were at most so long ago."""
        return self._judged(self._lately(seconds))

    def _judged(self, files: Sequence[SkillFile], agent: str | None = None) -> tuple[Skill, ...]:
        try:
            approvals = approvals_in(self._rules())
        except ConfigError as problem:  # nothing is approved by a file that cannot be read
            _log.warning("the stored approvals: %s", problem.message)
            approvals = []
        return tuple(judged(file.skill, approvals, agent) for file in files)

    def _sorted(self) -> tuple[SkillFile, ...]:
        files = [
            (not one.skill.loaded, one.skill.name, one.skill.path, one) for one in self._scan()
        ]
        found = tuple(one for *_, one in sorted(files, key=lambda key: key[:3]))
        self._last = monotonic(), found
        return found

    def _lately(self, seconds: float = 1.0) -> tuple[SkillFile, ...]:
        """One look is some hundred system calls, and a busy host has many turns a second."""
        if self._last is not None and monotonic() - self._last[0] < seconds:
            return self._last[1]
        return self._sorted()

    def offered(self, names: Sequence[str], agent: str) -> list[Skill]:
        """Those an agent may be offered, in the order of the names, as a prompt may tell of them:
        of a skill that was not approved its name alone."""
        known = {
            skill.name: skill
            for skill in self._judged(self._lately(), agent)
            if skill.loaded and not skill.hidden
        }
        return [_as_told(known[name]) for name in names if name in known]

    def unapproved(self, names: Sequence[str], agent: str) -> list[Skill]:
        """Those of the named skills whose text an agent may not be told yet."""
        found = self._judged(self._lately(), agent)
        return [one for one in found if one.loaded and one.name in names and not is_trusted(one)]

    def known(self, agent: str) -> dict[str, SkillFile]:
        """Every skill by name, as they were lately, with what the agent may make of it."""
        files = self._lately()
        judged_for = self._judged(files, agent)
        pairs = [*zip(files, judged_for, strict=True)]
        return {skill.name: replace(file, skill=skill) for file, skill in reversed(pairs)}

    def names(self) -> tuple[str, ...]:
        """The names of all skills that load, the hidden ones too."""
        return tuple(skill.name for skill in self.skills() if skill.loaded)

    def get(self, name: str) -> Skill:
        """The skill, one that was refused too; raises NotFound with the nearest name."""
        skills = self.skills()
        for skill in skills:
            if skill.name == name:
                return skill
        near = did_you_mean(name, [skill.name for skill in skills])
        raise NotFound(f'no skill "{name}"', hint=near or "`ska skills list` shows what there is")

    # -- one skill ---------------------------------------------------------------------------

    def usable(self, name: str, agent: str) -> Skill:
        """The skill with what the agent may make of it; raises ToolFailed."""
        return self._judged([self._open(name)], agent)[0]

    def text(self, name: str) -> str:
        """The body as it is written, for a person to read; raises ToolFailed."""
        return self._open(name).body

    def activate(self, name: str, digest: str = "") -> str:
        """The body in `<skill_content>` with the list of its files; raises ToolFailed, also where
        the folder has not the digest that is named."""
        return content_of(self._open(name, digest))

    def craft(self, name: str, agent: str, *, brief: bool) -> str:
        """A skill as part of an agent's own instructions: its body, or in brief what its metadata
        says of it; empty where it cannot be loaded or was not approved."""
        found = [one for one in self._lately() if one.skill.name == name and one.skill.loaded]
        if not found or not is_trusted(self._judged(found, agent)[0]):
            return ""
        file = found[0]
        short = str(file.skill.metadata.get(BRIEF, "")) or file.skill.description
        return tamed(one_line(short) if brief else file.body.strip()[:BODY_CHARACTERS])

    def files(self, name: str) -> tuple[str, ...]:
        """Paths inside the skill's folder, `/` between parts; neither SKILL.md nor its requests."""
        return listed(self._open(name))

    def resource(self, name: str, path: str, digest: str = "") -> str:
        """The text of one file inside the skill's folder; raises ToolFailed."""
        skill = self._open(name, digest)
        folder = Path(skill.skill.path).resolve()
        inside = _inside(folder, path.strip().replace("\\", "/").removeprefix("./"))
        if inside in skill.folder.large:
            size = skill.folder.large[inside]
            raise ToolFailed(f'"{path}" has {size} bytes; at most {RESOURCE_BYTES} can be read')
        if inside not in skill.folder.files:
            there = tamed(", ".join(listed(skill)) or "no other files")
            raise ToolFailed(f'skill "{name}" has no file "{path}"; it has: {there}')
        try:
            content = read_plain(folder / inside, RESOURCE_BYTES)
            if not is_as_read(content, skill.folder.files[inside]):
                raise ToolFailed(f'"{path}" was changed just now; activate the skill again')
            return tamed(decode(content)[0])
        except FrontMatterError:
            raise ToolFailed(f'"{path}" is not a text file') from None
        except OSError as error:
            raise ToolFailed(f'"{path}" cannot be read: {error.strerror}') from None

    # -- scanning ----------------------------------------------------------------------------

    def _open(self, name: str, digest: str = "") -> SkillFile:
        files = self._scan()
        for file in files:
            if file.skill.name == name and file.skill.loaded:
                if digest and file.skill.digest != digest:
                    raise ToolFailed(f'skill "{name}" was changed just now; try again')
                return file
        refused = next((file.skill for file in files if file.skill.name == name), None)
        if refused:
            raise ToolFailed(f'skill "{name}" is not usable: {tamed(refused.reason)}')
        near = did_you_mean(name, [file.skill.name for file in files])
        raise ToolFailed(f'no skill "{name}"; {near or "none is like it"}')

    async def list(self) -> Skills:
        return [*self.skills()]

    def _scan(self) -> Sequence[SkillFile]:
        notes: list[str] = []
        fresh: dict[Path, tuple[Stamp, SkillFile]] = {}
        read: list[list[SkillFile]] = []
        shipped: set[tuple[str, str]] = set()
        for root in self.roots:
            found = find_skills(root)
            notes += found.notes
            read.append([self._cached(file, fresh) for file in found.files])
            if root == bundled_skills_path():
                shipped |= {(one.skill.name, one.skill.digest) for one in read[-1]}
        self._read, self.notes = fresh, tuple(notes)
        files: list[SkillFile] = []
        for lower in read:
            files = _joined(files, lower)
        return [_trusted(one) if _key(one) in shipped else one for one in files]

    def _cached(self, file: Path, fresh: dict[Path, tuple[Stamp, SkillFile]]) -> SkillFile:
        try:
            status = file.stat()
            entries = entries_of(file.parent)
        except OSError as error:
            return refused_skill(file, f"cannot be read: {error.strerror}")
        except FolderRefused as error:
            return refused_skill(file, str(error))
        times = status.st_mtime_ns, status.st_ctime_ns, status.st_size, status.st_ino
        stamp = times, entries
        before = self._read.get(file)
        read = before[1] if before and before[0] == stamp else read_entries(file, entries)
        fresh[file] = stamp, read
        return read


def _key(file: SkillFile) -> tuple[str, str]:
    return file.skill.name, file.skill.digest


def _trusted(file: SkillFile) -> SkillFile:
    """Also for a copy that is the same to the last byte."""
    return replace(file, skill=replace(file.skill, trust="trusted"))


def _as_told(skill: Skill) -> Skill:
    said = one_line(skill.description, DESCRIPTION_LIMIT) if is_trusted(skill) else NOT_APPROVED
    return replace(skill, description=tamed(said))


def _joined(higher: Sequence[SkillFile], lower: Sequence[SkillFile]) -> "list[SkillFile]":
    """The skills of two roots: a name of the higher one hides the lower's.

    A copy that says the same (a home's own copy of a bundled skill) is not worth a word; within
    one root the later is listed as refused, because nobody meant to have it twice.
    """
    result = {index: file for index, file in enumerate(higher)}
    taken = {file.skill.name: index for index, file in result.items() if file.skill.loaded}
    above = set(taken)
    for file in lower:
        name, index = file.skill.name, len(result)
        if not file.skill.loaded or name not in taken:
            result[index] = file
            if file.skill.loaded:
                taken[name] = index
        elif name not in above:
            first = result[taken[name]].skill.path
            result[index] = _changed(file, loaded=False, reason=f"shadowed by {first}")
            result[taken[name]] = _warned(result[taken[name]], f"hides {file.skill.path}")
        elif not _same(result[taken[name]], file):
            result[taken[name]] = _warned(result[taken[name]], f"hides {file.skill.path}")
    return list(result.values())


def _same(one: SkillFile, other: SkillFile) -> bool:
    return one.body == other.body and one.skill.description == other.skill.description


def _warned(file: SkillFile, warning: str) -> SkillFile:
    return replace(file, skill=replace(file.skill, warnings=(*file.skill.warnings, warning)))


def _changed(file: SkillFile, *, loaded: bool, reason: str) -> SkillFile:
    return replace(file, skill=replace(file.skill, loaded=loaded, reason=reason))


def content_of(file: SkillFile, *, rest: str = READ_ON) -> str:
    """A skill's body as whoever activates it reads it, with the list of its files; `rest` says
    where what was cut is read."""
    body = re.sub(r"<(?=\s*/?\s*skill_)", r"<\\", tamed(file.body), flags=re.IGNORECASE)
    if len(body) > BODY_CHARACTERS:
        body = f"{body[:BODY_CHARACTERS]}\n[cut here; {rest}]"
    files, listing = listed(file), ""
    if files:
        lines = "\n".join(f"- {escape(tamed(path), quote=False)}" for path in files)
        listing = f"\n<skill_files>\n{lines}\n</skill_files>"
    return f'<skill_content name="{escape(file.skill.name)}">\n{body}{listing}\n</skill_content>'


def listed(file: SkillFile) -> tuple[str, ...]:
    """The files of its folder that a model is told of."""
    known = file.folder.files.keys() | file.folder.large.keys()
    paths = sorted(path for path in known if path.lower() != "skill.md" and path != REQUESTS)
    return (*paths[:LISTED_FILES], *([MORE] if len(paths) > LISTED_FILES else []))


def _inside(folder: Path, path: str) -> str:
    """The real file a relative path names, from the folder on; empty if it lies elsewhere."""
    try:
        if not path or "\0" in path or Path(path).is_absolute() or re.match(r"[A-Za-z]:", path):
            return ""
        return (folder / path).resolve().relative_to(folder).as_posix()
    except (OSError, RuntimeError, ValueError):
        return ""
