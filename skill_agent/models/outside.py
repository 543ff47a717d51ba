"""What stands in the place of a model where an outside program answers."""

from collections.abc import AsyncGenerator

from skill_agent.agents.dna import Runs
from skill_agent.errors import ModelRejected
from skill_agent.ports import Model, ModelPart, ModelRequest
from skill_agent.values import ModelInfo, ModelProfile

_WINDOW = 200_000
"""Tokens such programs can be told, about; what of it they send on is theirs."""
_CHARACTERS_EACH = 4


def program_of(runs: Runs) -> str:
    """What an agent runs on, in a word."""
    return runs.acp if isinstance(runs.acp, str) else runs.acp[0].rsplit("/", 1)[-1]


class OutsideModel(Model):
    """Tells what answers; it answers nothing itself."""

    def __init__(self, runs: Runs) -> None:
        self._name = f"acp/{program_of(runs)}"

    @property
    def info(self) -> ModelInfo:
        profile = ModelProfile(vision=True)
        return ModelInfo(name=self._name, provider="acp", context_window=_WINDOW, profile=profile)

    async def load(self) -> None:
        pass

    async def stream(self, request: ModelRequest) -> AsyncGenerator[ModelPart, None]:
        """Raises ModelRejected: what is asked of a model alone, a program cannot do."""
        raise ModelRejected(
            f"{self._name} is a program and no model",
            hint="give the agent a model, or name one with -m",
        )
        yield  # makes it a generator

    async def prefill(self, request: ModelRequest) -> None:
        pass

    async def count_tokens(self, text: str) -> int:
        return len(text) // _CHARACTERS_EACH + 1
