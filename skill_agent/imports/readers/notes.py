"""Notes in Markdown: a folder of files, or an Obsidian vault.

A note is taken section by section. Its date is what its front matter, its name (a daily note's) or
else its file says; links to other notes keep their words and become links between memories.
"""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import unquote

from skill_agent.skills.plain_yaml import FrontMatterError, read_yaml

from ..decoding import mapping, moment, text, texts
from ..found import Fact, Items, LeftOut
from ..sections import sections
from ..tree import Tree

LARGEST = 8 * 1024**2
_ENDS = (".md", ".markdown")
_HEAD = re.compile(r"\A---[ \t]*\n(.*?)^(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.DOTALL | re.MULTILINE)
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_WIKI = re.compile(r"(!?)\[\[([^\[\]|#^\n]*)([#^][^\[\]|\n]*)?(?:\|([^\[\]\n]*))?\]\]")
_LINK = re.compile(r"(!?)\[([^\[\]\n]*)\]\(<?([^()<>\s]+)>?(?:\s+\"[^\"\n]*\")?\)")
_TAG = re.compile(r"(?<![\w#/])#([^\W\d][\w/-]*)")
_CODE = re.compile(r"```.*?```|`[^`\n]*`", re.DOTALL)
_CREATED = ("created", "created_at", "date", "date created", "creation date", "created-at")
_CHANGED = ("updated", "modified", "updated_at", "date modified", "last modified", "lastmod")


def read(tree: Tree, left: LeftOut) -> Items:
    """A file that is no text is told and left out."""
    for name in tree.names:
        if not name.lower().endswith(_ENDS):
            left.count("files that are no notes")
            continue
        with tree.open(name) as stream:
            raw = stream.read(LARGEST + 1)
        if len(raw) > LARGEST:
            left.problem("notes that cannot be read", name, f"more than {LARGEST:,} bytes")
            continue
        try:
            said = raw.decode("utf-8-sig").replace("\r\n", "\n")
        except UnicodeDecodeError as error:
            why = f"not UTF-8 text at byte {error.start}"
            left.problem("notes that cannot be read", name, why)
            continue
        yield from _note(name, text(said), tree.changed_at(name), left)


def _note(name: str, said: str, file_at: datetime | None, left: LeftOut) -> Iterator[Fact]:
    head, body = _parted(name, said, left)
    path = PurePosixPath(name)
    title = text(head.get("title")) or path.stem
    at = _date(head, _CREATED) or _day(path.stem) or file_at
    tags = dict.fromkeys((*_tags(head), *_TAG.findall(_CODE.sub("", body))))
    about: dict[str, Any] = {"note": name, **({"tags": [*tags]} if tags else {})}
    names = (path.stem, *texts(head.get("aliases")), *texts(head.get("alias")))
    for one in sections(body, of=name, title=title, at=at, metadata=about):
        links = tuple(dict.fromkeys(_links(one.text, path)))
        yield replace(
            one,
            text=_readable(one.text),
            changed_at=_date(head, _CHANGED),
            note=path.with_suffix("").as_posix(),
            names=names,
            links=links,
            metadata={**one.metadata, **({"links": [*links]} if links else {})},
        )


def _parted(name: str, said: str, left: LeftOut) -> tuple[dict[str, Any], str]:
    """Front matter and body; a head that is no YAML is left out, its note is not."""
    found = _HEAD.match(said)
    if found is None:
        return {}, said
    try:
        head = mapping(read_yaml(found[1])[0])
    except FrontMatterError as error:
        left.problem("front matters that cannot be read", name, str(error))
        head = {}
    return {str(key).casefold(): value for key, value in head.items()}, said[found.end() :]


def _date(head: dict[str, Any], keys: tuple[str, ...]) -> datetime | None:
    return next((at for key in keys if (at := moment(text(head.get(key))))), None)


def _day(stem: str) -> datetime | None:
    found = _DAY.match(stem)
    return moment(found[0]) if found else None


def _tags(head: dict[str, Any]) -> Iterator[str]:
    for said in (*texts(head.get("tags")), *texts(head.get("tag"))):
        yield from (one.lstrip("#") for one in re.split(r"[,\s]+", said) if one.lstrip("#"))


def _links(said: str, path: PurePosixPath) -> Iterator[str]:
    """The names of notes a text links to; pictures and pages of the web are none."""
    for found in _WIKI.finditer(said):
        if target := found[2].strip().removesuffix(".md"):
            yield target
    for found in _LINK.finditer(said):
        target = unquote(found[3]).partition("#")[0]
        if not found[1] and "://" not in target and target.lower().endswith(_ENDS):
            yield _from(path.parent, PurePosixPath(target).with_suffix(""))


def _from(folder: PurePosixPath, target: PurePosixPath) -> str:
    """A relative path from the top of the notes."""
    parts = list[str]()
    for part in (folder / target).parts:
        if part == "..":
            del parts[-1:]
        elif part not in (".", "/"):
            parts.append(part)
    return "/".join(parts)


def _readable(said: str) -> str:
    """With the words of its links, and without their brackets."""
    said = _WIKI.sub(lambda one: (one[4] or one[2] or (one[3] or "")[1:]).strip(), said)
    return _LINK.sub(lambda one: one[2] or ("" if one[1] else one[3]), said)
