"""Whether what was found answers a question, or only speaks of the same things.

On a familiar subject the score, its margin, the evidence and how well the question's rarest words
are met say next to nothing about that; a model that reads the lines does, also a small one.
"""

from collections.abc import Sequence

from skill_agent.models.weighing import weigh
from skill_agent.ports import ChatMessage, Model, ModelRequest
from skill_agent.text.gate import tamed_line

ANSWERED = 0.7
"""Probability from which a small model's word is taken that the lines answer; picked on the
build and choose sets of `benchmarks/memory/answers.py` together."""
READ = 4
"""Lines a model reads, the best ones."""
_ASK = (
    "What somebody said:\n{}\n\nQuestion: {}\n"
    "Do these words state the answer to the question? Answer yes or no."
)


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
