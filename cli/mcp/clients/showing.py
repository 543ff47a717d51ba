"""A change as a unified diff, fit to be shown: no control characters, credentials masked."""

import os
from collections.abc import Sequence

from skill_agent.text.redaction import masked

from .changing import Change

_AROUND = 3
_LONGEST = 300
_LOOKED_AT = 20_000
"""Characters in which credentials are looked for: far more than are shown, so that none is cut."""


def diff(change: Change) -> str:
    """The path, then what goes and what comes, with a few lines around."""
    before = _lines(change.found.raw)
    after = _lines(change.after)
    head = _alike(before, after)
    rest = min(len(before), len(after)) - head
    tail = min(rest, _alike(before[::-1], after[::-1]))
    first = max(0, head - _AROUND)
    gone, come = before[head : len(before) - tail], after[head : len(after) - tail]
    below = before[len(before) - tail :][:_AROUND]
    shown = [
        f"--- {change.found.file if change.found.raw is not None else os.devnull}",
        f"+++ {change.found.file if change.after is not None else os.devnull}",
        f"@@ -{_span(first, before, tail, below)} +{_span(first, after, tail, below)} @@",
    ]
    marked = [(" ", before[first:head]), ("-", gone), ("+", come), (" ", below)]
    shown += [mark + _fit(line) for mark, lines in marked for line in lines]
    return "\n".join(shown)


def _alike(one: Sequence[str], other: Sequence[str]) -> int:
    """How many lines at the beginning are the same."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((at for at, (a, b) in pairs if a != b), min(len(one), len(other)))


def _lines(raw: bytes | None) -> list[str]:
    text = (raw or b"").decode("utf-8-sig", "replace")
    return text.removesuffix("\n").split("\n") if text else []


def _span(first: int, lines: Sequence[str], tail: int, below: Sequence[str]) -> str:
    count = len(lines) - tail + len(below) - first
    return f"{first + 1 if count else 0},{count}"


def _fit(line: str) -> str:
    """One line; of a very long one its beginning, so that a file of one line can be shown."""
    line = masked(line.removesuffix("\r")[:_LOOKED_AT])
    return line if len(line) <= _LONGEST else f"{line[:_LONGEST]}… (a long line)"
