"""One credential found in a text, and the data by which they are found."""

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Secret:
    """A credential in a text."""

    kind: str
    """What it is, as a person would call it: "GitHub token"."""
    start: int
    end: int
    certain: bool
    """Its own shape tells; otherwise only what it is called where it stands."""


@cache
def compiled(source: str) -> re.Pattern[str]:
    """A pattern, once it is wanted: all of them at once take a quarter of a second, and most texts
    want none."""
    return re.compile(source)


@cache
def credential_data() -> dict[str, Any]:
    """What `credentials.toml` says."""
    file = resources.files("skill_agent.text.secrets").joinpath("credentials.toml")
    return tomllib.loads(file.read_text(encoding="utf-8"))
