"""Says how hard a message is, from examples: kernel ridge regression over likeness and shape.

Words alone do not tell: "write" begins a birthday wish and a compiler. So a message is compared
with examples, by letters, by meaning where the embedder knows its script, and by shape.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from skill_agent.agents.tiers import TIERS
from skill_agent.tools.gate.likeness import Likeness, learned
from skill_agent.tools.gate.ngrams import folded
from skill_agent.values import Complexity, TierName

from .examples import Example
from .score import BORDERS, MOST, WEIGHTS, complexity_of, overall, tier_of
from .shape import shape_of

if TYPE_CHECKING:
    import numpy as np

    from skill_agent.ports import Embedder

_RIDGE = 0.1
"""How far an example may be off what the others say of it."""
_SHAPE = 0.7
"""What the shape counts beside the text."""
_NEAR = 1.0
"""How far apart two shapes are alike."""
_STRETCH = 1.1
"""By how much figures are drawn away from the middle, to which regression draws them."""
SPREAD, LETTERS_SPREAD = 0.9, 1.1
"""How far off a figure usually is, and without an embedder."""
SURE = 0.6
"""Below that a message is answered on the balanced tier; chosen on labelled messages."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scorer:
    """Examples and what they teach."""

    likeness: Likeness
    shapes: "np.ndarray"
    scale: "np.ndarray"
    weights: "np.ndarray"
    mean: "np.ndarray"
    embedder: "Embedder | None"

    def reads(self, text: str) -> bool:
        """Whether the embedder knows what a text in this script means."""
        return self.embedder is not None and bool(self.likeness.share_of(text))

    def score(self, text: str) -> Complexity:
        """Blocking: it embeds the text."""
        import numpy as np

        vector = None
        if self.embedder is not None and self.reads(text):
            vector = self.embedder.embed([folded(text)])[0]
        shape = np.array(shape_of(text)) / self.scale
        near = self.likeness.like(text, vector) + _SHAPE * _alike(shape[None, :], self.shapes)[0]
        figures = self.mean + _STRETCH * (near @ self.weights)
        clipped = [round(float(one), 2) for one in np.clip(figures, 0.0, MOST)]
        return complexity_of(clipped)


def taught(
    examples: Sequence[Example],
    embedder: "Embedder | None",
    *,
    learning: "Embedder | None" = None,
) -> Scorer:
    """Learns from examples. Blocking: a second or two for a thousand.

    `learning` embeds the examples in place of the embedder: the same one, with a memory.
    """
    import numpy as np

    texts = [one.text for one in examples]
    tiers = [tier_of(overall(one.complexity)) for one in examples]
    likeness = learned(texts, tiers, learning or embedder)
    shapes = np.array([shape_of(text) for text in texts])
    scale = shapes.std(axis=0) + 1e-6
    shapes = shapes / scale
    wanted = np.array([[getattr(one.complexity, name) for name in WEIGHTS] for one in examples])
    mean = wanted.mean(axis=0)
    near = likeness.among() + _SHAPE * _alike(shapes, shapes)
    weights = np.linalg.solve(near + _RIDGE * np.eye(len(near)), wanted - mean)
    return Scorer(
        likeness=likeness, shapes=shapes, scale=scale, weights=weights, mean=mean,
        embedder=embedder,
    )  # fmt: skip


def sized(complexity: Complexity, spread: float) -> Complexity:
    """With how sure its tier is."""
    return replace(complexity, sure=round(max(likely(overall(complexity), spread).values()), 3))


def likely(figure: float, spread: float) -> dict[TierName, float]:
    """How likely each tier is the right one, where a figure is off by `spread` or so."""
    below = [
        0.5 * (1 + math.erf((border - figure) / (spread * math.sqrt(2)))) for border in BORDERS
    ]
    return dict(zip(TIERS, (below[0], below[1] - below[0], 1 - below[1]), strict=True))


def _alike(some: "np.ndarray", others: "np.ndarray") -> "np.ndarray":
    import numpy as np

    apart = ((some[:, None, :] - others[None, :, :]) ** 2).mean(axis=2)
    return np.exp(-apart / (2 * _NEAR**2))
