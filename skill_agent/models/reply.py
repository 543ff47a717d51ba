"""A model's whole reply as one text, for whoever shows nothing of it on the way."""

from contextlib import aclosing

from skill_agent.ports import Model, ModelRequest, TextPart


async def whole_reply(model: Model, request: ModelRequest) -> str:
    """Every text piece of one call, joined. Raises ModelError."""
    text = ""
    async with aclosing(model.stream(request)) as parts:
        async for part in parts:
            if isinstance(part, TextPart):
                text += part.text
    return text
