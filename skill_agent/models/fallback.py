"""A chain of models of which the first that can serve does; how each serves is not known here."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing

from skill_agent.errors import ModelUnavailable
from skill_agent.ports import Model, ModelPart, ModelRequest, StatusPart, TextPart, ToolPart
from skill_agent.values import ModelInfo


class FallbackModel:
    """Goes on to the next model on ModelUnavailable, and only while nothing was said yet.

    A rejected request would be rejected elsewhere too, or hide a wrong key: it is raised at once.
    """

    def __init__(self, chain: Sequence[Model]) -> None:
        self.chain = tuple(chain)

    @property
    def info(self) -> ModelInfo:
        return self.chain[0].info

    async def load(self) -> None:
        await self.chain[0].load()

    async def prefill(self, request: ModelRequest) -> None:
        await self.chain[0].prefill(request)

    async def count_tokens(self, text: str) -> int:
        return await self.chain[0].count_tokens(text)

    async def stream(self, request: ModelRequest) -> AsyncGenerator[ModelPart, None]:
        problems: list[ModelUnavailable] = []
        for number, model in enumerate(self.chain):
            if problems:
                why = problems[-1].message
                before = self.chain[number - 1].info.name
                yield StatusPart(text=f"{before}: {why}; falling back to {model.info.name}")
            spoken = False
            try:
                if _shows(request) and not model.info.profile.vision:
                    raise ModelUnavailable(f"{model.info.name} reads no images")
                async with aclosing(model.stream(request)) as parts:
                    async for part in parts:
                        spoken = spoken or isinstance(part, TextPart | ToolPart)
                        yield part
                return
            except ModelUnavailable as problem:
                if spoken:
                    raise
                problems.append(problem)
        raise ModelUnavailable(
            "no model can serve: " + "; ".join(one.message for one in problems),
            hint=next((one.hint for one in problems if one.hint), ""),
            retry_after=problems[0].retry_after,
        )


def _shows(request: ModelRequest) -> bool:
    """Whether the person shows something with what they say now."""
    last = next((one for one in reversed(request.messages) if one.role == "user"), None)
    return last is not None and bool(last.images)
