"""The client of OpenAI that people have, for a home that is served."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
from api_home import Api
from openai import AsyncOpenAI


@asynccontextmanager
async def client(api: Api) -> AsyncIterator[AsyncOpenAI]:
    plain = httpx.AsyncClient(verify=False)  # loading certificates takes longer than a turn here
    async with AsyncOpenAI(base_url=f"{api.url}/v1", api_key="ska_none", http_client=plain) as made:
        yield made


def user(text: object) -> dict[str, Any]:
    return {"role": "user", "content": text}


def assistant(text: str) -> dict[str, Any]:
    return {"role": "assistant", "content": text}


def system(text: str) -> dict[str, Any]:
    return {"role": "system", "content": text}


def tool(name: str = "f", **more: Any) -> dict[str, Any]:
    """A tool of the client's, declared."""
    return {"type": "function", "function": {"name": name, "parameters": {}, **more}}


def called(key: str = "c", name: str = "f", arguments: str = "{}") -> dict[str, Any]:
    """A reply that calls one, as the client remembers it."""
    made = {"id": key, "type": "function", "function": {"name": name, "arguments": arguments}}
    return {"role": "assistant", "content": None, "tool_calls": [made]}


def result(text: str, key: str = "c") -> dict[str, Any]:
    return {"role": "tool", "tool_call_id": key, "content": text}


async def ask(ai: AsyncOpenAI, *messages: dict[str, Any], **more: Any) -> Any:
    return await ai.chat.completions.create(model="kyra", messages=list(messages), **more)  # type: ignore[call-overload]


def place(completion: Any) -> str:
    """The conversation it stands in."""
    return completion.model_extra["conversation_id"]
