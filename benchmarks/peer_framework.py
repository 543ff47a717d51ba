"""Agents of Microsoft's agent framework over a model that answers at once; for `team.py`."""

from collections.abc import Mapping, Sequence
from typing import Any

import agent_framework as af  # pyright: ignore[reportMissingImports]


class Instant(af.BaseChatClient):  # pyright: ignore
    """A chat client of the framework's own kind."""

    def __init__(self, answer: str) -> None:
        super().__init__()
        self.answer = answer

    async def _inner_get_response(
        self, *, messages: Sequence[Any], stream: bool, options: Mapping[str, Any], **more: Any
    ) -> Any:
        return af.ChatResponse(messages=[af.Message(role="assistant", contents=[self.answer])])


def agents(count: int, answer: str) -> list[Any]:
    client = Instant(answer)
    return [
        client.as_agent(name=f"Agent {n}", instructions="Answer shortly.") for n in range(count)
    ]
