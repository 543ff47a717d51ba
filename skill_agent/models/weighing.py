"""Asking a model for one of a few words, and how sure it is of each.

One token of an embedded model, with its probability. A model that runs elsewhere is held to the
words by a schema, and what it says counts whole.
"""

from collections.abc import Mapping
from contextlib import aclosing
from dataclasses import replace

from skill_agent.errors import ModelFailed
from skill_agent.ports import EndPart, Model, ModelRequest, TextPart

from .model_json import read

_ANSWER = "answer"


async def weigh(model: Model, request: ModelRequest) -> Mapping[str, float]:
    """The probability of each of the request's `answers`, summing to 1.

    Raises ModelError, also where the model says something else.
    """
    if not model.info.local:
        request = _held(request)
    said, likely = "", dict[str, float]()
    async with aclosing(model.stream(request)) as parts:
        async for part in parts:
            if isinstance(part, TextPart):
                said += part.text
            elif isinstance(part, EndPart):
                likely = dict(part.likely)
    return likely or _whole(said, request.answers)


def _held(request: ModelRequest) -> ModelRequest:
    """The same question under a schema that leaves nothing but the answers."""
    schema = {
        "type": "object",
        "properties": {_ANSWER: {"enum": list(request.answers)}},
        "required": [_ANSWER],
        "additionalProperties": False,
    }
    return replace(request, response_schema=schema, max_tokens=max(32, request.max_tokens))


def _whole(said: str, answers: tuple[str, ...]) -> dict[str, float]:
    """All weight on the answer a reply names."""
    word = said.strip()
    if word.startswith("{"):
        try:
            word = str(read(word).get(_ANSWER, ""))
        except (ValueError, AttributeError):
            word = ""
    folded = word.strip(" .!\"'").casefold()
    found = next((one for one in answers if one.casefold() == folded), None)
    if found is None:
        raise ModelFailed(f"the model answered {said[:40]!r} where {', '.join(answers)} was asked")
    return {one: float(one == found) for one in answers}
