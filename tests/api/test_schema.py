"""What the OpenAPI document promises holds for whatever is sent, and nothing answers 500.

`host.stop` only sets an event here, for nobody waits for it; listening is kept on loopback.
"""

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from searching import is_deep
from whole_api import World, world

from skill_agent.api.app import BY_HAND, create_app
from skill_agent.workstation import table

CHECKS = (
    not_a_server_error, status_code_conformance, content_type_conformance,
    response_schema_conformance,
)  # fmt: skip
BESIDE = [(one.verb, one.path) for one in BY_HAND if one.path != "/v1/events"]
"""Not in the table; the events never end and are tested by themselves."""
BESIDE += [("GET", "/health"), ("GET", "/ready")]
OPERATIONS = [(one.route.verb, one.route.path, one.route.local) for one in table()]
OPERATIONS += [(verb, path, False) for verb, path in BESIDE]

SERVER = f"""
[mcp.servers.weather]
command = {json.dumps(sys.executable)}
args = [{json.dumps(str(Path(__file__).parents[1] / "mcp_client" / "hostile_server.py"))}, "fine"]
"""
"""One whose tools agents may use."""

ODD = (
    "\x00", "\ud800", "../../x\u202e", "9" * 40, "NaN", "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59-14:00",
)  # fmt: skip
ODD_JSON = (
    "", "\ud800", "0001-01-01T00:00:00+14:00", None, -1, 10**40, 1e308, ["\ud800"], {"a": {}},
)  # fmt: skip
RAW = (
    b"", b"[]", b"null", b"{", b"\xff", b"[" * 50_000, b'{"a":' * 50_000, b'{"text": NaN}',
    b'{"content": 1e999}', b'{"\\ud800": 1}', b"\xef\xbb\xbf{}",
    b'{"content": "tea", "content": "coffee"}',
    b'{"content": ' + b"9" * 5_000 + b"}", b'{"content": "x", "metadata": -' + b"9" * 5_000 + b"}",
    b'{"content": "x", "metadata": [-Infinity]}',
    b'{"content": "\\udfff"}', b'{"content": "x"} {"content": "y"}', b'{"content": "\x01"}',
    b'{"content": "x", "metadata": {"a": 1, "b": [{"c": 1, "\\u0063": 2}]}}',
    b'{"content": "x", "metadata": {"a": [' + b"0," * 1_000_000 + b"0]}}",
)  # fmt: skip
KINDS = ("application/json", "text/plain", "multipart/x")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world(tmp_path_factory.mktemp("whole")) as made:
        config = made.runtime.home.config
        config.write_text(config.read_text(encoding="utf-8") + SERVER, encoding="utf-8")
        yield made


@pytest.fixture(scope="module")
def documents(place: World) -> dict[bool, Any]:
    """Schemas by whether they are the own socket's; how one gets in is tested elsewhere."""
    found: dict[bool, Any] = {}
    for own in (False, True):
        document = create_app(place.runtime, local=own).openapi()
        for operations in document["paths"].values():
            for operation in operations.values():
                operation.pop("security", None)
        found[own] = schemathesis.openapi.from_dict(document)
    return found


@pytest.fixture(autouse=True)
def _nowhere_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def led_somewhere(case: Case, place: World, number: int) -> None:
    """Three of four cases name what exists, or they would all end as 404; no case leaves the
    folder of the test or listens beyond this machine."""
    body: dict[str, Any] = case.body if isinstance(case.body, dict) else {}  # type: ignore[assignment]
    for name in ("path", "to"):
        if isinstance(body.get(name), str):
            body[name] = str(place.folder / re.sub(r"\W", "_", body[name])[:40])
    if case.operation.path == "/v1/host/listeners" and "host" in body:
        body["host"] = "127.0.0.1"
        if isinstance(body.get("port"), int) and 0 < body["port"] < 65536:
            body["port"] = 0
    if number % 4 == 0:
        return
    real = {
        "memory_id": place.memory, "session_id": place.session, "ref": place.session,
        "conversation_id": place.session, "session": place.session, "task": place.turn,
        "turn": place.turn, "slug": "kyra", "agent": "kyra", "model": "kyra", "chore": "expire",
        "collaboration": place.turn, "work": place.turn, "question": place.turn,
        "tool": "skill_weather", "name": "weather", "key": "general.user",
    }  # fmt: skip
    for name in case.path_parameters or {}:
        case.path_parameters[name] = real.get(name, case.path_parameters[name])
    if isinstance(body.get("memory_ids"), list):
        body["memory_ids"].append(place.memory)
    for name in ("agent", "session", "conversation_id", "ref"):
        if isinstance(body.get(name), str):
            body[name] = place.reply if name == "ref" else real[name]


