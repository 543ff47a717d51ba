"""The sections of a report in what a model wrote, as JSON or under headings; read with patience."""

import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from .templates import titled

_FENCED = re.compile(r"```(?:json)?\s*\n(.*?)\n```", re.DOTALL)
_HEADING = re.compile(
    r"^[ \t]*(?:#{1,6}[ \t]+(?P<marked>[^\n]+?)[ \t#]*"
    r"|\*\*(?P<bold>[^*\n]{2,80}?)\*\*[ \t]*:?[ \t]*"
    r"|(?P<plain>[^\W\d_][\w \t|/&-]{1,60}):[ \t]*)$",
    re.MULTILINE,
)
_NUMBER = re.compile(r"^\s*(?:\d+|[ivx]+|[a-z])[.)]\s+", re.IGNORECASE)
_EMPTY = re.compile(r"(?:\W|\b(?:todo|tbd|n/?a|none|section|text)\b)*", re.IGNORECASE)
_STEM = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """One section, with its title in the language of the report."""

    key: str
    title: str
    text: str


def schema_of(keys: Collection[str]) -> dict[str, Any]:
    """What a strong model is asked for."""
    return {
        "type": "object",
        "properties": {
            "sections": {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {
                        "key": {"type": "string", "enum": list(keys)},
                        "title": {"type": "string"},
                        "text": {"type": "string"},
                    },
                    "required": ["key", "title", "text"],
                    "additionalProperties": False,
                },
            }
        },
        "required": ["sections"],
        "additionalProperties": False,
    }


def sections_in(text: str, keys: Collection[str]) -> dict[str, Section]:
    """The sections that are really there, by key, in the order of `keys`."""
    found = _of_json(text, keys) or _under_headings(text, keys)
    there = {key: found[key] for key in keys if key in found}
    return {key: one for key, one in there.items() if not _EMPTY.fullmatch(one.text)}


def _of_json(text: str, keys: Collection[str]) -> dict[str, Section]:
    fenced = _FENCED.search(text)
    try:
        told = json.loads(fenced[1] if fenced else text)
    except ValueError:
        return {}
    if isinstance(told, dict) and "sections" in told:
        told = told["sections"]
    if isinstance(told, Mapping):
        told = [{"key": key, "text": value} for key, value in told.items()]
    if not isinstance(told, list):
        return {}
    found: dict[str, Section] = {}
    for one in told:
        if isinstance(one, dict) and (key := _key_of(str(one.get("key", "")), keys)):
            said = _as_text(one.get("text", ""))
            title = str(one.get("title") or "").strip() or titled(key)
            known = found.get(key)
            found[key] = Section(
                key=key, title=title, text=f"{known.text}\n\n{said}" if known else said
            )
    return found


def _as_text(value: Any) -> str:
    """Models put lists and tables where a text was asked for."""
    match value:
        case str():
            return value.strip()
        case list():
            return "\n".join(f"- {_as_text(one)}" for one in value)
        case dict():
            return "\n".join(
                f"- {titled(str(name))}: {_as_text(one)}" for name, one in value.items()
            )
        case _:
            return str(value)


def _under_headings(text: str, keys: Collection[str]) -> dict[str, Section]:
    """A heading that is none of the sections belongs to the section it stands in."""
    parts: dict[str, list[str]] = {}
    titles: dict[str, str] = {}
    key, at = "", 0
    for match in _HEADING.finditer(text):
        name = match["marked"] or match["bold"] or match["plain"]
        if not (next_key := _key_of(name, keys)):
            continue
        if key:
            parts.setdefault(key, []).append(text[at : match.start()].strip())
        key, at = next_key, match.end()
        titles.setdefault(key, _title_of(name, key))
    if key:
        parts.setdefault(key, []).append(text[at:].strip())
    return {
        one: Section(key=one, title=titles[one], text="\n\n".join(filter(None, texts)))
        for one, texts in parts.items()
    }


def _title_of(heading: str, key: str) -> str:
    """`findings | Ergebnisse` is titled in its own language."""
    plain = _NUMBER.sub("", heading.strip().strip("*#: "))
    named, mark, title = plain.partition("|")
    if mark and title.strip():
        return title.strip()
    return named.strip() if named.strip() != key else titled(key)


def _key_of(heading: str, keys: Collection[str]) -> str:
    """The section that a heading names; empty where it is none."""
    plain = _NUMBER.sub("", heading.strip().strip("*#: "))
    first = plain.partition("|")[0].strip().casefold().replace(" ", "_").replace("-", "_")
    if first in keys:
        return first
    words = _stems(plain)
    fits = [key for key in keys if _stems(key) <= words]
    return max(fits, key=len, default="")


def _stems(text: str) -> set[str]:
    return {word[:_STEM] for word in re.findall(r"[^\W_]+", text.casefold())}
