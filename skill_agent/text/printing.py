"""Text of any origin made fit to be printed: nothing of it drives a terminal or goes unseen.

Control characters are left out, what stood around them stays. Characters that turn the direction
of what follows, or that nobody sees, are shown as `‹U+202E›`, but where a script or an emoji is
written with them.
"""

import json
import re
import unicodedata
from collections.abc import Callable

_TURNING = "\u202a-\u202e\u2066-\u2069"
_UNSEEN = (
    f"{_TURNING}\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2060-\u2065"
    "\u206a-\u206f\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3"
    "\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
_CONTROLS = "\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff"
_FLAGS = "|".join(
    "\U0001f3f4" + "".join(chr(0xE0000 + ord(letter)) for letter in region) + "\U000e007f"
    for region in ("gbeng", "gbsct", "gbwls")
)
"""England, Scotland and Wales: the one use of tag characters."""
_ODD = re.compile(rf"(?P<flag>{_FLAGS})|[{_CONTROLS}\u2028\u2029{_UNSEEN}]")
_INEXACT = re.compile(rf"(?P<flag>{_FLAGS})|[^\S \n]|[{_CONTROLS}{_UNSEEN}]")
_OPEN = re.compile(
    rf"(?:\r|\x1b(?:\[[0-?]{{0,99}}[ -/]{{0,9}})?"
    rf"|\U0001f3f4[{_UNSEEN}]*|(?<![\U0001f3f4{_UNSEEN}])[{_UNSEEN}]*)\Z"
)
"""The end of a piece that only what follows it can explain."""

_JOINING = re.compile(
    "[\u0600-\u07ff\u0840-\u0eff\u0f00-\u109f\u1780-\u18af\u1a00-\u1bff\ua800-\uabff\ufb50-\ufdff"
    "\ufe70-\ufefe\U00010a00-\U00010aff\U00010d00-\U00010d3f\U00011000-\U00011fff"
    "\U0001e900-\U0001e95f]"
)
"""Letters and signs of scripts in which joiners make other shapes: Arabic, Persian, Indic …"""
_UNSPACED = re.compile("[\u0e00-\u0fff\u1000-\u109f\u1780-\u17ff\u1950-\u19ff\ua980-\ua9df]")
"""Thai, Khmer, Burmese …: an invisible space tells words apart."""
_RIGHT_TO_LEFT = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefe\U00010800-\U00010fff]")
_HAN = re.compile("[\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")
_MONGOLIAN = re.compile("[\u1800-\u18af]")
_JAMO = re.compile("[\u1100-\u11ff\ua960-\ua97f\ud7b0-\ud7ff]")
_BRAILLE = re.compile("[\u2801-\u28ff]")
_STYLED = frozenset("#*0123456789\u203c\u2049\u2122\u2139\u3030")
"""Besides symbols, what becomes an emoji or a plain sign by what follows it."""
_LONGEST_HELD = 1_000
_LOOKS_BACK = 200
"""Characters of a line in which a script may have shown itself."""


def printable(text: str) -> str:
    """The text with line breaks and tabs, with what nobody would see shown."""
    return _ODD.sub(_shown, text)


def exact(text: str) -> str:
    """The text for a decision about it: but for line breaks, blanks and marks of direction of
    every kind are shown as well, and so are control characters."""
    return _INEXACT.sub(_shown_exactly, text)


def json_shown(document: str) -> str:
    """A JSON document that says the same, with everything odd in it escaped."""
    return _ODD.sub(lambda found: json.dumps(found[0])[1:-1], document)


def marked(char: str) -> str:
    """A character as its number."""
    return f"‹U+{ord(char):04X}›"


class Printer:
    """Makes text that comes in pieces what `show`, such as `printable`, makes of it as a whole."""

    def __init__(self, show: Callable[[str], str] = printable) -> None:
        self._show = show
        self._held = self._before = ""

    def feed(self, piece: str) -> str:
        """What can be printed by now; what the next piece explains is held back."""
        text = self._held + piece
        found = _OPEN.search(text)
        held = len(text) - found.start() if found else 0
        ready = text[: len(text) - held] if held <= _LONGEST_HELD else text
        self._held = text[len(ready) :]
        return self._print(ready)

    def rest(self) -> str:
        """What is left at the end."""
        held, self._held = self._held, ""
        return self._print(held)

    def _print(self, text: str) -> str:
        if not text:
            return ""
        before = self._before
        self._before = (before + text)[-_LOOKS_BACK:]
        return self._show(before + text)[len(self._show(before)) :]


def _shown(found: re.Match[str]) -> str:
    char = found[0]
    if found["flag"]:
        return char
    if char in "\u2028\u2029":
        return "\n"
    if unicodedata.category(char) in ("Cc", "Cs"):
        return ""
    return char if _is_written_so(char, found.string, found.start()) else marked(char)


def _shown_exactly(found: re.Match[str]) -> str:
    char = found[0]
    if found["flag"]:
        return char
    kept = char in "\u200c\u200d" or _is_variation(char)
    return char if kept and _is_written_so(char, found.string, found.start()) else marked(char)


def _is_written_so(char: str, text: str, at: int) -> bool:
    """Whether an unseen character is part of how its neighbours are written."""
    before, after = text[at - 1 : at] if at else "", text[at + 1 : at + 2]
    match char:
        case "\u200c" | "\u200d" if _JOINING.match(before):
            return True
        case "\u200d":
            return _is_emoji(before) and _is_emoji(after)
        case "\u200e" | "\u200f" | "\u061c":
            line = text[max(0, at - _LOOKS_BACK) : at].rpartition("\n")[2]
            return bool(_RIGHT_TO_LEFT.search(line) or _RIGHT_TO_LEFT.match(after))
        case "\u200b":
            return bool(_UNSPACED.match(before) or _UNSPACED.match(after))
        case "\u115f" | "\u1160":
            return bool(_JAMO.match(before) or _JAMO.match(after))
        case "\u2800":
            return bool(_BRAILLE.match(before) or _BRAILLE.match(after))
        case _ if _is_variation(char):
            return _has_variants(before, char)
        case _:
            return False


def _is_variation(char: str) -> bool:
    return "\ufe00" <= char <= "\ufe0f" or "\u180b" <= char <= "\u180f" or char >= "\U000e0100"


def _has_variants(before: str, selector: str) -> bool:
    """Whether a character is one that the selector chooses a shape of."""
    if not before:
        return False
    if selector in "\ufe0e\ufe0f":
        return before in _STYLED or _is_symbol(before)
    if "\u180b" <= selector <= "\u180f":
        return bool(_MONGOLIAN.match(before))
    if selector >= "\U000e0100":
        return bool(_HAN.match(before))
    return _is_symbol(before) or bool(_HAN.match(before) or _JOINING.match(before))


def _is_symbol(char: str) -> bool:
    return unicodedata.category(char) in ("So", "Sm")


def _is_emoji(char: str) -> bool:
    return bool(char) and (
        _is_symbol(char) or char in "\ufe0f\u20e3" or "\U0001f3fb" <= char <= "\U0001f3ff"
    )
