"""What the conformance suite asks for by name, as sets of our own, behind our own mount over HTTP.

`python fixture_server.py` serves it until it is ended, and prints its address.
"""

import asyncio
import socket
import tempfile
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

from mcp import types
from starlette.applications import Starlette

from skill_agent.api.door.limiting import PER_MINUTE, Limiter
from skill_agent.api.door.listener import Listener
from skill_agent.api.door.protect import protect
from skill_agent.api.door.refusals import exception_handlers
from skill_agent.api.routes.mcp import McpDoor
from skill_agent.errors import NotFound, ToolFailed
from skill_agent.files.home import Home
from skill_agent.mcp_server.sets import Changed, Sets, Tell, Told
from skill_agent.mcp_server.visit import Visit
from skill_agent.workstation import Workstation

OBJECT: dict[str, Any] = {"type": "object", "properties": {}}
DIALECT: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "$defs": {
        "address": {
            "type": "object",
            "properties": {"street": {"type": "string"}, "city": {"type": "string"}},
        }
    },
    "properties": {"name": {"type": "string"}, "address": {"$ref": "#/$defs/address"}},
    "additionalProperties": False,
}
SAID = {
    "test_simple_text": "This is a simple text response for testing.",
    "test_tool_with_progress": "Progress was told.",
    "test_error_handling": "",
    "json_schema_2020_12_tool": "It fits.",
}


class Tools:
    """The tools that answer in text."""

    async def tools(self, visit: Visit) -> Sequence[types.Tool]:
        return [
            types.Tool(
                name=name,
                description=f"Fixture {name}.",
                input_schema=DIALECT if name.startswith("json_schema") else OBJECT,
            )
            for name in SAID
        ]

    async def call(
        self, visit: Visit, name: str, arguments: dict[str, Any], tell: Tell
    ) -> Told | None:
        if name == "test_error_handling":
            raise ToolFailed("This tool intentionally returns an error for testing")
        if name == "test_tool_with_progress":
            for done in (0, 50, 100):
                await tell(done, 100, "")
        return Told(data={"said": SAID[name]}, text=SAID[name])


class Resources:
    """The resources that are text."""

    async def resources(self, visit: Visit) -> Sequence[types.Resource]:
        return [
            types.Resource(
                uri="test://static-text",
                name="Static text",
                description="A text.",
                mime_type="text/plain",
            )
        ]

    async def templates(self, visit: Visit) -> Sequence[types.ResourceTemplate]:
        return [types.ResourceTemplate(uri_template="test://template/{id}/data", name="Data")]

    async def read(self, visit: Visit, uri: str) -> types.TextResourceContents | None:
        match uri.removeprefix("test://").split("/"):
            case ["static-text"]:
                told = "This is the content of the static text resource."
                return types.TextResourceContents(uri=uri, mime_type="text/plain", text=told)
            case ["template", id, "data"]:
                told = f'{{"id": "{id}", "templateTest": true, "data": "Data for ID: {id}"}}'
                return types.TextResourceContents(uri=uri, mime_type="application/json", text=told)
        raise NotFound(f"there is no {uri}")


class Prompts:
    """All prompts of the suite; a prompt may hold whatever the protocol knows."""

    async def prompts(self, visit: Visit) -> Sequence[types.Prompt]:
        arguments = {
            "test_prompt_with_arguments": ("arg1", "arg2"),
            "test_prompt_with_embedded_resource": ("resourceUri",),
        }
        return [
            types.Prompt(
                name=name,
                description=f"Fixture {name}.",
                arguments=[
                    types.PromptArgument(name=one, description=one, required=True)
                    for one in arguments.get(name, ())
                ],
            )
            for name in ("test_simple_prompt", *arguments, "test_prompt_with_image")
        ]

    async def get(
        self, visit: Visit, name: str, arguments: dict[str, str]
    ) -> types.GetPromptResult | None:
        text = "This is a simple prompt for testing."
        content: list[types.ContentBlock] = []
        match name:
            case "test_prompt_with_arguments":
                text = "Prompt with arguments: arg1='{arg1}', arg2='{arg2}'".format(**arguments)
            case "test_prompt_with_embedded_resource":
                held = types.TextResourceContents(
                    uri=arguments["resourceUri"], mime_type="text/plain", text="Embedded."
                )
                content.append(types.EmbeddedResource(resource=held))
                text = "Please process the embedded resource above."
            case "test_prompt_with_image":
                content.append(types.ImageContent(data=PIXEL, mime_type="image/png"))
                text = "Please analyze the image above."
        content.append(types.TextContent(text=text))
        return types.GetPromptResult(
            messages=[types.PromptMessage(role="user", content=one) for one in content]
        )


PIXEL = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR4nGP4z8DwHwAFAAH/iZk9HQAAAABJRU5ErkJg"
    "gg=="
)


def offered() -> Sets:
    return Sets(tools=[Tools()], resources=[Resources()], prompts=[Prompts()])


def nobody(station: Workstation, changed: Changed) -> Callable[[], None]:
    """Nothing changes here."""
    return lambda: None


@asynccontextmanager
async def fixture_server() -> AsyncIterator[str]:
    """Its address, for as long as the block runs; without keys, for the suite can send none."""
    door = McpDoor(cast(Workstation, None), local=False, offered=offered, watching=nobody)
    app = Starlette(routes=door.routes(), exception_handlers=exception_handlers())
    bound = socket.create_server(("127.0.0.1", 0))
    bound.setblocking(False)
    with tempfile.TemporaryDirectory() as folder:
        unlimited = Limiter(now, {kind: 10**9 for kind in PER_MINUTE})
        guarded = protect(
            app, home=Home(Path(folder)), clock=now, tcp=True, auth=False, limiter=unlimited
        )
        listener = Listener(guarded, bound, strangers=True)
        listener.load()
        await listener.start()
        try:
            yield f"http://127.0.0.1:{bound.getsockname()[1]}/mcp"
        finally:
            await listener.close()
            await door.end()


def now() -> datetime:
    return datetime.now(UTC)


async def main() -> None:
    async with fixture_server() as address:
        print(address, flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
