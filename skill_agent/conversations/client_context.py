"""What a program brings along before a person's words: its instructions, a talk held elsewhere.

It stands in the stored message as fenced data, so that the model reads it where it was said; what
looks for the person's own words (memory, titles, approvals, `@agent`) reads `spoken` instead.
Nothing here knows where such programs come from.
"""

import hashlib
import re
from collections.abc import Sequence

Exchange = tuple[str, str]
"""What the person said and what was replied; either may be empty."""

_FENCE = "```"
_LED = "The program this message came through adds"
_INSTRUCTIONS = f"{_LED} its own instructions:"
_EARLIER = f"{_LED} what was said before:"
_BLOCK = re.compile(
    rf"(?P<lead>{re.escape(_INSTRUCTIONS)}|{re.escape(_EARLIER)})\n"
    rf"{_FENCE}brought(?: (?P<count>\d+) (?P<digest>[0-9a-f]+))?\n(?P<body>.*?)\n{_FENCE}\n\n",
    re.DOTALL,
)


def with_brought(
    words: str, *, instructions: str = "", earlier: Sequence[Exchange] = (), most: int = 24_000
) -> str:
    """The words behind what was brought; of the earlier talk its last `most` characters at most."""
    text = ""
    if instructions.strip():
        text += f"{_INSTRUCTIONS}\n{_FENCE}brought\n{_safe(instructions)}\n{_FENCE}\n\n"
    if earlier:
        mark = f"{len(earlier)} {digest(earlier)}"
        text += f"{_EARLIER}\n{_FENCE}brought {mark}\n{_told(earlier, most)}\n{_FENCE}\n\n"
    return text + words


def spoken(text: str) -> str:
    """The person's own words: the text without what a program brought before them."""
    while text.startswith(_LED) and (block := _BLOCK.match(text)):
        text = text[block.end() :]
    return text


def brought_instructions(text: str) -> str | None:
    """The instructions a message came with, as `kept_instructions` writes them; None without."""
    block = _BLOCK.match(text)
    return block["body"] if block and block["lead"] == _INSTRUCTIONS else None


def kept_instructions(instructions: str) -> str:
    """Instructions as they stand in a message."""
    return _safe(instructions)


def brought_talk(text: str) -> tuple[int, str]:
    """How many exchanges a message brought along, and their digest; (0, "") for none."""
    while text.startswith(_LED) and (block := _BLOCK.match(text)):
        if block["digest"]:
            return int(block["count"]), block["digest"]
        text = text[block.end() :]
    return 0, ""


def digest(talk: Sequence[Exchange]) -> str:
    """Twelve hex digits that tell one talk from another, whatever its white space."""
    sides = "\x1e".join(f"{plain(said)}\x1f{plain(replied)}" for said, replied in talk)
    return hashlib.sha256(sides.encode("utf-8", "surrogatepass")).hexdigest()[:12]


def plain(text: str) -> str:
    """Text with white space evened out, without a leading `@agent`."""
    return unaddressed(" ".join(text.split()))


def unaddressed(text: str) -> str:
    """Text without a leading `@agent`, whoever that is."""
    return re.sub(r"^\s*@[\w-]+[\s,:]*(?=\S)", "", text)


def _told(talk: Sequence[Exchange], most: int) -> str:
    lines: list[str] = []
    for said, replied in talk:
        lines += [f"User: {said}"] * bool(said) + [f"Assistant: {replied}"] * bool(replied)
    told = _safe("\n".join(lines))
    return told if len(told) <= most else f"[the beginning is left out] {told[-most:]}"


def _safe(text: str) -> str:
    """Text in which nothing ends the fence around it."""
    return text.strip().replace(_FENCE, "'''")
