"""What says the same in any language: an address to look at, a skill called by its name."""

import re

_CLOSING = r"""\s<>"'`、。，「」（）()"""
_LAST = rf"[^{_CLOSING}?!.,;:]"
_ADDRESS = re.compile(
    rf"(?:https?://|(?<![\w@.])www\.)[^{_CLOSING}]*{_LAST}"
    r"|(?<![\w@./-])(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+"
    r"(?:com|org|net|edu|gov|info|de|at|ch|fr|es|it|nl|pt|ru|jp|cn|eu|uk|io|dev)"
    rf"(?![\w-]|\.\w)(?:/(?:[^{_CLOSING}]*{_LAST})?)?",
    re.IGNORECASE,
)
"""A bare host counts only under a well-known ending, for `main.py` and `asyncio.run` look alike."""

_SHORTEST, _ENDS = 3, 4
_SKILL_WORDS = (
    r"skills?|tools?|fähigkeit|werkzeug|habilidad|herramienta|compétence|outil"
    r"|скилл?|навык|инструмент|スキル|ツール|技能|工具"
)


def has_address(text: str) -> bool:
    """Whether there is a URL or a host a page could be fetched from; a mail address is none."""
    return _ADDRESS.search(text) is not None


def masked(text: str, mask: str) -> str:
    """The text with every address replaced."""
    return _ADDRESS.sub(mask, text)


def asks(text: str) -> bool:
    """Whether there is a question mark outside of addresses."""
    return re.search(r"[?؟](?:\s|$)|？", masked(text, "x")) is not None


def sentences(text: str) -> list[str]:
    """The first and last sentences of a message, those too short to want anything left out."""
    parts = re.split(r"(?<=[.!?…])\s+|(?<=[。！？])|\n+", text)
    long = [part for part in parts if len(part.strip()) > _SHORTEST]
    return long if len(long) <= 2 * _ENDS else [*long[:_ENDS], *long[-_ENDS:]]


def calls(text: str, name: str) -> bool:
    """Whether a skill or tool is called by name: `/name` or `@name` at the beginning of a word, or
    its name beside a word for skill. The bare name is not enough: "weather" is an ordinary word."""
    spelled = "[-_ ]".join(map(re.escape, re.split("[-_]", name)))
    beside = rf"(?:{_SKILL_WORDS})[\s:\"'`-]*{spelled}\b|\b{spelled}[\s\"'`-]*(?:{_SKILL_WORDS})"
    return re.search(rf"(?:^|\s)[/@]{spelled}\b|{beside}", text, re.IGNORECASE) is not None
