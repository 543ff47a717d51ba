"""The example messages that how hard a message is was learned from.

Each file of `examples/` is a language. A line `= 2 2 0 0 1` gives the five dimensions of the
messages below it, in the order of `WEIGHTS`; `#` begins a remark, and `\\n` stands for a new line.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from skill_agent.values import Complexity

from .score import WEIGHTS, complexity_of

_FILES = Path(__file__).with_name("examples")


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A message and how hard it is."""

    text: str
    complexity: Complexity


def examples() -> list[Example]:
    """Blocking: it reads seven small files."""
    files = sorted(_FILES.glob("*.txt"))
    return [one for file in files for one in _examples_in(file.read_text("utf-8"))]


def _examples_in(text: str) -> Iterator[Example]:
    complexity = complexity_of([0.0] * len(WEIGHTS))
    for line in filter(str.strip, text.splitlines()):
        if line.startswith("= "):
            complexity = complexity_of(map(float, line[2:].split()))
        elif not line.startswith("#"):
            yield Example(text=line.replace("\\n", "\n"), complexity=complexity)
