"""Messages a person says again and again, as files of the home: `templates/NAME.md`.

The text of the file is the message, with `{input}` where the words go; a head of YAML may name who
is asked and how: `agent`, `model`, `system`, `options`. Nothing else in the text means anything.
"""

import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from skill_agent.errors import NotFound, UsageError
from skill_agent.files.home import Home
from skill_agent.files.private import read_bytes
from skill_agent.text.nearest import did_you_mean

INPUT = "{input}"
_NAME = re.compile(r"[A-Za-z0-9][\w-]{0,63}")
_TEXTS = ("agent", "model", "system")


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """One of them, read."""

    text: str = ""
    agent: str | None = None
    model: str | None = None
    system: str = ""
    options: dict[str, Any] = field(default_factory=dict)

    def filled(self, words: str) -> str:
        """The message with the words in their place, or after it where it names none."""
        if INPUT in self.text:
            return self.text.replace(INPUT, words)
        return "\n\n".join(part for part in (self.text, words) if part)

    def wishes(
        self,
        *,
        agent: str | None,
        model: str | None,
        system: str | None,
        options: dict[str, Any] | None,
    ) -> dict[str, Any]:
        """What is wished for the reply; what was said by hand wins over the template."""
        return {
            "agent": agent or self.agent,
            "model": model or self.model,
            "system": self.system if system is None else system,
            "options": {**self.options, **(options or {})} or None,
        }


def template_file(home: Home, name: str) -> Path:
    """Where a template of that name is, or would be; raises UsageError for no name of a file."""
    if not _NAME.fullmatch(name):
        raise UsageError(
            f"{name!r} is no name of a template", hint="letters, digits, - and _ make one"
        )
    return home.templates / f"{name}.md"


def template_names(home: Home) -> list[str]:
    """Those there are, in order."""
    files = home.templates.glob("*.md") if home.templates.is_dir() else ()
    return sorted(file.stem for file in files if _NAME.fullmatch(file.stem))


def read_template(home: Home, name: str) -> Template:
    """Raises NotFound where there is none, ConfigError where it cannot be read, UsageError where
    it cannot be understood."""
    from skill_agent.skills.frontmatter import FrontMatterError, decode, parse_document

    file = template_file(home, name)
    if not os.path.lexists(file):
        hint = did_you_mean(name, template_names(home)) or f"make {file}"
        raise NotFound(f"there is no template {name!r}", hint=hint)
    raw = read_bytes(file)
    try:
        if not raw.lstrip(b"\xef\xbb\xbf").lstrip().startswith(b"---"):
            return Template(text=decode(raw)[0].strip())
        document = parse_document(raw)
    except FrontMatterError as error:
        raise UsageError(f"{file}: {error}") from None
    return Template(text=document.body.strip(), **_head(document.fields, file))


def _head(fields: dict[str, Any], file: Path) -> dict[str, Any]:
    if unknown := sorted(str(name) for name in fields.keys() - {*_TEXTS, "options"}):
        hint = did_you_mean(unknown[0], (*_TEXTS, "options"))
        known = f"a template knows {', '.join(_TEXTS)} and options"
        raise UsageError(f"{file}: {unknown[0]} means nothing here", hint=hint or known)
    from skill_agent.skills.plain_yaml import is_text, typed

    from .wishes import checked_options  # an attached command knows no settings

    for name in _TEXTS:
        if not is_text(fields.get(name, "")):
            raise UsageError(f"{file}: {name} is a text, not {str(typed(fields[name]))[:60]!r}")
    if not isinstance(fields.get("options", {}), dict):
        raise UsageError(f"{file}: options are lines of `name: value`")
    head = typed(fields)
    try:
        checked_options(head.get("options", {}))
    except UsageError as wrong:
        raise UsageError(f"{file}: options: {wrong.message}", hint=wrong.hint) from None
    return head