def tried(
    document: Any, verb: str, path: str, place: World, *, own: bool, most: dict[GenerationMode, int]
) -> int:
    """Sends made-up requests and checks the answers; how many were sent."""
    operation = document[path][verb]
    base = place.own if own else place.tcp
    headers = {} if own else {"Authorization": f"Bearer {place.key}"}
    sent = 0

    raw = operation.definition.raw
    asked = "requestBody" in raw or any(one["in"] != "path" for one in raw.get("parameters", ()))
    for mode, count in most.items():
        if mode is GenerationMode.NEGATIVE and not asked:
            continue  # any text is a good name in a path

        @seed(4)
        @settings(
            max_examples=count, database=None, phases=[Phase.generate],
            suppress_health_check=tuple(HealthCheck),  # type: ignore[arg-type]
        )  # fmt: skip
        @given(case=operation.as_strategy(generation_mode=mode))
        def one(case: Case) -> None:
            nonlocal sent
            sent += 1
            led_somewhere(case, place, sent)
            answer = case.call(base_url=base, headers=headers, timeout=60)
            case.validate_response(answer, checks=list(CHECKS))

        try:
            one()
        except Exception as problem:
            # Nothing can be wrong where nothing is asked for.
            if type(problem).__name__ != "Unsatisfiable":
                raise
    return sent


@pytest.mark.search
@pytest.mark.parametrize(
    ("verb", "path"), [(verb, path) for verb, path, local in OPERATIONS if not local]
)
def test_over_tcp(place: World, documents: dict[bool, Any], verb: str, path: str) -> None:
    most = {GenerationMode.POSITIVE: 4 if is_deep() else 2, GenerationMode.NEGATIVE: 1}
    assert tried(documents[False], verb, path, place, own=False, most=most)


@pytest.mark.search
@pytest.mark.parametrize(
    ("verb", "path"), [(verb, path) for verb, path, local in OPERATIONS if local]
)
def test_on_the_own_socket(place: World, documents: dict[bool, Any], verb: str, path: str) -> None:
    """What is there for it alone; the rest is one code, and meets the odd values below."""
    wrong = 3 if is_deep() else 1
    most = {GenerationMode.POSITIVE: 2 * wrong, GenerationMode.NEGATIVE: wrong}
    assert tried(documents[True], verb, path, place, own=True, most=most)


# -- the document ------------------------------------------------------------------------------


def test_the_document_has_everything_and_marks_what_is_local() -> None:
    strangers, own = (create_app(None, local=local).openapi() for local in (False, True))  # type: ignore[arg-type]
    for operation in table():
        verb, path = operation.route.verb.lower(), operation.route.path
        told = own["paths"][path][verb]
        assert told["x-scope"] == operation.route.scope
        assert told.get("x-local", False) is operation.route.local
        assert ("text/event-stream" in kinds_of(told)) is (
            "progress" in operation.function.__annotations__
        )
        assert (verb in strangers["paths"].get(path, {})) is not operation.route.local
    assert "/v1/auth/token" in strangers["paths"]
    assert "/v1/auth/token" not in own["paths"]
    assert not own["security"]


def kinds_of(operation: dict[str, Any]) -> set[str]:
    """Of content, in all its answers."""
    return {kind for one in operation["responses"].values() for kind in one.get("content", ())}


def test_the_document_tells_of_refusals_and_keys() -> None:
    document = create_app(None, local=False).openapi()  # type: ignore[arg-type]
    schemas = document["components"]["schemas"]
    assert set(schemas["Fault"]["required"]) == {"error", "message", "details", "request_id"}
    assert "HTTPValidationError" not in json.dumps(document)
    for path, operations in document["paths"].items():
        for operation in operations.values():
            public = path in ("/health", "/ready")
            assert operation["security"] == [] if public else operation["security"]
            if path == "/v1/auth/token":
                continue
            assert {"400", "401", "403", "404", "409", "413", "422", "429", "503"} <= set(
                operation["responses"]
            )
    asked = document["paths"]["/v1/memories"]["post"]["security"]
    assert asked == [{"bearer": ["memory"]}, {"header": ["memory"]}]
    assert set(document["components"]["securitySchemes"]) == {"bearer", "header"}
    assert "/v1/auth/token" in document["paths"]
    schemathesis.openapi.from_dict(document).validate()


