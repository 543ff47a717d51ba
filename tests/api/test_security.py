"""Who may not, may not: every operation over real TCP, and the files of a home beside it."""

import base64
import http.client
import json
import os
import re
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect
from whole_api import World, now, world

from skill_agent.access.keys import SCOPES, KeyRing, keys_file
from skill_agent.access.tokens import signing_file
from skill_agent.api.app import BY_HAND
from skill_agent.api.door.limiting import PER_MINUTE
from skill_agent.workstation import table

OPERATIONS = [(one.route.verb, one.route.path, one.route.scope) for one in table()]
LOCAL = {(one.route.verb, one.route.path) for one in table() if one.route.local}
STRANGERS = [one for one in OPERATIONS if one[:2] not in LOCAL]
STRANGERS += [(one.verb, one.path, one.scope) for one in BY_HAND]
PARAMETERS = [
    (verb, path, name) for verb, path, _ in STRANGERS for name in re.findall(r"{(\w+)}", path)
]
CLIMBING = (
    "..", "../../etc/passwd", "%2e%2e", "..%2f..%2fetc%2fpasswd", "%2e%2e%2f%2e%2e%2fagents.toml",
    "%252e%252e%252f", "..%5c..%5c", "%00", "kyra%00", "~", "%2fetc%2fpasswd",
)  # fmt: skip
SECRET_WORDS = "my umbrella is chartreuse"


