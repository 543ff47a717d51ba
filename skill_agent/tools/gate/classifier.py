"""Says of a message which tool it wants, from examples: kernel ridge regression over likeness.

It is learned anew from the examples of the skills that are there, so a person's own skill with a
handful of requests takes part like any other. There is nothing trained to ship.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .likeness import Likeness, learned
from .ngrams import folded

if TYPE_CHECKING:
    import numpy as np

    from skill_agent.ports import Embedder

WORDS = ""
"""What a message wants that wants no tool."""
_RIDGE = 0.1
"""How far an example may be off what the others say of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A message, and the tool it wants."""

    text: str
    wants: str = WORDS


@dataclass(frozen=True, slots=True, kw_only=True)
class Lead:
    """By how much a tool leads over words and over every tool that cannot be had."""

    tool: str
    margin: float
    nearest: str
    """The example that is most like the message."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Classifier:
    """Examples and what they teach."""

    examples: Sequence[Example]
    tools: Sequence[str]
    """The columns of `weights`; `WORDS` among them."""
    likeness: Likeness
    weights: "np.ndarray"
    embedder: "Embedder | None"

    def leads(self, text: str, *, among: Collection[str], without: Collection[str]) -> list[Lead]:
        """The tools of `among` by their lead, best first; those of `without` do not count at all.

        Blocking: it embeds the text.
        """
        vector = None
        if self.embedder is not None and self.likeness.share_of(text):
            vector = self.embedder.embed([folded(text)])[0]
        like = self.likeness.like(text, vector)
        scores = dict(zip(self.tools, (like @ self.weights).tolist(), strict=True))
        rival = max(score for tool, score in scores.items() if tool not in {*among, *without})
        leads = [
            Lead(tool=tool, margin=score - rival, nearest=self._nearest(like, tool))
            for tool, score in scores.items()
            if tool in among and tool not in without
        ]
        return sorted(leads, key=lambda lead: -lead.margin)

    def _nearest(self, like: "np.ndarray", tool: str) -> str:
        rows = [row for row, example in enumerate(self.examples) if example.wants == tool]
        return self.examples[max(rows, key=lambda row: like[row])].text


def taught(
    examples: Sequence[Example],
    embedder: "Embedder | None",
    *,
    learning: "Embedder | None" = None,
) -> Classifier:
    """Learns from examples, some of which must want words. Blocking: a second for a thousand.

    `learning` embeds the examples in place of the embedder: the same one, with a memory.
    """
    import numpy as np

    texts = [example.text for example in examples]
    wants = [example.wants for example in examples]
    likeness = learned(texts, wants, learning or embedder)
    tools = sorted({*wants, WORDS})
    wanted = np.array([[one == tool for tool in tools] for one in wants], np.float32)
    near = likeness.among()
    weights = np.linalg.solve(near + _RIDGE * np.eye(len(near), dtype=near.dtype), wanted)
    return Classifier(
        examples=examples, tools=tools, likeness=likeness, weights=weights, embedder=embedder
    )
