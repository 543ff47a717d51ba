"""The one question a model is asked about two statements of which code is not certain."""

from skill_agent.models.weighing import weigh
from skill_agent.ports import ChatMessage, Model, ModelRequest
from skill_agent.text.gate import tamed_line
from skill_agent.values import ModelInfo

PROMPT = "out-of-date/1"
"""Which question it was, kept with each answer: another question needs its own thresholds."""
LIKELY, PERHAPS = 0.9, 0.6
"""Probabilities from which a yes counts, and from which the pair is shown as waiting. What a model
that runs elsewhere says counts whole."""
_SMALLEST_BYTES = 3_000_000_000
"""An embedded model's file below which it is not asked: of what code leaves open, one of 1.5B
parameters tells no change from any other two statements, in whatever words it is asked."""
_QUESTION = (
    'Old note: "{old}"\nNew note: "{new}"\n'
    "Is the old note out of date because of the new note? Answer yes or no."
)
_LONGEST = 400


def able_to_judge(info: ModelInfo) -> bool:
    """Whether a model's word on what code leaves open is worth anything."""
    return info.provider != "embedded" or info.size_bytes >= _SMALLEST_BYTES


async def out_of_date(model: Model, old: str, new: str) -> float:
    """How likely the newer statement changes a value or ends what the older one says.

    Raises ModelError.
    """
    question = _QUESTION.format(old=_line(old), new=_line(new))
    request = ModelRequest(
        messages=(ChatMessage(role="user", content=question),),
        answers=("yes", "no"),
        temperature=0.0,
        max_tokens=1,
        background=True,
        purpose="judge",
    )
    return (await weigh(model, request)).get("yes", 0.0)


def _line(text: str) -> str:
    """One line in which no quotation mark ends the quotation; a memory may be another's words."""
    return tamed_line(text, _LONGEST).replace('"', "'")
