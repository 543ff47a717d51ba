"""An OpenAI-compatible server on loopback that answers each model's name in its own odd way."""

import asyncio
import gzip
import json
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

Bytes = bytes | float
"""What is sent next, or the seconds before it."""
Says = Callable[[int], Iterable[Bytes]]
"""What it answers to the n-th call (from 0) of a model's name."""

RESET = b"\0reset the connection\0"
"""Sent by nobody: the connection is reset here."""
TOOL = "search_memory"
CALLS_A_TURN = 8


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """One way to answer, and what a person must come to see of it."""

    says: Says
    end: Literal["whole", "told", "failed", "noticed"]
    """A whole reply; a reply with a word about what it lacks; a failure; one of the latter two."""
    text: str | None = None
    """What is shown; None does not look."""
    said: str = ""
    """Stands in the notice or the failure."""
    calls: int = 1
    """So many requests at most."""


@dataclass
class Provider:
    """What was asked of it, by the model's name."""

    url: str = ""
    requests: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)


@asynccontextmanager
async def provider(scenarios: dict[str, Scenario]) -> AsyncIterator[Provider]:
    """Serves the scenarios until the end."""
    made = Provider()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            body = await _request(reader)
            name = str(body.get("model"))
            made.requests.setdefault(name, []).append(body)
            count = made.counts[name]
            made.counts[name] += 1
            for piece in scenarios[name].says(count):
                if piece == RESET:
                    writer.transport.abort()
                    return
                if not isinstance(piece, bytes):
                    await asyncio.sleep(piece)
                    continue
                writer.write(piece)
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            return
        finally:
            writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    made.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
    try:
        yield made
    finally:
        server.close()


async def _request(reader: asyncio.StreamReader) -> dict[str, Any]:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
    size = next(
        int(line.partition(":")[2]) for line in head.split("\r\n") if "content-length" in line
    )
    return json.loads(await reader.readexactly(size))


AGENTS = Path(__file__).parents[2] / "agents.toml"


def home_of(root: Path, url: str) -> Path:
    """A home whose models are this provider's."""
    root.mkdir()
    (root / "agents.toml").write_text(AGENTS.read_text(encoding="utf-8"), encoding="utf-8")
    (root / "config.toml").write_text(_settings(url))
    return root


def _settings(url: str) -> str:
    return (
        f'[models]\ndefault = "openai/plain"\ntimeout_s = 20\n[models.api_base]\nopenai = "{url}"\n'
    )


# -- what goes over the wire ---------------------------------------------------------------------


def head(kind: str = "text/event-stream", *, status: str = "200 OK", **more: str) -> bytes:
    fields = {"Content-Type": kind, "Connection": "close"}
    fields |= {name.replace("_", "-"): value for name, value in more.items()}
    lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return f"HTTP/1.1 {status}\r\n{lines}\r\n".encode()


def event(content: object, *, before: str = "data: ", after: str = "\n\n") -> bytes:
    said = content if isinstance(content, str) else json.dumps(content)
    return f"{before}{said}{after}".encode()


def delta(finish: str | None = None, **fields: Any) -> dict[str, Any]:
    choice = {"index": 0, "delta": fields, "finish_reason": finish}
    return {
        "id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m",
        "choices": [choice],
    }  # fmt: skip


def words(*pieces: str) -> list[bytes]:
    return [event(delta(role="assistant", content=one)) for one in pieces]


def stop(reason: str | None = "stop") -> bytes:
    return event(delta(reason))


DONE = event("[DONE]")


def call(
    arguments: object, *, name: str | None = TOOL, at: Any = 0, id: str | None = "call_1"
) -> dict[str, Any]:
    return {
        "index": at, "id": id, "type": "function",
        "function": {"name": name, "arguments": arguments},
    }  # fmt: skip


def calls(*several: dict[str, Any]) -> bytes:
    return event(delta(tool_calls=list(several)))


def looking(query: str = "the deployment") -> str:
    return json.dumps({"query": query})


def once(*pieces: bytes | Sequence[bytes]) -> Says:
    """The same whatever the call."""
    flat = [one for piece in pieces for one in ([piece] if isinstance(piece, bytes) else piece)]
    return lambda _count: flat


def stream(*pieces: bytes | Sequence[bytes]) -> Says:
    return once(head(), *pieces)


def then_answers(*pieces: bytes) -> Says:
    """Calls first; whatever it is told then, it answers."""

    def says(count: int) -> Iterable[Bytes]:
        if count == 0:
            return [head(), *pieces, stop("tool_calls"), DONE]
        return [head(), *words("Then ", "so."), stop(), DONE]

    return says


