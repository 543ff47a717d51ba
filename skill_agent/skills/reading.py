"""One SKILL.md folder -> a `Skill`: leniently for use, or measured against the standard.

Nothing here raises: what cannot be read comes back as a `Skill` that is not loaded, with the
reason. The limits are those of the Agent Skills standard.
"""

import re
import unicodedata
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from skill_agent.text.shaping import one_line
from skill_agent.values import Skill

from .allowed import allowed_tools, unknown_tools
from .arguments import schema_in
from .folder import Entry, Folder, FolderRefused, entries_of, read_folder, read_plain
from .frontmatter import Document, parse_document
from .plain_yaml import FrontMatterError, is_text, printable

MOST_BYTES = 1_000_000
NAME_LIMIT, DESCRIPTION_LIMIT, COMPATIBILITY_LIMIT, BODY_LINES = 64, 1024, 500, 500
STANDARD_FIELDS = (
    "name", "description", "license", "compatibility", "metadata", "allowed-tools",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class SkillFile:
    """A skill with the text that activation gives."""

    skill: Skill
    body: str = ""
    folder: Folder = field(default_factory=Folder)
    document: Document | None = None
    """What stands in the file; None where it could not be read."""
    arguments: dict[str, Any] | None = None
    """What it says it takes as a tool; None where it says nothing that can be used."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SkillReport:
    """A folder measured against the standard; `skill` says what our lenient reading makes of it."""

    skill: Skill
    errors: tuple[str, ...] = ()
    """What the standard forbids; the skill may load here all the same."""


def find_skill_file(folder: Path) -> Path | None:
    """`SKILL.md` of a folder, else another spelling of it; None where there is none."""
    try:
        names = sorted(entry.name for entry in folder.iterdir() if entry.name.lower() == "skill.md")
        names.sort(key=lambda name: (not (folder / name).is_file(), name != "SKILL.md"))
        return next((folder / name for name in names if not (folder / name).is_dir()), None)
    except OSError:
        return None


def read_skill(file: Path) -> SkillFile:
    """The skill of a SKILL.md file."""
    try:
        return read_entries(file, entries_of(file.parent))
    except FolderRefused as error:
        return refused_skill(file, str(error))


def read_entries(file: Path, entries: tuple[Entry, ...]) -> SkillFile:
    """The skill of a SKILL.md file in whose folder these lie."""
    try:
        raw = read_plain(file, MOST_BYTES)
        if len(raw) > MOST_BYTES:
            return refused_skill(file, f"{file.name} is larger than 1 MB")
        folder = read_folder(file.parent, entries, (file.name, raw))
        return _skill(file, parse_document(raw), folder)
    except OSError as error:
        return refused_skill(file, f"cannot be read: {error.strerror}")
    except (FrontMatterError, FolderRefused) as error:
        return refused_skill(file, str(error))


def refused_skill(file: Path, reason: str) -> SkillFile:
    """A skill that is listed with its reason and nothing of its own words."""
    name = plain_name(file.parent.name) or "unnamed"
    path = str(file.parent)
    skill = Skill(name=name, description="", path=path, loaded=False, reason=reason)
    return SkillFile(skill=skill)


def validate_skill(folder: Path) -> SkillReport:
    """Strict report on one folder, for those who publish skills."""
    file = find_skill_file(folder)
    if file is None:
        reason = "no SKILL.md in this folder"
        return SkillReport(skill=refused_skill(folder / "SKILL.md", reason).skill, errors=(reason,))
    read = read_skill(file)
    if read.document is None:
        return SkillReport(skill=read.skill, errors=(read.skill.reason,))
    skill, unknown = read.skill, unknown_tools(read.skill.allowed_tools)
    if unknown:
        told = f"allowed-tools names what is no tool here: {one_line(', '.join(unknown), 200)}"
        skill = replace(skill, warnings=(*skill.warnings, told))
    return SkillReport(skill=skill, errors=tuple(_violations(file, read.document)))


def plain_name(text: str) -> str:
    """A name of a-z, 0-9 and - made of any text, as prompts, rules and commands have it."""
    letters = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode("ascii")
    return re.sub(r"[^a-z0-9]+", "-", letters.lower())[:NAME_LIMIT].strip("-")


def name_faults(name: str, folder: str) -> list[str]:
    """How a name departs from the standard."""
    faults = []
    name = unicodedata.normalize("NFKC", name)
    if len(name) > NAME_LIMIT:
        faults.append(f"the name has {len(name)} characters, the limit is {NAME_LIMIT}")
    if any(not (char == "-" or char.isalnum()) for char in name) or name != name.lower():
        faults.append(f'the name "{name[:80]}" has other than lower-case letters, digits and -')
    if name.startswith("-") or name.endswith("-") or "--" in name:
        faults.append("the name begins or ends with - or has --")
    if name != unicodedata.normalize("NFKC", folder):
        faults.append(f'the name "{name[:80]}" differs from its folder "{folder}"')
    return faults


def _skill(file: Path, document: Document, contents: Folder) -> SkillFile:
    fields, folder = document.fields, file.parent
    warnings = list(document.warnings)
    if file.name != "SKILL.md":
        warnings.append(f"the file is called {file.name}, not SKILL.md")
    name, found = _named(fields.get("name"), folder.name)
    warnings += found
    description = _one_line(_text(fields.get("description")))
    if description:
        warnings += _odd_type("description", fields["description"])
    if len(description) > DESCRIPTION_LIMIT:
        warnings.append(
            f"the description has {len(description)} characters, the limit is {DESCRIPTION_LIMIT}"
        )
    warnings += _body_warnings(document.body)
    metadata = fields.get("metadata") or {}
    if not isinstance(metadata, dict):
        warnings.append("metadata is not a mapping; left out")
        metadata = {}
    arguments, wrong = schema_in(metadata)
    warnings += [wrong] if wrong else []
    tools = allowed_tools(fields.get("allowed-tools"))
    if "allowed-tools" in fields and not tools:
        warnings.append("allowed-tools names no tool, so it restricts none")
    reason = _refusal(fields, name, description)
    skill = Skill(
        name=name or "unnamed",
        description=description,
        path=str(folder),
        licence=_one_line(_text(fields.get("license"))),
        compatibility=_one_line(_text(fields.get("compatibility"))),
        allowed_tools=tools,
        metadata=_plain(metadata),
        warnings=tuple(warnings),
        loaded=not reason,
        hidden=_text(fields.get("disable-model-invocation")).lower() in ("true", "yes", "on"),
        reason=reason,
        digest=contents.digest,
    )
    return SkillFile(
        skill=skill,
        body=document.body,
        folder=contents,
        document=document,
        arguments=arguments,
    )


def _named(value: Any, folder: str) -> tuple[str, list[str]]:
    """The name a skill goes by here, and what is odd about the one it gives itself."""
    written = _one_line(_text(value))
    name = plain_name(written) or plain_name(folder)
    if not written:
        warnings = ["no name; the folder's is used"]
    else:
        warnings = _odd_type("name", value) + name_faults(written, folder)
    if name and name != (written or folder):
        warnings.append(f'it is called "{name}" here')
    return name, warnings


def _refusal(fields: dict[str, Any], name: str, description: str) -> str:
    if not description:
        return _no_description(fields)
    return "" if name else "its name has no letter a-z and no digit to call it by"


def _plain(value: Any) -> Any:
    """The value as text, lists and mappings, each of its own."""
    match value:
        case dict():
            return {str(key): _plain(inner) for key, inner in value.items()}
        case list():
            return [_plain(inner) for inner in value]
        case str():
            return str(value)
    return value


def _violations(file: Path, document: Document) -> list[str]:
    fields, faults = document.fields, []
    if file.name != "SKILL.md":
        faults.append(f"the file must be called SKILL.md, not {file.name}")
    for key in ("name", "description"):
        if not _text(fields.get(key)):
            faults.append(f"{key} is required")
        elif not is_text(fields[key]):
            faults.append(f"{key} must be text")
    if name := _text(fields.get("name")):
        faults += name_faults(name, file.parent.name)
    if len(_text(fields.get("description"))) > DESCRIPTION_LIMIT:
        faults.append(f"description must have at most {DESCRIPTION_LIMIT} characters")
    if len(_text(fields.get("compatibility"))) > COMPATIBILITY_LIMIT:
        faults.append(f"compatibility must have at most {COMPATIBILITY_LIMIT} characters")
    metadata = fields.get("metadata", {})
    if not isinstance(metadata, dict):
        faults.append("metadata must be a mapping")
    elif not all(is_text(value) for value in metadata.values()):
        faults.append("metadata must map text to text")
    for key in ("allowed-tools", "license", "compatibility"):
        if key in fields and not is_text(fields[key]):
            faults.append(f"{key} must be text")
    unknown = [key for key in fields if key not in STANDARD_FIELDS]
    if unknown:
        named = one_line(", ".join(unknown), 200)
        faults.append(f"not in the standard: {named} (put such keys into metadata)")
    return faults


def _body_warnings(body: str) -> list[str]:
    if not body.strip():
        return ["the body is empty: activating it tells an agent nothing"]
    lines = body.count("\n") + 1
    if lines > BODY_LINES:
        return [f"the body has {lines} lines; keep it under {BODY_LINES}, the rest in references/"]
    return []


def _no_description(fields: dict[str, Any]) -> str:
    if fields.get("description") in (None, "") or isinstance(fields["description"], str):
        return "no description: it tells a model when to use the skill"
    return "the description is not text"


def _odd_type(key: str, value: Any) -> list[str]:
    return [] if is_text(value) else [f"the {key} is not written as text; put it in quotes"]


def _text(value: Any) -> str:
    """A scalar as text, a list of scalars joined; empty for everything else."""
    match value:
        case None | dict():
            return ""
        case list():
            return " ".join(_text(item) for item in value if not isinstance(item, list | dict))
        case _:
            return str(value).strip()


def _one_line(text: str) -> str:
    return one_line(printable(text))