# -- values nobody means well ------------------------------------------------------------------


def sent(client: httpx.Client, verb: str, path: str, place: World, name: str, value: Any) -> int:
    """One request with one odd value; the answer's status."""
    given = {
        "memory_id": place.memory, "session_id": place.session, "ref": place.session,
        "task": place.turn, "turn": place.turn, "collaboration": place.turn, "slug": "kyra",
        "agent": "kyra", "work": place.turn,
        "approval": "none", "job_id": "none", "chore": "expire", "text": "hello", "query": "tea",
        "backup_id": "none", "webhook": "none", "question": "none", "words": "yes",
        "content": "hello", "title": "hello", "status": "active", "new_slug": "other",
        "rating": "up", "expected": "x", "memory_ids": [place.memory], "message_ids": ["x"],
        "ids": ["x"], "memories": [], "rule": "x", "choice": "deny", "position": 0,
        "moment": "2026-01-01T00:00:00Z", "earlier": "2026-01-01T00:00:00Z",
        "later": "2026-01-01T00:00:00Z", "model": "kyra", "job": "none", "run": "none",
        "item": "none", "name": "weather", "skill": "weather", "digest": "0",
        "tool": "skill_weather", "arguments": {"task": "x"},
    }  # fmt: skip
    if "{key}" in path:
        given["key"] = "general.user"
    given[name] = value
    spelt = re.sub(r"{(\w+)}", lambda found: spelled(given[found[1]]), path)
    if verb in ("GET", "DELETE"):
        asked = f"?{name}={spelled(value)}" if f"{{{name}}}" not in path else ""
        return client.request(verb, spelt + asked).status_code
    known = names_of(verb, path) - set(re.findall(r"{(\w+)}", path))
    body = {key: one for key, one in given.items() if key in known}
    raw = json.dumps(body).encode()
    kind = {"content-type": "application/json"}
    return client.request(verb, spelt, content=raw, headers=kind).status_code


def spelled(value: Any) -> str:
    return quote(str(value).encode("utf-8", "surrogatepass"), safe="")


def names_of(verb: str, path: str) -> set[str]:
    """The parameters of an operation of the table."""
    for one in table():
        if (one.route.verb, one.route.path) == (verb, path):
            told = set(one.function.__annotations__) - {"return", "progress", "key"}
            if "wanted" in told:
                told |= {"agent", "user", "subject", "min_importance", "review", "tiers"}
            return told | {"limit", "cursor"} if verb == "GET" else told
    raise AssertionError(path)


@pytest.mark.deep
@pytest.mark.parametrize(
    ("verb", "path"), [(verb, path) for verb, path, _ in OPERATIONS[: -len(BESIDE)]]
)
def test_odd_values(place: World, verb: str, path: str) -> None:
    if path == "/v1/host/listeners" and verb == "POST":
        pytest.skip("would resolve names and open ports; its values are the door's tests'")
    in_path = set(re.findall(r"{(\w+)}", path))
    with place.client(own=True) as client:
        for turn, name in enumerate(sorted(names_of(verb, path))):
            odd = ODD if name in in_path or verb in ("GET", "DELETE") else ODD_JSON
            for value in odd[turn % 2 :: 2]:  # neighbours share them; every type meets each
                if name in ("path", "to") and not re.search(r"[\0\ud800]|x{9}", str(value)):
                    continue  # would be a good path
                status = sent(client, verb, path, place, name, value)
                assert status < 500, (name, value)


@pytest.mark.deep
def test_malformed_bodies(place: World) -> None:
    with place.client(own=True) as client:
        for path in ("/v1/memories", "/v1/agents/kyra/chat"):
            for raw in RAW:
                for kind in KINDS:
                    answer = client.post(path, content=raw, headers={"content-type": kind})
                    assert answer.status_code == 400, (path, raw[:20], kind)
                    assert set(answer.json()) == {"error", "message", "details", "request_id"}
        for path in ("/v1/chat/completions", "/v1/embeddings"):
            for raw in RAW:
                answer = client.post(path, content=raw, headers={"content-type": KINDS[0]})
                assert answer.status_code == 400, (path, raw[:20])
                assert answer.json()["error"].keys() == {"message", "type", "param", "code"}


