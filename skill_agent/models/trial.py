"""Two short calls of a model, timed: does it answer at all, and as a program needs it?"""

import time

from skill_agent.errors import ModelError
from skill_agent.ports import (
    ChatMessage,
    EndPart,
    Model,
    ModelRequest,
    Progress,
    StatusPart,
    TextPart,
)
from skill_agent.values import ModelTrial, Usage

SLOWEST = 2.0
"""Tokens a second below which nobody wants to talk with a model."""

_ASKED = ChatMessage(role="user", content="Say hello in five words or fewer.")
_FORM = ChatMessage(
    role="user", content='Ada moved to Lisbon. Which city? Answer as JSON: {"city": "…"}'
)
_SCHEMA = {
    "type": "object",
    "properties": {"city": {"type": "string", "maxLength": 40}},
    "required": ["city"],
    "additionalProperties": False,
}


async def tried(model: Model, progress: Progress | None = None) -> ModelTrial:
    """What it said, how long that took and whether it filled in a form; `progress` hears what the
    model is busy with. Raises what the first call raises."""
    started = time.monotonic()
    first, said, usage = 0.0, "", Usage()
    async for part in model.stream(ModelRequest(messages=(_ASKED,), max_tokens=32, temperature=0)):
        match part:
            case TextPart(text=text):
                first = first or time.monotonic() - started
                said += text
            case StatusPart(text=text) if progress is not None:
                progress(0, 0, text)
            case EndPart():
                usage = part.usage
    seconds = time.monotonic() - started
    return ModelTrial(
        id=model.info.name,
        text=said.strip(),
        first_token_s=round(first, 3),
        seconds=round(seconds, 3),
        context_window=model.info.context_window,
        usage=usage,
        structured=await _fills_in(model),
    )


def fault(trial: ModelTrial) -> str:
    """Why agents should not think with the model; empty where nothing speaks against it."""
    if not trial.text:
        return "it said nothing"
    if not trial.structured:
        return "it could not fill in a form as asked"
    spoken = trial.seconds - trial.first_token_s
    if spoken > 1 and (rate := trial.usage.completion_tokens / spoken) < SLOWEST:
        return f"it is too slow here: {rate:.1f} tokens a second"
    return ""


async def _fills_in(model: Model) -> bool:
    """Whether it gives an answer of a given form, and the right one."""
    request = ModelRequest(messages=(_FORM,), response_schema=_SCHEMA, max_tokens=48, temperature=0)
    said = ""
    try:
        async for part in model.stream(request):
            said += part.text if isinstance(part, TextPart) else ""
    except ModelError:
        return False
    return said.lstrip().startswith("{") and "lisbon" in said.lower()
