"""One SKILL.md folder -> a `Skill`: leniently for use, or measured against the standard.

Nothing here raises: what cannot be read comes back as a `Skill` that is not loaded, with the
reason. The limits are those of the Agent Skills standard.
"""

import re
import unicodedata
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from skill_agent.values import Skill

from .frontmatter import Document, FrontMatterError, parse_document

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
        names.sort(key=lambda name: name != "SKILL.md")
        return next((folder / name for name in names if (folder / name).is_file()), None)
    except OSError:
        return None


def read_skill(file: Path) -> SkillFile:
    """The skill of a SKILL.md file."""
    folder = file.parent
    refused = Skill(name=_one_line(folder.name), description="", path=str(folder), loaded=False)
    try:
        if file.stat().st_size > MOST_BYTES:
            return SkillFile(skill=replace(refused, reason=f"{file.name} is larger than 1 MB"))
        document = parse_document(file.read_bytes())
    except OSError as error:
        return SkillFile(skill=replace(refused, reason=f"cannot be read: {error.strerror}"))
    except FrontMatterError as error:
        return SkillFile(skill=replace(refused, reason=str(error)))
    return _skill(file, document)


def validate_skill(folder: Path) -> SkillReport:
    """Strict report on one folder, for those who publish skills."""
    file = find_skill_file(folder)
    if file is None:
        reason = "no SKILL.md in this folder"
        skill = Skill(
            name=folder.name, description="", path=str(folder), loaded=False, reason=reason
        )
        return SkillReport(skill=skill, errors=(reason,))
    skill = read_skill(file).skill
    try:
        document = parse_document(file.read_bytes())
    except (OSError, FrontMatterError):
        return SkillReport(skill=skill, errors=(skill.reason,))
    return SkillReport(skill=skill, errors=tuple(_violations(file, document)))


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


def _skill(file: Path, document: Document) -> SkillFile:
    fields, folder = document.fields, file.parent
    warnings = list(document.warnings)
    if file.name != "SKILL.md":
        warnings.append(f"the file is called {file.name}, not SKILL.md")
    name = _one_line(_text(fields.get("name"))) or _one_line(folder.name)
    if not _text(fields.get("name")):
        warnings.append("no name; the folder's is used")
    else:
        warnings += _odd_type("name", fields["name"]) + name_faults(name, folder.name)
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
    skill = Skill(
        name=name,
        description=description,
        path=str(folder),
        licence=_one_line(_text(fields.get("license"))),
        compatibility=_one_line(_text(fields.get("compatibility"))),
        allowed_tools=allowed_tools(fields.get("allowed-tools")),
        metadata={str(key): value for key, value in metadata.items()},
        warnings=tuple(warnings),
        loaded=bool(description),
        hidden=fields.get("disable-model-invocation") in (True, "true"),
        reason="" if description else _no_description(fields),
    )
    return SkillFile(skill=skill, body=document.body)


def allowed_tools(value: Any) -> tuple[str, ...]:
    """Names from a list, or from text split at blanks and commas outside brackets."""
    parts = value if isinstance(value, list) else [_text(value)]
    found = (name for part in parts for name in re.findall(r"(?:\([^)]*\)|[^\s,(])+", _text(part)))
    return tuple(dict.fromkeys(found))


def _violations(file: Path, document: Document) -> list[str]:
    fields, faults = document.fields, []
    if file.name != "SKILL.md":
        faults.append(f"the file must be called SKILL.md, not {file.name}")
    for field in ("name", "description"):
        if not _text(fields.get(field)):
            faults.append(f"{field} is required")
        elif not isinstance(fields[field], str):
            faults.append(f"{field} must be text")
    if name := _text(fields.get("name")):
        faults += name_faults(name, file.parent.name)
    if len(_text(fields.get("description"))) > DESCRIPTION_LIMIT:
        faults.append(f"description must have at most {DESCRIPTION_LIMIT} characters")
    if len(_text(fields.get("compatibility"))) > COMPATIBILITY_LIMIT:
        faults.append(f"compatibility must have at most {COMPATIBILITY_LIMIT} characters")
    metadata = fields.get("metadata", {})
    if not isinstance(metadata, dict):
        faults.append("metadata must be a mapping")
    elif any(not isinstance(value, str) for value in metadata.values()):
        faults.append("metadata must map text to text")
    for field in ("allowed-tools", "license", "compatibility"):
        if field in fields and not isinstance(fields[field], str):
            faults.append(f"{field} must be text")
    unknown = [field for field in fields if field not in STANDARD_FIELDS]
    if unknown:
        faults.append(f"not in the standard: {', '.join(unknown)} (put such keys into metadata)")
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


def _odd_type(field: str, value: Any) -> list[str]:
    return (
        [] if isinstance(value, str) else [f"the {field} is not written as text; put it in quotes"]
    )


def _text(value: Any) -> str:
    """A scalar as text, a list of scalars joined; empty for everything else."""
    match value:
        case None | dict():
            return ""
        case bool():
            return str(value).lower()
        case list():
            return " ".join(_text(item) for item in value if not isinstance(item, list | dict))
        case _:
            return str(value).strip()


def _one_line(text: str) -> str:
    return " ".join(text.split())