def test_zero_bytes_are_no_prompt(place: World) -> None:
    """As in what is piped to a command."""
    asked = {"content": "a\0b"}
    words = [{"role": "user", "content": "a\0b"}]
    for own in (False, True):
        with place.client(own=own) as client:
            for path, body in (
                ("/v1/turns", {"text": "a\0b"}),
                ("/v1/turns", {"text": "a", "attachments": [
                    {"text": "\0", "origin": "pipe", "name": ""}]}),
                ("/v1/turns/preview", {"text": "a\0b"}),
                ("/v1/agents/kyra/chat", asked),
                ("/v1/agents/kyra/chat/stream", asked),
                ("/v1/chat/completions", {"model": "kyra", "messages": words}),
            ):  # fmt: skip
                answer = client.post(path, json=body)
                assert answer.status_code == 422, (path, answer.text)
                assert "zero bytes" in answer.text


@pytest.mark.parametrize("verb", ["HEAD", "OPTIONS", "TRACE", "PUT", "PATCH", "CONNECT"])
def test_methods_that_are_none(place: World, verb: str) -> None:
    for own in (False, True):
        with place.client(own=own) as client:
            answer = client.request(verb, "/v1/memories")
            assert answer.status_code in (404, 405)
            assert answer.headers["allow"]
            assert verb == "HEAD" or answer.json()["error"] in ("method_not_allowed", "not_found")


@pytest.mark.parametrize("accept", ["", "nonsense", "text/event-stream;q=0", "image/png", "\x7f"])
def test_whatever_is_accepted_there_is_an_answer(place: World, accept: str) -> None:
    with place.client() as client:
        answer = client.get("/v1/memories", headers={"accept": accept})
        assert answer.status_code in (200, 400)
        answer = client.post("/v1/memories/settle", headers={"accept": accept})
        assert answer.status_code in (200, 204, 400)


def test_long_queries_and_trailing_slashes(place: World) -> None:
    with place.client() as client:
        assert client.get("/v1/memories?subject=" + "x" * 30_000).status_code == 200
        assert client.get("/v1/memories/").status_code == 404
        assert client.get("/v1//memories").status_code == 404
        assert client.get("/v1/memories", params={"cursor": "x" * 2_000}).status_code == 400


PROGRESSING = [
    one.route.path
    for one in table()
    if "progress" in one.function.__annotations__ and one.route.verb == "POST"
]


@pytest.mark.parametrize("path", PROGRESSING)
def test_a_stream_of_progress_ends_in_a_result_or_an_error(place: World, path: str) -> None:
    bodies = {
        "/v1/memories/search": {"query": "tea"},
        "/v1/user/export": {"path": str(place.folder / "all.zip")},
        "/v1/user/import": {"path": str(place.folder / "none.zip")},
        "/v1/user/memories": {"path": str(place.folder / "none.jsonl")},
        "/v1/imports": {"path": str(place.folder / "none.json"), "source": "claude"},
        "/v1/imports/plan": {"path": str(place.folder / "none.json"), "source": "claude"},
        "/v1/backups/elsewhere": {"to": str(place.folder / "backups")},
    }
    with place.client(own=True) as client:
        answer = client.post(
            path, json=bodies.get(path, {}), headers={"accept": "text/event-stream"}
        )
    assert (answer.status_code, answer.headers["content-type"].partition(";")[0]) == (
        200, "text/event-stream",
    )  # fmt: skip
    events = re.findall(r"^event: (\w+)$", answer.text, re.MULTILINE)
    nowhere = "none." in str(bodies.get(path)) or "{" in path
    assert events[-1] == ("error" if nowhere else "result")
    assert set(events[:-1]) <= {"progress"}


def test_the_events_begin_at_once_and_never_end(place: World) -> None:
    with (
        place.client() as client,
        client.stream("GET", "/v1/events", headers={"last-event-id": "other.7"}) as answer,
    ):
        lines = answer.iter_lines()
        assert next(lines).startswith(":")
        assert "event: gap" in (next(lines), next(lines), next(lines), next(lines))