@pytest.fixture(scope="module")
def place() -> Iterator[World]:
    """In a folder others may enter, so that only the home's own modes keep them out."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        with world(Path(folder)) as made:
            yield made


@pytest.fixture(scope="module")
def ring(place: World) -> KeyRing:
    return KeyRing(keys_file(place.runtime.home.root), now)


@pytest.fixture(scope="module")
def bad_keys(ring: KeyRing) -> dict[str, str]:
    _, expired = ring.create("old", SCOPES, timedelta(microseconds=1))
    gone, revoked = ring.create("gone", SCOPES)
    ring.revoke(gone.id)
    return {"wrong": "ska_" + "0" * 64, "no key": "x", "expired": expired, "revoked": revoked}


@pytest.fixture(scope="module")
def lacking(ring: KeyRing) -> dict[str, str]:
    """By scope, a key that has every other one; `admin` has them all."""
    others = ("read", "chat", "memory")
    return {
        scope: ring.create(f"not-{scope}", [one for one in others if one != scope])[1]
        for scope in SCOPES
    }


def spelled(path: str) -> str:
    return re.sub(r"{\w+}", "kyra", path)


def refused(answer: httpx.Response, status: int, place: World) -> dict[str, Any]:
    """Checks the shape of a refusal and that nothing internal leaves with it."""
    assert answer.status_code == status, answer.text
    told = answer.json()
    if isinstance(told["error"], dict):  # as OpenAI's clients read it
        assert set(told["error"]) == {"message", "type", "param", "code"}, told
        told = {**told["error"], "error": told["error"]["code"]}
    else:
        assert set(told) == {"error", "message", "details", "request_id"}, told
        assert told["request_id"] == answer.headers["x-request-id"]
    assert int(answer.headers["x-ratelimit-limit"]) > 0
    assert {"x-ratelimit-remaining", "x-ratelimit-reset"} <= set(answer.headers)
    for inside in ("Traceback", ".py", str(place.folder), "site-packages", place.key):
        assert inside not in answer.text
    return told


@pytest.mark.parametrize(("verb", "path", "scope"), STRANGERS)
def test_nobody_gets_in_without_the_scope(
    place: World, bad_keys: dict[str, str], lacking: dict[str, str], verb: str, path: str,
    scope: str,
) -> None:  # fmt: skip
    """What is no JSON shows that nothing of the body was read."""
    with place.client(key="") as client:
        refused(client.request(verb, spelled(path), content=b"{"), 401, place)
        for name, key in bad_keys.items():
            headers = {"Authorization": f"Bearer {key}"}
            answer = client.request(verb, spelled(path), content=b"{", headers=headers)
            told = refused(answer, 401, place)
            if name in ("expired", "revoked"):
                assert name in told["message"]
        headers = {"X-API-Key": lacking[scope]}
        told = refused(
            client.request(verb, spelled(path), content=b"{", headers=headers), 403, place
        )
        assert told.get("details", {"scope": scope})["scope"] == scope
        assert f'"{scope}"' in told["message"]


@pytest.mark.parametrize(("verb", "path"), sorted(LOCAL))
def test_what_is_local_is_not_there_over_tcp(
    place: World, ring: KeyRing, verb: str, path: str
) -> None:
    with place.client() as client:
        answer = client.request(verb, spelled(path), json={})
        refused(answer, 405 if answer.status_code == 405 else 404, place)
        assert answer.status_code == 404 or path in (
            "/v1/agents/export",
            "/v1/imports",
            "/v1/work/here",
        )
    with httpx.Client(base_url=place.door, timeout=30) as client:
        headers = {"Authorization": f"Bearer {ring.create('local', SCOPES)[1]}"}
        assert client.request(verb, spelled(path), json={}, headers=headers).status_code in (
            404,
            405,
        )


@pytest.mark.parametrize(("verb", "path", "name"), PARAMETERS)
def test_no_path_climbs(place: World, verb: str, path: str, name: str) -> None:
    at = urlsplit(place.tcp)
    connection = http.client.HTTPConnection(at.hostname or "", at.port, timeout=30)
    headers = {"Authorization": f"Bearer {place.key}", "Content-Type": "application/json"}
    for climbing in CLIMBING:
        asked = spelled(path.replace(f"{{{name}}}", climbing))
        connection.putrequest(verb, asked, skip_accept_encoding=True)
        body = b'{"content": "x", "status": "active", "title": "x", "new_slug": "y"}'
        for header, value in {**headers, "Content-Length": str(len(body))}.items():
            connection.putheader(header, value)
        connection.endheaders(body)
        answer = connection.getresponse()
        text = answer.read()
        assert (
            answer.status in (400, 404, 405, 422)
            or text in (b"false", b"")
            or (answer.status == 200 and b'"items":[]' in text)
        ), (asked, answer.status, text)
        assert b"root:" not in text
        assert str(place.folder).encode() not in text
    connection.close()


def test_ids_of_another_form(place: World) -> None:
    with place.client() as client:
        for id_ in (place.session, place.turn, place.reply, "0" * 36, "x", place.memory[:5] + "%"):
            refused(client.get(f"/v1/memories/{id_}"), 404, place)
            refused(client.post(f"/v1/memories/{id_}/pin"), 404, place)
        for id_ in (place.memory, place.reply, "0" * 36):
            refused(client.get("/v1/find/conversation", params={"ref": id_}), 404, place)
            refused(client.request("DELETE", f"/v1/conversations/{id_}"), 404, place)
            refused(client.get(f"/v1/turns/{id_}"), 404, place)
        refused(client.post("/v1/extractions/x/retry"), 404, place)
        refused(client.get("/v1/agents/nobody"), 404, place)
        bad = client.post("/v1/feedback", json={"ref": place.memory, "rating": "up"})
        refused(bad, 404, place)


def test_mistakes_in_our_files_are_told_without_their_folder(place: World) -> None:
    with place.client() as client:
        told = refused(
            client.post("/v1/agents", json={"slug": "new", "fields": {"nmae": "x"}}), 422, place
        )
        assert "agents.toml" in told["message"]
    with place.client(own=True) as client:
        answer = client.post("/v1/agents", json={"slug": "new", "fields": {"nmae": "x"}})
        assert str(place.folder) in answer.text


def test_tokens_that_were_touched(place: World, ring: KeyRing) -> None:
    _, key = ring.create("reader", ["read"])
    with place.client(key=key) as client:
        token = client.post("/v1/auth/token", json={}).json()["access_token"]
    with place.client(key=token) as client:
        assert client.get("/v1/home").status_code == 200
        refused(client.post("/v1/memories", json={"content": "x"}), 403, place)
    head, claims, signature = token.split(".")
    more = json.loads(base64.urlsafe_b64decode(claims + "=="))
    for name in more:
        if more[name] == "read" or more[name] == ["read"]:
            more[name] = "admin" if isinstance(more[name], str) else ["admin"]
    wider = base64.urlsafe_b64encode(json.dumps(more).encode()).decode().rstrip("=")
    none = base64.urlsafe_b64encode(b'{"alg":"none","typ":"JWT"}').decode().rstrip("=")
    for forged in (
        f"{head}.{wider}.{signature}", f"{none}.{claims}.", f"{none}.{wider}.{signature}",
        f"{head}.{claims}.", f"{head}.{claims}.{signature[:-4]}AAAA", f"{head}.{claims}",
        token + "x",
    ):  # fmt: skip
        with place.client(key=forged) as client:
            refused(client.get("/v1/home"), 401, place)


def test_a_key_in_the_query_or_a_cookie_is_no_key(place: World) -> None:
    with place.client(key="") as client:
        for name in ("key", "api_key", "apikey", "access_token", "token", "Authorization"):
            refused(client.get("/v1/home", params={name: place.key}), 401, place)
        refused(client.get("/v1/home", headers={"Cookie": f"key={place.key}"}), 401, place)


def test_no_page_elsewhere_is_invited(place: World) -> None:
    page = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
    for url in (place.tcp, place.door):
        with httpx.Client(base_url=url) as client:
            answer = client.options("/v1/memories", headers=page)
            assert answer.status_code in (401, 405)
            assert not [one for one in answer.headers if one.startswith("access-control")]


def test_without_authentication_only_under_its_own_name(place: World) -> None:
    address = place.run(place.runtime.host.listen("127.0.0.1", 0, auth=False))
    try:
        with httpx.Client(base_url=f"http://{address}") as client:
            assert client.get("/v1/home").status_code == 200
            for host in ("evil.example", "127.0.0.1.evil.example", "localhost.evil.example:80"):
                refused(client.get("/v1/home", headers={"Host": host}), 421, place)
            page = {"Origin": "https://evil.example"}
            refused(client.post("/v1/memories", json={"content": "x"}, headers=page), 403, place)
            refused(client.get("/v1/host"), 404, place)
        with pytest.raises(InvalidStatus):
            connect(f"ws://{address}/v1/ws/kyra", origin="https://evil.example")  # type: ignore[arg-type]
    finally:
        place.run(place.runtime.host.unlisten(address))


def test_a_websocket_needs_a_key(place: World, bad_keys: dict[str, str]) -> None:
    for url in (place.door, place.tcp):
        for key in (None, bad_keys["revoked"]):
            given = {"Authorization": f"Bearer {key}"} if key else {}
            with pytest.raises(InvalidStatus) as caught:
                connect(url.replace("http", "ws") + "/v1/ws/kyra", additional_headers=given)
            assert caught.value.response.status_code in (401, 403, 429)


def test_bodies_too_long_and_no_json(place: World) -> None:
    with place.client() as client:
        refused(client.post("/v1/memories", content=b"x" * (10 * 2**20 + 1)), 413, place)

        def pieces() -> Iterator[bytes]:
            for _ in range(170):
                yield b" " * 65_536

        refused(client.post("/v1/memories", content=pieces()), 413, place)
        kind = {"Content-Type": "application/json"}
        for raw in (b"{", b"\xff", b"nonsense", b"[" * 100_000):
            refused(client.post("/v1/memories", content=raw, headers=kind), 400, place)


def test_so_many_and_no_more(place: World, ring: KeyRing) -> None:
    _, key = ring.create("chatty", ["chat"])
    with httpx.Client(base_url=place.door, headers={"X-API-Key": key}, timeout=30) as client:
        for left in reversed(range(PER_MINUTE["chat"])):
            answer = client.post("/v1/turns", json={"text": " "})
            assert answer.status_code == 422
            assert int(answer.headers["x-ratelimit-remaining"]) == left
        answer = client.post("/v1/turns", json={"text": " "})
        told = refused(answer, 429, place)
        assert 1 <= int(answer.headers["retry-after"]) <= 60
        assert told["details"]["retry_after"] == int(answer.headers["retry-after"])


def test_the_log_holds_no_secret(place: World, bad_keys: dict[str, str]) -> None:
    with place.client() as client:
        chat = client.post("/v1/agents/kyra/chat", json={"content": SECRET_WORDS})
        assert chat.status_code == 200
        client.get("/v1/messages", params={"text": SECRET_WORDS, "key": place.key})
        client.get("/v1/home", headers={"Authorization": f"Bearer {bad_keys['wrong']}"})
    logs = [one.read_text() for one in place.runtime.home.logs.iterdir()]
    for secret in (place.key, *(one for one in bad_keys.values() if len(one) > 9), SECRET_WORDS):
        assert not any(secret in one for one in logs)
    kept = keys_file(place.runtime.home.root).read_text()
    assert place.key not in kept


# -- the files ---------------------------------------------------------------------------------


def private(place: World) -> list[Path]:
    home = place.runtime.home
    found = [keys_file(home.root), home.lock, home.lock.with_name(home.lock.name + ".json")]
    if signing_file(home.root).exists():
        found.append(signing_file(home.root))
    return found


def own_socket(place: World) -> Path:
    return Path(place.run(place.runtime.host.status()).socket)


def test_modes(place: World) -> None:
    socket = own_socket(place)
    assert stat.S_ISSOCK(socket.lstat().st_mode)
    assert stat.S_IMODE(socket.lstat().st_mode) == 0o600
    assert stat.S_IMODE(socket.parent.stat().st_mode) == 0o700
    assert stat.S_IMODE(place.runtime.home.root.stat().st_mode) == 0o700
    for file in private(place):
        assert stat.S_IMODE(file.stat().st_mode) & 0o077 == 0, file


_INTRUDER = """
import os, socket, sys
who, *files = sys.argv[1:]
os.setgroups([])
os.setgid(65534)
os.setuid(65534)
for file in files:
    try:
        open(file).read()
    except PermissionError:
        continue
    print("read", file)
try:
    with socket.socket(socket.AF_UNIX) as one:
        one.connect(who)
    print("connected")
except PermissionError:
    pass
"""


@pytest.mark.parametrize("open_folders", [False, True])
def test_another_user_sees_nothing(place: World, open_folders: bool) -> None:
    """Also where somebody opened the folders: the files and the socket have modes of their own."""
    if os.getuid() != 0:
        pytest.skip("only root can become somebody else")
    folders = [place.runtime.home.root, own_socket(place).parent] if open_folders else []
    for folder in folders:
        folder.chmod(0o755)
    try:
        arguments = [str(own_socket(place)), *map(str, private(place))]
        done = subprocess.run(
            [sys.executable, "-I", "-S", "-c", _INTRUDER, *arguments],
            cwd="/", check=True, capture_output=True, text=True,
        )  # fmt: skip
    finally:
        for folder in folders:
            folder.chmod(0o700)
    assert (done.stdout, done.stderr) == ("", "")
