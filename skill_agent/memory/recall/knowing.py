"""Whether what was found answers a question, or only speaks of the same things.

On a familiar subject the score, its margin and the evidence say nothing about that. How well the
question's rarest pieces are met says a little, a model that reads the lines much more.
"""

from collections.abc import Sequence

import numpy as np

from skill_agent.models.weighing import weigh
from skill_agent.ports import ChatMessage, Model, ModelRequest
from skill_agent.text.gate import tamed_line

ANSWERED = 0.7
"""Probability from which a small model's word is taken that the lines answer."""
READ = 4
"""Lines a model reads, the best ones."""
_RAREST = 3
_ASK = (
    "What somebody said:\n{}\n\nQuestion: {}\n"
    "Do these words state the answer to the question? Answer yes or no."
)


def weakest(matches: np.ndarray, weights: np.ndarray) -> float:
    """How well the worst met of a question's rarest pieces is met by any of the texts, -1..1.

    `matches` is the best match of each piece in each text (pieces, texts), `weights` says how rare
    each piece is. 1 where nothing is asked, -1 where nothing was found.
    """
    if not len(weights):
        return 1.0
    if not matches.shape[1]:
        return -1.0
    rarest = np.argsort(-weights, kind="stable")[:_RAREST]
    return float(matches[rarest].max(axis=1).min())


async def answered(model: Model, question: str, lines: Sequence[str]) -> float:
    """How likely a model holds it that these lines, best first, answer the question.

    One token after some hundred of prefill. Raises ModelError.
    """
    said = "\n".join(f'- "{tamed_line(line)}"' for line in lines[:READ])
    request = ModelRequest(
        messages=(ChatMessage(role="user", content=_ASK.format(said, tamed_line(question))),),
        answers=("yes", "no"),
        temperature=0.0,
        max_tokens=1,
        background=True,
        purpose="knowing",
    )
    return dict(await weigh(model, request)).get("yes", 0.0)
