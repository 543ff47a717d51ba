"""The scripted model of the soak and the chaos: it streams like a real one, and names its prompt.

Pieces come at fixed moments after a call, so whatever takes longer is not the model's. Each reply
to a person is written into a file before it begins, so that one given twice shows.
"""

import asyncio
import os
import re
from collections.abc import AsyncGenerator
from pathlib import Path

from skill_agent.models.scripted import ScriptedGateway
from skill_agent.ports import EndPart, ModelPart, ModelRequest, TextPart
from skill_agent.values import ModelInfo, Usage

TOKEN = re.compile(r"token-[0-9a-z-]+")
WORDS = 40


def expected(token: str) -> str:
    """The whole reply to a prompt with this token."""
    return "".join(_pieces(token))


def gateway(seconds: float, calls: Path | None = None) -> ScriptedGateway:
    """Gives one model whose replies take so long; `calls` is the file each is noted in."""
    return ScriptedGateway(TokenModel(seconds, calls))


class TokenModel:
    """Repeats the last token of its prompt, and forty words."""

    def __init__(self, seconds: float, calls: Path | None) -> None:
        self._seconds, self._calls = seconds, calls
        self.info = ModelInfo(
            name="scripted/token", provider="scripted", context_window=8192, local=True
        )

    async def load(self) -> None:
        """Nothing to load."""

    async def stream(self, request: ModelRequest) -> AsyncGenerator[ModelPart, None]:
        """The pieces, the last one at the end of the time."""
        clock = asyncio.get_running_loop().time
        start = clock()
        asked = request.messages[-1].content
        token = (TOKEN.findall(asked) or ["token-none"])[-1]
        if self._calls is not None and asked.endswith(f"{token}?"):  # no background reading
            _note(self._calls, token)
        pieces = _pieces(token)
        for number, piece in enumerate(pieces, start=1):
            due = start + self._seconds * number / len(pieces)
            if (left := due - clock()) > 0:
                await asyncio.sleep(left)
            yield TextPart(text=piece)
        yield EndPart(usage=Usage(model=self.info.name, completion_tokens=len(pieces)))

    async def prefill(self, request: ModelRequest) -> None:
        """Nothing to prepare."""

    async def count_tokens(self, text: str) -> int:
        return -(-len(text) // 4)


def _note(calls: Path, token: str) -> None:
    with calls.open("a") as file:
        file.write(f"{token} {os.getpid()}\n")
        file.flush()
        os.fsync(file.fileno())


def _pieces(token: str) -> list[str]:
    return [f"{token} ", *(f"word{number} " for number in range(1, WORDS - 1)), "end."]
