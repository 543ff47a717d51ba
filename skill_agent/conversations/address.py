"""Who a message is for: `@slug` in the words a person typed; text work only, no routing by content.

An `@` in code, a URL, a package's name, a mail address or pasted matter calls nobody.
"""

import re
from collections.abc import Collection

from skill_agent.text.beside import parted
from skill_agent.text.scripts import UNSPACED

_ATTACHED = UNSPACED + "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\uac00-\ud7af"
"""Scripts whose words touch a name: those without blanks, and Hangul with its particles."""
_MENTION = re.compile(
    rf"(?<![^\W{_ATTACHED}])(?<![./\\@+=&#%$~^<>{{`?\0-])"
    r"@([A-Za-z][A-Za-z0-9_-]*+)"
    rf"(?![^\W{_ATTACHED}])(?![@/\\=({{]|\.[A-Za-z0-9]|:[:\w-]+[.:]\w)"
)
_LINK = re.compile(
    r"\[[^\[\]\n]*\]\([^()\s]*\)"
    r"|(?<![A-Za-z0-9+.-])(?:[A-Za-z][A-Za-z0-9+.-]{1,20}://|www\.|mailto:)[^\s，。、；：！？）】」』》]+"
)
_FENCE = re.compile(r"[ \t>]*(?:[-*+]|\d{1,9}[.)])?[ \t]*(`{3,}(?=[^`]*$)|~{3,})")
_GAP = re.compile(r"(\n[ \t]*\n)")
_BLANK = re.compile(r"[^\n]")


def mentioned(text: str, slugs: Collection[str]) -> str | None:
    """The first `@slug` that is an agent's."""
    if "@" not in text:
        return None
    for match in _MENTION.finditer(_words(text)):
        if match[1].lower() in slugs:
            return match[1].lower()
    return None


def without_address(text: str, slug: str) -> str:
    """The text without a leading `@slug`; where a word touches it, and in the middle of a
    sentence, the name is left to read."""
    begun = len(text) - len(text.lstrip())
    if not text.startswith("@", begun):
        return text
    found = _MENTION.match(_words(text), begun)
    if not found or found[1].lower() != slug.lower():
        return text
    rest = re.match(r"(?:[\s,:，：、]+|$)", text[found.end() :])
    return (text[found.end() + rest.end() :] or text) if rest else text


def _words(text: str) -> str:
    """The text with everything struck out that is not the person's words; as long as before."""
    parts = parted(text)
    if parts.beside and not parts.beside.startswith(("```", "~~~")):
        if not parts.words and "\n" in text.strip():
            return _struck(text)
        end = text.find(parts.words) + len(parts.words)
        text = text[:end] + _struck(text[end:]) if parts.words else text
    text = _strike_spans(_strike_blocks(text), 3)
    pieces = (_strike_spans(piece, 1) for piece in _GAP.split(text))
    return _LINK.sub(lambda link: _struck(link[0]), "".join(pieces))


def _strike_blocks(text: str) -> str:
    """Without fenced code, closed or not, and without code by indentation."""
    lines, fence, code, before = text.split("\n"), "", False, "x"
    for index, line in enumerate(lines):
        opened = _FENCE.match(line)
        code = line.startswith(("    ", "\t")) and (code or not before.strip())
        before = line
        if fence:
            mark = line.strip(" \t>")
            lines[index] = _struck(line)
            if len(mark) >= len(fence) and not mark.strip(fence[0]):
                fence = ""
        elif opened:
            fence, lines[index] = opened[1], _struck(line)
        elif code:
            lines[index] = _struck(line)
    return "\n".join(lines)


def _strike_spans(text: str, least: int) -> str:
    """Without inline code between runs of equally many backticks, `least` at the fewest; a run of
    three that is never closed goes on to the end."""
    runs = [run for run in re.finditer("`+", text) if len(run[0]) >= least]
    closing: dict[int, int] = {}
    closed_by: list[int | None] = [None] * len(runs)
    for index in range(len(runs) - 1, -1, -1):
        length = len(runs[index][0])
        closed_by[index] = closing.get(length)
        closing[length] = index
    pieces, at, index = [], 0, 0
    while index < len(runs):
        begin, last = runs[index].start(), closed_by[index]
        if last is None and len(runs[index][0]) < 3:
            index += 1
            continue
        end = len(text) if last is None else runs[last].end()
        pieces += [text[at:begin], _struck(text[begin:end])]
        at, index = end, len(runs) if last is None else last + 1
    return "".join([*pieces, text[at:]])


def _struck(text: str) -> str:
    return _BLANK.sub("\0", text)