def body(content: object, kind: str = "application/json", **more: str) -> Says:
    said = content if isinstance(content, bytes) else json.dumps(content).encode()
    return once(head(kind, Content_Length=str(len(said)), **more), said)


def in_bytes(*pieces: bytes) -> Says:
    whole = b"".join(pieces)
    return lambda _count: [head(), *(whole[at : at + 1] for at in range(len(whole)))]


PAGE = b"<!DOCTYPE html><html><body>Please sign in to the hotel's network</body></html>"
REPLY = {
    "id": "c", "object": "chat.completion", "created": 1, "model": "m",
    "choices": [{"index": 0, "finish_reason": "stop",
                 "message": {"role": "assistant", "content": "All at once."}}],
    "usage": {"prompt_tokens": 3, "completion_tokens": 3, "total_tokens": 6},
}  # fmt: skip
HALF = "The first step is to clo"


def _whole(says: Says, text: str = "Good day.", **more: Any) -> Scenario:
    return Scenario(says=says, end="whole", text=text, **more)


def _told(says: Says, said: str, text: str | None = HALF, **more: Any) -> Scenario:
    return Scenario(says=says, end="told", text=text, said=said, **more)


def _failed(says: Says, said: str = "", text: str | None = "", **more: Any) -> Scenario:
    return Scenario(says=says, end="failed", text=text, said=said, **more)


def _noticed(says: Says) -> Scenario:
    """Whether it fails is the transport's matter."""
    return Scenario(says=says, end="noticed", text=HALF)


def _again(*pieces: bytes) -> Scenario:
    """A mistake in a call, of which the model is told."""
    return _whole(then_answers(*pieces), "Then so.", calls=2)


GOOD = [*words("Good ", "day."), stop(), DONE]
_USAGE = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}


def _with_usage(usage: object) -> Says:
    last = {**delta(), "choices": [], "usage": usage}
    return stream(words("Good ", "day."), stop(), event(last), DONE)


