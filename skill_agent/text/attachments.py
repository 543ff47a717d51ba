"""Texts that came beside a person's words, as a person is told of them."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from skill_agent.values import Attachment, Origin

_SAID_OF: Mapping[Origin, str] = MappingProxyType(
    {
        "pipe": "Piped in",
        "file": "File",
        "paste": "Pasted",
        "client": "Sent by a program",
        "web": "From the web",
        "tool": "From a tool",
        "import": "Imported",
        "agent": "From another agent",
        "skill": "From a skill",
    }
)
_WRITERS: Mapping[Origin, str] = MappingProxyType(
    {
        "pipe": "a pipe",
        "file": "a file",
        "paste": "a paste",
        "client": "another program",
        "web": "the web",
        "tool": "a tool",
        "import": "an import",
        "agent": "another agent",
        "skill": "a skill",
    }
)

_MANY_LINES, _MANY_CHARACTERS = 10, 1_000


def is_long_paste(text: str) -> bool:
    """Whether a pasted text is so long that it stands beside the words rather than in them."""
    return text.strip().count("\n") >= _MANY_LINES or len(text) > _MANY_CHARACTERS


def size_of(text: str) -> str:
    """How much it is: lines, or characters where it is one line."""
    lines = text.strip("\n").count("\n") + 1
    return f"{lines:,} lines" if lines > 1 else f"{len(text):,} characters"


def label(one: Attachment) -> str:
    """What a text is and who it is from: `Pasted 500 lines`, `File notes.txt, 12 lines`."""
    name = " ".join(one.name.split())
    return f"{_SAID_OF[one.origin]} {f'{name}, ' if name else ''}{size_of(one.text)}"


def writers(origins: Sequence[Origin]) -> str:
    """Who wrote what stands in a conversation: `text from the web and a pipe`; empty for none."""
    *most, last = [_WRITERS[one] for one in origins] or [""]
    said = f"{', '.join(most)} and {last}" if most else last
    return f"text from {said}" if said else ""
