"""The YAML head of a SKILL.md, read as leniently as people write it.

Never raises anything but `FrontMatterError`, whatever the bytes are; judges no field's meaning.
"""

import json
import re
from dataclasses import dataclass
from typing import Any

from .plain_yaml import BrokenYaml, FrontMatterError, read_yaml

_BOMS = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
_ENTRY = re.compile(r"([A-Za-z][\w-]*):(?:[ \t]+|$)", re.MULTILINE)
_MOST_MENDED = 200
"""Keys of a head that is put into quotes; nobody writes more."""


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
        fields, repeated = _fields(head)
    except BrokenYaml as first:
        try:
            fields, repeated = _fields(_quoted(head))
        except FrontMatterError:
            raise first from None
        if not isinstance(fields.get("description"), str):
            raise first from None  # what was mended is not worth more than the first mistake
        warnings.append(f"{first}; read by putting the values in quotes")
    warnings += [f"{key} stands twice; the last one counts" for key in repeated]
    return fields


def _fields(head: str) -> tuple[dict[str, Any], tuple[str, ...]]:
    value, repeated = read_yaml(head)
    if not isinstance(value, dict):
        raise FrontMatterError("the front matter is not a list of `key: value` lines")
    return value, repeated


def _quoted(head: str) -> str:
    """Puts into quotes what cannot be read alone: mostly a value with a colon in it."""
    entries: list[list[str]] = [[]]
    for line in head.split("\n"):
        if _ENTRY.match(line):
            entries.append([])
        entries[-1].append(line)
    if len(entries) > _MOST_MENDED:
        raise FrontMatterError("the front matter has too many keys")
    return "\n".join(_readable(entry) for entry in entries)


def _readable(entry: list[str]) -> str:
    text = "\n".join(entry)
    found = _ENTRY.match(text)
    try:
        read_yaml(text)
    except FrontMatterError:
        if found:
            value = " ".join(text[found.end() :].split())
            return f"{found[1]}: {json.dumps(value, ensure_ascii=False)}"
    return text