WHOLE = {
    "plain": _whole(stream(GOOD)),
    "with-usage": _whole(_with_usage(_USAGE)),
    "usage-is-null": _whole(_with_usage(None)),
    "usage-is-huge": _whole(_with_usage({**_USAGE, "completion_tokens": 10**40})),
    "usage-is-negative": _whole(_with_usage({**_USAGE, "prompt_tokens": -5})),
    "carriage-returns": _whole(once(head(), *[one.replace(b"\n", b"\r\n") for one in GOOD])),
    "comments-between": _whole(stream(b": wait\n\n", GOOD[:1], b": wait\n\n", GOOD[1:])),
    "event-without-data": _whole(stream(b"event: ping\n\n", GOOD[:1], b"id: 7\n\n", GOOD[1:])),
    "no-blank-after-colon": _whole(
        stream(*[event(delta(content=one), before="data:") for one in ("Good ", "day.")], GOOD[2:])
    ),
    "byte-by-byte": _whole(in_bytes(*words("Good ", "däy 😀."), stop(), DONE), "Good däy 😀."),
    "empty-choices-first": _whole(stream(event({**delta(), "choices": []}), GOOD)),
    "role-only-first": _whole(stream(event(delta(role="assistant")), GOOD)),
    "content-is-null": _whole(stream(event(delta(role="assistant", content=None)), GOOD)),
    "finish-beside-the-last-word": _whole(
        stream(words("Good "), event(delta("stop", content="day.")), DONE)
    ),
    "a-finish-nobody-knows": _whole(stream(words("Good ", "day."), stop("eos_token"), DONE)),
    "stopped-without-done": _whole(stream(words("Good ", "day."), stop())),
    "split-emoji": _whole(
        stream(words("Good \ud83d", "\ude00 day."), stop(), DONE), "Good 😀 day."
    ),
    "half-emoji": _whole(stream(words("Good \ud83d", " day."), stop(), DONE), "Good \ufffd day."),
    "a-body-where-a-stream-was-asked": _whole(body(REPLY), "All at once."),
    "reasoning-first": _whole(stream(event(delta(reasoning_content="Hm. ")), GOOD)),
    "tagged-thoughts": _whole(stream(words("<thi", "nk>Hm.</th", "ink>\n\n"), GOOD)),
    "slowly": _whole(lambda _count: [head(), *[one for w in GOOD for one in (0.2, w)]]),
}
CALLING = {
    "a-call": _again(calls(call(looking()))),
    "a-call-in-pieces": _again(
        calls(call("")), *[calls(call(one, name=None, id=None)) for one in looking()]
    ),
    "two-calls": _again(
        calls(call(looking("a"))), calls(call(looking("b"), at=1, id="call_2"))
    ),
    "two-of-one-id": _again(calls(call(looking("a")), call(looking("b"), at=1))),
    "a-call-without-id": _again(calls(call(looking(), id=None))),
    "a-call-without-index": _again(calls(call(looking(), at=None))),
    "an-unknown-tool": _again(calls(call("{}", name="fly_away"))),
    "no-name": _again(calls(call(looking(), name=""))),
    "broken-arguments": _again(calls(call('{"query": "the dep'))),
    "arguments-null": _again(calls(call("null"))),
    "arguments-a-list": _again(calls(call('["the deployment"]'))),
    "arguments-a-number": _again(calls(call("17"))),
    "arguments-too-deep": _again(calls(call('{"query": ' + "[" * 50_000 + "]" * 50_000 + "}"))),
    "arguments-a-huge-number": _again(calls(call('{"query": ' + "9" * 5_000 + "}"))),
    "arguments-not-a-number": _again(calls(call('{"query": NaN}'))),
    "arguments-of-another-kind": _again(calls(call('{"query": {"is": ["odd"]}}'))),
    "half-emoji-in-arguments": _again(calls(call('{"query": "a \\ud83d b"}'))),
    "words-then-a-call": _whole(
        then_answers(*words("Let me see. "), calls(call(looking()))), "Let me see. Then so.",
        calls=2,
    ),
    "forty-calls": _whole(
        then_answers(*[calls(call(looking(f"{n}"), at=n, id=f"c{n}")) for n in range(40)]),
        "Then so.", calls=2,
    ),
    "for-ever": _failed(
        lambda _count: [head(), calls(call(looking())), stop("tool_calls"), DONE],
        "limits", calls=CALLS_A_TURN,
    ),
    "for-ever-and-anew": _failed(
        lambda count: [head(), calls(call(looking(f"{count}"))), stop("tool_calls"), DONE],
        "limits", calls=CALLS_A_TURN + 2,
    ),
    "for-ever-with-words": Scenario(
        says=lambda n: [head(), *words("So. "), calls(call(looking(f"{n}"))), stop("tool_calls")],
        end="told", said="limits", calls=CALLS_A_TURN + 2,
    ),
}  # fmt: skip
ENDING = {
    "no-finish": _told(stream(words(HALF)), "broke off"),
    "done-without-finish": _whole(stream(words(HALF), DONE), HALF),
    "withheld-from-there": _told(stream(words(HALF), stop("content_filter"), DONE), "filter"),
    "too-long": _told(stream(words(HALF), stop("length"), DONE), "length"),
    "never-ends": Scenario(
        says=lambda _count: [head(), *words(*["once more and "] * 30_000)],
        end="told", said="limits",
    ),
    "withheld": _failed(stream(stop("content_filter"), DONE), "filter"),
    "nothing": _failed(stream(stop(), DONE)),
    "only-done": _failed(stream(DONE)),
    "not-even-that": _failed(stream()),
    "only-blanks": _failed(stream(words(" ", "\n"), stop(), DONE), text=None),
    "only-reasoning": _failed(
        stream(event(delta(reasoning_content="The answer is 7.")), stop(), DONE), "thought"
    ),
    "only-tagged-thoughts": _failed(
        stream(words("<think>The answer is 7.</think>"), stop(), DONE), "thought"
    ),
    "a-web-page": _failed(body(PAGE, "text/html"), "page"),
    "a-web-page-packed": _failed(
        body(gzip.compress(PAGE), "text/html", Content_Encoding="gzip"), "page"
    ),
    "a-web-page-as-a-stream": _failed(stream(PAGE)),
    "an-error-with-200": _failed(body({"error": {"message": "quota is used up"}}), "quota"),
    "an-error-after-words": _failed(
        stream(words(HALF), event({"error": {"message": "the backend fell over"}})), text=HALF
    ),
    "reset-after-words": _noticed(lambda _count: [head(), *words(HALF), 0.2, RESET]),
    "fewer-bytes-than-said": _failed(
        once(head(Content_Length="90000"), *words(HALF)), text=HALF
    ),
    "cut-in-an-event": _noticed(stream(words(HALF), b'data: {"id": "c", "cho')),
    "empty-body": _failed(body(b"")),
    "no-content": _failed(once(head(status="204 No Content"))),
    "moved": _failed(once(head(status="302 Found", Location="/elsewhere", Content_Length="0"))),
    "refused": _failed(once(head("application/json", status="401 Unauthorized"), b"{}")),
    "broken": _failed(once(head("application/json", status="500 Oh No"), b"oops")),
    "hangs-up": _failed(once(RESET)),
}  # fmt: skip
SCENARIOS: dict[str, Scenario] = {**WHOLE, **CALLING, **ENDING}
