"""Each scope against each route: the page that tells it, and every request over real TCP."""

import inspect
import re
import runpy
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from whole_api import World, now, world

from skill_agent.access.confined import is_confined
from skill_agent.access.keys import PROMISES, SCOPES, KeyRing, keys_file
from skill_agent.workstation import table

DOCS = Path(__file__).parents[2] / "docs"
MAKER = runpy.run_path(str(DOCS / "make_scopes.py"))
TABLE: dict[tuple[str, str], dict[str, str]] = {
    (found[1], found[2]): dict(
        zip(SCOPES, (cell.strip() for cell in found[3].split("|")), strict=True)
    )
    for found in re.finditer(r"^\| `([A-Z]+) (/\S+)` \|(.*)\|$", MAKER["page"](), re.MULTILINE)
    if found[1] != "WEBSOCKET"
}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world(tmp_path_factory.mktemp("scopes")) as made:
        yield made


@pytest.fixture(scope="module")
def keys(place: World) -> dict[str, str]:
    """A key of each scope alone."""
    ring = KeyRing(keys_file(place.runtime.home.root), now)
    return {scope: ring.create(scope, [scope])[1] for scope in SCOPES}


def test_the_page_is_as_the_routes_are() -> None:
    written = (DOCS / "scopes.md").read_text(encoding="utf-8")
    assert written == MAKER["page"](), "run: python docs/make_scopes.py"
    for scope, promise in PROMISES.items():
        assert f"| `{scope}` | {promise} |" in written


def test_every_route_stands_in_the_table() -> None:
    strangers = {(one.route.verb, one.route.path) for one in table() if not one.route.local}
    assert strangers <= TABLE.keys()
    for cells in TABLE.values():
        assert cells["admin"] == "yes"


@pytest.mark.parametrize(("verb", "path"), sorted(TABLE))
def test_a_route_does_what_its_row_says(
    place: World, keys: dict[str, str], verb: str, path: str
) -> None:
    """Without a key nobody, without the scope nobody; with it the request is looked at."""
    named = re.sub(r"{\w+}", "nowhere", path)
    with place.client(key="") as client:
        assert client.request(verb, named, content=b"{").status_code == 401
    for scope, cell in TABLE[verb, path].items():
        with place.client(key=keys[scope]) as client:
            if (verb, path) == ("GET", "/v1/events"):
                with client.stream(verb, named) as answer:
                    status = answer.status_code
            else:
                status = client.request(verb, named, content=b"{").status_code
        if cell:
            assert status not in (401, 403), (scope, status)
        else:
            assert status == 403, (scope, status)


# -- what is a key's own -------------------------------------------------------------------------

Ask = Callable[[httpx.Client, str, str], httpx.Response]
"""A request that names a conversation and a turn of it."""


def posted(path: str, **body: Any) -> Ask:
    def ask(client: httpx.Client, session: str, turn: str) -> httpx.Response:
        said = {key: session if value == "SESSION" else value for key, value in body.items()}
        return client.post(path.format(session=session, turn=turn), json=said)

    return ask


WORDS = [{"role": "user", "content": "x"}]


def _one_more(client: httpx.Client, session: str) -> str:
    """Somebody who is there beside the one who leads."""
    client.post(f"/v1/conversations/{session}/agents", json={"add": ["ada"]})
    return "ada"


def _handed(client: httpx.Client, session: str) -> httpx.Response:
    client.post(f"/v1/conversations/{session}/agent", json={"agent": "kyra"})
    return client.post(f"/v1/conversations/{session}/handoff", json={"to": "max"})


def _returned(client: httpx.Client, session: str) -> httpx.Response:
    _handed(client, session)
    return client.post(f"/v1/conversations/{session}/return")


