"""What a person typed, told from what lies beside it in the same message: a piped file, a diff, a
table, a log. Its form decides, in any language.
"""

import re
from dataclasses import dataclass

_FENCE = re.compile(r"^(```|~~~)", re.MULTILINE)
_MANY_LINES, _MANY_CHARACTERS = 3, 400
_TYPED_LINES = 2
_CODE = re.compile(
    r"^(?:diff --git |@@ |[+-]\S|\s{2,}\S|\t|[\w.]+\(|(?:def|class|import|from|function|const|"
    r"let|var|SELECT|public|private|#include|<\?|<\w+)\b)|[;{}]\s*$|^\S+[,;\t|]\S+[,;\t|]",
    re.MULTILINE,
)
"""Lines no person types in a chat."""


_ONE_LINE = re.compile(
    r"(?:def|class|import|from|function|const|let|var|SELECT|public|private)\b.*[;:({=]"
)


@dataclass(frozen=True, slots=True)
class Parts:
    """A message in two; either may be empty."""

    words: str
    beside: str


def parted(text: str) -> Parts:
    """The words, and what came with them; all of a text without anything beside it is words."""
    text = text.strip("\n")
    if fence := _FENCE.search(text):
        before, after = text[: fence.start()], text[fence.start() :]
        closed = re.search(r"^(```|~~~)\s*$", after[3:], re.MULTILINE)
        rest = after[3 + closed.end() :] if closed else ""
        return Parts(f"{before.strip()}\n{rest.strip()}".strip(), after)
    first, _, rest = text.partition("\n\n")
    if rest and first.count("\n") < _TYPED_LINES and not _CODE.search(first) and _is_matter(rest):
        return Parts(first.strip(), rest)
    return Parts("", text) if _is_code(text) else Parts(text, "")


def _is_matter(text: str) -> bool:
    lines = text.count("\n") + 1
    return lines >= _MANY_LINES or len(text) >= _MANY_CHARACTERS or bool(_CODE.search(text))


def _is_code(text: str) -> bool:
    """Whether most lines of a text are none that a person types."""
    lines = [line for line in text.splitlines() if line.strip()]
    if len(lines) == 1:
        return bool(_ONE_LINE.match(lines[0]))
    return sum(bool(_CODE.search(line)) for line in lines) > len(lines) / 2


_HUNK = re.compile(r"^(?:@@ |\+\+\+ )", re.MULTILINE)


def as_it_is_now(beside: str) -> str:
    """A diff as the code that it leaves; anything else as it is.

    A small model takes the marks of a diff for its content.
    """
    if not _HUNK.search(beside):
        return beside
    lines = [line for line in beside.splitlines() if not _HEADER.match(line)]
    return "\n".join(line[1:] for line in lines if line[:1] in ("+", " "))


_HEADER = re.compile(r"^(?:diff --git |index |--- |\+\+\+ |@@ |new file|deleted file|similarity)")
