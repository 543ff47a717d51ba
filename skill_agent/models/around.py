"""Another model, but for what it says: what is put around a model begins with this."""

from collections.abc import AsyncGenerator

from skill_agent.ports import Model, ModelPart, ModelRequest
from skill_agent.values import ModelInfo


class Around(Model):
    """Hands everything on to the model inside."""

    def __init__(self, model: Model) -> None:
        self._model = model

    @property
    def info(self) -> ModelInfo:
        return self._model.info

    async def load(self) -> None:
        await self._model.load()

    def stream(self, request: ModelRequest) -> AsyncGenerator[ModelPart, None]:
        return self._model.stream(request)

    async def prefill(self, request: ModelRequest) -> None:
        await self._model.prefill(request)

    async def count_tokens(self, text: str) -> int:
        return await self._model.count_tokens(text)
