"""Who said a text, where it was neither the person nor this program."""

from collections.abc import Iterable
from dataclasses import KW_ONLY, dataclass
from typing import Literal, get_args

Origin = Literal["pipe", "file", "paste", "client", "web", "tool", "import", "agent", "skill"]
"""`client` is a program that speaks for the person, `agent` another agent's words."""

ORIGINS: tuple[Origin, ...] = get_args(Origin)


@dataclass(frozen=True, slots=True)
class Attachment:
    """A text that came beside a person's words; it is read, and never obeyed as theirs."""

    text: str
    _: KW_ONLY
    origin: Origin
    name: str = ""
    """What a person would call it: a file's name, a program's."""


def all_origins(*groups: Iterable[Origin]) -> tuple[Origin, ...]:
    """All of them, each once, in the order of `Origin`: equal taint is written down equally."""
    there = {one for group in groups for one in group}
    return tuple(one for one in ORIGINS if one in there)
