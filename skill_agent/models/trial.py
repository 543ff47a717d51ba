"""One short call of a model, timed: does it answer at all?"""

import time

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

_ASKED = ChatMessage(role="user", content="Say hello in five words or fewer.")


async def tried(model: Model, progress: Progress | None = None) -> ModelTrial:
    """What it said and how long that took; `progress` hears what the model is busy with."""
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
    return ModelTrial(
        id=model.info.name,
        text=said.strip(),
        first_token_s=round(first, 3),
        seconds=round(time.monotonic() - started, 3),
        context_window=model.info.context_window,
        usage=usage,
    )
