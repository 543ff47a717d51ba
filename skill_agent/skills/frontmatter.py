"""The YAML head of a SKILL.md, read as leniently as people write it.

Never raises anything but `FrontMatterError`, whatever the bytes are; judges no field's meaning.
"""

import json
import re
from dataclasses import dataclass
from typing import Any

import yaml

_BOMS = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
_ENTRY = re.compile(r"([A-Za-z][\w-]*):(?:[ \t]+|$)", re.MULTILINE)
_MERGE = re.compile(r"<<\s*:\s*[\[*]")
_MOST_CHARACTERS, _MOST_NODES, _MOST_DEPTH = 64_000, 5_000, 30


class FrontMatterError(ValueError):
    """Why a head could not be read, in words for the person."""


class _BrokenYaml(FrontMatterError):
    """Not YAML as it stands, but perhaps with quotes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A SKILL.md taken apart."""

    fields: dict[str, Any]
    body: str
    warnings: tuple[str, ...] = ()


def parse_document(raw: bytes) -> Document:
    """Head and body; raises FrontMatterError where there is no usable head."""
    text, warnings = decode(raw)
    head, body = _split(text, warnings)
    fields = _load(head, warnings)
    return Document(fields=fields, body=body.strip("\n"), warnings=tuple(warnings))


def decode(raw: bytes) -> tuple[str, list[str]]:
    """The text with `\\n` line ends, and what was odd about its bytes."""
    warnings: list[str] = []
    encoding = next((name for bom, name in _BOMS.items() if raw.startswith(bom)), "")
    if encoding:
        warnings.append("the file is UTF-16; save it as UTF-8")
        text = raw.decode(encoding, "replace")
    else:
        if b"\0" in raw:
            raise FrontMatterError("not a text file")
        try:
            text = raw.decode("utf-8")
        except UnicodeDecodeError as error:
            line = raw.count(b"\n", 0, error.start) + 1
            warnings.append(f"line {line} is not UTF-8; read as Windows-1252")
            text = raw.decode("cp1252", "replace")
    if text.startswith("\ufeff"):
        text = text[1:]
    return text.replace("\r\n", "\n").replace("\r", "\n"), warnings


def _split(text: str, warnings: list[str]) -> tuple[str, str]:
    lines = text.split("\n")
    start = next((index for index, line in enumerate(lines) if line.strip()), 0)
    if lines[start].rstrip() != "---":
        raise FrontMatterError("no front matter: the first line must be ---")
    if start:
        warnings.append("blank lines before the front matter")
    for index in range(start + 1, len(lines)):
        if lines[index].rstrip() == "---":
            return "\n".join(lines[start + 1 : index]), "\n".join(lines[index + 1 :])
    raise FrontMatterError("the front matter has no closing ---")


def _load(head: str, warnings: list[str]) -> dict[str, Any]:
    try:
        return _checked(_yaml(head))
    except _BrokenYaml as first:
        mended = _quoted(head)
        try:
            fields = _checked(_yaml(mended))
        except FrontMatterError:
            raise first from None
        if not isinstance(fields.get("description"), str):
            raise first from None  # what was mended is not worth more than the first mistake
        warnings.append(f"{first}; read by putting the values in quotes")
        return fields


def _yaml(head: str) -> Any:
    if len(head) > _MOST_CHARACTERS or _MERGE.search(head):
        raise FrontMatterError("the front matter is too large, or merges other parts of itself")
    try:
        return yaml.safe_load(head)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        # One line for the opening ---, one because YAML counts from nought.
        place = f" at line {mark.line + 2}" if mark else ""
        raise _BrokenYaml(f"the YAML cannot be read{place}: {error.problem}") from None
    except (yaml.YAMLError, ValueError, OverflowError, TypeError) as error:
        said = " ".join(str(error).split())[:120]
        raise _BrokenYaml(f"the YAML cannot be read: {said}") from None
    except RecursionError:
        raise FrontMatterError("the YAML is nested too deeply") from None


def _checked(value: Any) -> dict[str, Any]:
    """Refuses what is no mapping, and aliases that unfold into more than a head can hold."""
    if not isinstance(value, dict):
        raise FrontMatterError("the front matter is not a list of `key: value` lines")
    nodes = 0
    pending: list[tuple[Any, int]] = [(value, 0)]
    while pending:
        item, depth = pending.pop()
        nodes += 1
        if nodes > _MOST_NODES or depth > _MOST_DEPTH:
            raise FrontMatterError("the front matter is nested too deeply or too large")
        if isinstance(item, dict):
            pending += [(inner, depth + 1) for inner in item.values()]
        elif isinstance(item, list | tuple | set):
            pending += [(inner, depth + 1) for inner in item]
    return {str(key): inner for key, inner in value.items()}


def _quoted(head: str) -> str:
    """Puts into quotes what cannot be read alone: mostly a value with a colon in it."""
    entries: list[list[str]] = [[]]
    for line in head.split("\n"):
        if _ENTRY.match(line):
            entries.append([])
        entries[-1].append(line)
    return "\n".join(_readable(entry) for entry in entries)


def _readable(entry: list[str]) -> str:
    text = "\n".join(entry)
    found = _ENTRY.match(text)
    try:
        _yaml(text)
    except FrontMatterError:
        if found:
            value = " ".join(text[found.end() :].split())
            return f"{found[1]}: {json.dumps(value, ensure_ascii=False)}"
    return text