OWN: dict[tuple[str, str], Ask] = {
    ("POST", "/v1/turns"): posted("/v1/turns", text="x", session="SESSION"),
    ("POST", "/v1/turns/preview"): posted("/v1/turns/preview", text="x", session="SESSION"),
    ("POST", "/v1/turns/{turn}/cancel"): posted("/v1/turns/{turn}/cancel"),
    ("POST", "/v1/agents/{slug}/chat"): posted(
        "/v1/agents/kyra/chat", content="x", conversation_id="SESSION"
    ),
    ("POST", "/v1/agents/{slug}/chat/stream"): posted(
        "/v1/agents/kyra/chat/stream", content="x", conversation_id="SESSION"
    ),
    ("POST", "/v1/chat/completions"): posted(
        "/v1/chat/completions", model="kyra", messages=WORDS, conversation_id="SESSION"
    ),
    ("PATCH", "/v1/conversations/{ref}"): lambda client, session, _: client.patch(
        f"/v1/conversations/{session}", json={"title": "x"}
    ),
    ("POST", "/v1/conversations/{ref}/compact"): posted("/v1/conversations/{session}/compact"),
    ("POST", "/v1/conversations/{session_id}/agent"): posted(
        "/v1/conversations/{session}/agent", agent="kyra"
    ),
    ("POST", "/v1/conversations/{ref}/agents"): posted(
        "/v1/conversations/{session}/agents", add=["luke", "ada"]
    ),
    ("DELETE", "/v1/conversations/{ref}/agents/{slug}"): lambda client, session, _: client.delete(
        f"/v1/conversations/{session}/agents/{_one_more(client, session)}"
    ),
    ("POST", "/v1/conversations/{ref}/handoff"): lambda client, session, _: _handed(
        client, session
    ),
    ("POST", "/v1/conversations/{ref}/return"): lambda client, session, _: _returned(
        client, session
    ),
    ("POST", "/v1/conversations/{ref}/branch"): posted("/v1/conversations/{session}/branch"),
    ("POST", "/v1/conversations/{ref}/pin"): posted("/v1/conversations/{session}/pin"),
    ("POST", "/v1/conversations/{ref}/archive"): posted(
        "/v1/conversations/{session}/archive", archived=False
    ),
    ("DELETE", "/v1/conversations/{ref}"): lambda client, session, _: client.delete(
        f"/v1/conversations/{session}"
    ),
}
"""The last one takes the conversation away. Questions of turns are asked in `test_confined`."""


@pytest.mark.parametrize("extra", [(), ("read",)])
@pytest.mark.parametrize(("verb", "path"), list(OWN))
def test_what_is_a_keys_own_is_nobody_elses(
    place: World, verb: str, path: str, extra: tuple[str, ...]
) -> None:
    """`read` opens conversations and no turn."""
    (needed,) = (scope for scope, cell in TABLE[verb, path].items() if cell == "own")
    ring = KeyRing(keys_file(place.runtime.home.root), now)
    plain = [ring.create(name, ["chat", needed, *extra])[1] for name in ("one", "other")]
    with place.client(key=plain[0]) as one, place.client(key=plain[1]) as other:
        begun = one.post("/v1/agents/kyra/chat", json={"content": "hello"}).json()
        mine = begun["conversation_id"], begun["turn"]
        opened = bool(extra) and "{turn}" not in path
        refused = OWN[verb, path](other, *mine)
        if not opened:
            assert refused.status_code in (403, 404), refused.text
            owners = OWN[verb, path](one, place.session, place.turn)
            assert owners.status_code in (403, 404), owners.text
        else:
            assert refused.status_code < 300, refused.text
        if verb == "DELETE" and opened:
            return
        allowed = OWN[verb, path](one, *mine)
        assert allowed.status_code < 300, allowed.text


def test_nothing_of_a_keys_own_is_left_out() -> None:
    """An operation that reaches only what is a key's own is tried above, or only reads."""
    own = {row for row, cells in TABLE.items() if "own" in cells.values()}
    # What a turn asks, and tasks, are tried in test_confined.py.
    asked = {("GET", "/v1/approvals"), ("POST", "/v1/approvals/{approval}")}
    asked |= {("GET", "/v1/hitl"), ("GET", "/v1/hitl/{question}"), ("POST", "/v1/hitl/{question}")}
    asked |= {("POST", "/v1/delegations")}
    asked |= {("POST", f"/v1/delegations/{{task}}/{one}") for one in ("cancel", "retry", "tell")}
    # Several agents at once are tried in tests/team (test_sessions_start, test_strategies).
    together = "/v1/collaborations"
    asked |= {("POST", together), ("POST", f"{together}/plan")}
    asked |= {("POST", f"{together}/{{collaboration}}/{one}") for one in ("cancel", "resume")}
    asked |= {("POST", "/v1/ask-several"), ("POST", "/v1/ask-several/plan")}
    assert own - set(OWN) == asked
    confined = {one.id for one in table() if is_confined(one)}
    by_id = {one.id: one.route for one in table()}
    # With `admin` it is noted whose it is, and nothing else.
    noted = {"jobs.add", "work.start"}
    assert {one for one in confined if by_id[one].scope == "admin"} == noted
    assert {by_id[one].scope for one in confined - noted} == {"chat", "memory", "read"}


def test_who_may_talk_and_names_something_is_confined() -> None:
    """A new operation for talking that names a conversation or a turn has to be thought of."""
    for one in table():
        named = set(re.findall(r"{(\w+)}", one.route.path))
        if one.route.scope == "chat" and named & {
            "ref",
            "session_id",
            "turn",
            "approval",
            "question",
        }:
            assert is_confined(one), one.id


def test_no_request_says_who_asks() -> None:
    """A parameter with a route comes from whoever calls; who that is, the door knows."""
    told = [
        one.id
        for one in table()
        if {"requester", "asker", "by_key"} & {*inspect.signature(one.function).parameters}
    ]
    assert told == []
