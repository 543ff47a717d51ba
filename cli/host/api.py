"""`ska api`: one request to the home's API, whoever holds the home."""

import json
import sys
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Annotated, Any

import typer

from skill_agent.errors import UsageError

from ..opening.running import with_runtime
from ..options import choice, single
from ..output import emit_json, emit_jsonl, emit_text

if TYPE_CHECKING:
    from skill_agent.attach.transport import Line, Query
    from skill_agent.workstation import Workstation

VERBS = ("GET", "POST", "PUT", "PATCH", "DELETE")
_STREAMED = ("/v1/events", "/stream")

app = single()


@app.command()
def api(
    ctx: typer.Context,
    words: Annotated[
        list[str],
        typer.Argument(metavar="[VERB] ROUTE", help="GET is the verb, where none is said."),
    ],
    field: Annotated[
        list[str] | None,
        typer.Option(
            "--field",
            "-f",
            metavar="NAME=VALUE",
            help="In the query of a GET or DELETE, else in the JSON body; repeatable. A value that "
            "is JSON is taken as such: limit=3, pinned=true.",
        ),
    ] = None,
    body: Annotated[
        str | None,
        typer.Option("--input", metavar="FILE", help="The whole JSON body; - is standard input."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="It is JSON in any case.")] = False,
) -> None:
    """Send one request to the home's API and print what it answers.

    It works on whichever process holds the home, without a key on this machine; with --api on a
    home served elsewhere. Routes and what they take: docs/api.md, docs/scopes.md, or
    `ska api /openapi.json`. A route without a slash before it is one of /v1. Events are printed as
    they come, until Ctrl+C.

    \b
    Examples:
      ska api agents --jq '.items[].slug'
      ska api /v1/memories -f limit=3
      ska api POST /v1/memories -f content="The staging server is called heron"
      ska api POST /v1/memories/search -f query=staging -f limit=2
      ska api POST /v1/agents/kyra/chat --input message.json
      ska api /v1/events

    \b
    Exit codes: 0 answered, 1 refused or failed, 2 wrong usage, or no such thing.
    """
    verb, path = _request_of(words)
    fields, sent = _fields(field or []), _body(ctx, body)
    if body is not None and field:
        raise UsageError("--input is the whole body", hint="put what --field says into it")
    beside = verb in ("GET", "DELETE")
    query: Query = [(name, _as_query(value)) for name, value in fields.items()] if beside else []
    content = sent or (json.dumps(fields).encode() if fields and not beside else None)
    with_runtime(ctx, lambda station: _asked(station, verb, path, query, content))


def _request_of(words: list[str]) -> tuple[str, str]:
    if len(words) > 2:
        raise UsageError(f"one route, not {len(words)} words", hint="ska api POST /v1/memories")
    verb = "GET" if len(words) == 1 else choice("VERB", words[0].upper(), VERBS)[0]
    route = words[-1]
    if not route.startswith("/"):
        route = f"/{route}" if route.startswith("v1/") else f"/v1/{route}"
    return verb, route


def _fields(told: list[str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for one in told:
        name, sign, value = one.partition("=")
        if not sign or not name:
            raise UsageError(f"--field: {one!r} is no NAME=VALUE", hint='-f query="staging server"')
        try:
            found[name] = json.loads(value)
        except ValueError:
            found[name] = value
    return found


def _as_query(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _body(ctx: typer.Context, source: str | None) -> bytes | None:
    """What `--input` names; raises UsageError for what is no JSON."""
    if source is None:
        return None
    from pathlib import Path

    from ..surroundings import surroundings

    try:
        stdin = surroundings(ctx).stdin or sys.stdin.buffer
        content = stdin.read() if source == "-" else Path(source).read_bytes()
        json.loads(content)
    except OSError as problem:
        raise UsageError(f"{source} cannot be read: {problem.strerror}") from None
    except ValueError as problem:
        raise UsageError(f"{source} is no JSON: {problem}") from None
    return content


async def _asked(
    station: "Workstation", verb: str, path: str, query: "Query", content: bytes | None
) -> None:
    async with AsyncExitStack() as ending:
        line = _line_to(station, ending)
        if any(path.split("?")[0].endswith(one) for one in _STREAMED):
            frames = await ending.enter_async_context(
                line.stream(verb, path, query=query, body=content)
            )
            async for frame in frames:
                if frame.data:
                    _tell_one(frame.data)
            return
        told = await line.call(verb, path, query=query, body=content)
        if told:
            _tell(told)


def _tell_one(data: bytes) -> None:
    """What a stream brings, a line each."""
    try:
        event = json.loads(data)
    except ValueError:
        emit_text(data.decode("utf-8", "replace"))
        sys.stdout.flush()
    else:
        emit_jsonl(event)


def _tell(told: bytes) -> None:
    """JSON as other commands print it; whatever else there is as it is."""
    try:
        document = json.loads(told)
    except ValueError:
        emit_text(told.decode("utf-8", "replace"))
    else:
        emit_json(document)


def _line_to(station: "Workstation", ending: AsyncExitStack) -> "Line":
    """The way to whoever holds the home; where that is this process, without a socket."""
    from skill_agent.attach.remote import Remote
    from skill_agent.attach.remote_workstation import RemoteWorkstation
    from skill_agent.attach.transport import Line, httpx

    backend = station.backend if isinstance(station, RemoteWorkstation) else None
    if isinstance(backend, Remote):
        return backend.line
    from skill_agent.api.app import create_app
    from skill_agent.api.door.auth import LOCAL
    from skill_agent.api.door.protect import Protected

    served = Protected(create_app(station, local=True), caller=LOCAL)
    line = Line(url="http://localhost", transport=httpx.ASGITransport(served))
    ending.push_async_callback(line.close)
    return line
