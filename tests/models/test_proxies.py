"""Proxies of the environment: never before this machine's own addresses, named where one fails."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest
from http_fake import END, Raw, Say, delta, provider
from listening import listen, user
from ollama_server import SHOWN, ollama

from skill_agent.errors import ModelUnavailable
from skill_agent.models.files.hub import SourceFailed, asked, unreachable
from skill_agent.models.providers import detect_providers, ollama_models
from skill_agent.models.remote import RemoteModel
from skill_agent.models.remote_facts import ollama_probe
from skill_agent.models.wire.proxies import client, is_loopback, proxy_for, through
from skill_agent.ports import ModelRequest
from skill_agent.settings.schema import ModelSettings, Settings
from skill_agent.values import ModelInfo

ASK = ModelRequest(messages=(user("hi"),), max_tokens=9)
NAMES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")
SETTINGS = [
    {"HTTP_PROXY": "http://127.0.0.1:9"},
    {"http_proxy": "127.0.0.1:9"},
    {"ALL_PROXY": "http://127.0.0.1:9"},
    {"ALL_PROXY": "socks5h://127.0.0.1:9"},
    {"HTTP_PROXY": "socks5://127.0.0.1:9", "NO_PROXY": "example.com"},
    {"HTTP_PROXY": "gopher://127.0.0.1:9"},
    {"HTTP_PROXY": "http://127.0.0.1:9", "NO_PROXY": ""},
]
FAR = "http://model.invalid:8080/v1"


@pytest.fixture(autouse=True)
def _no_proxy_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


def use(monkeypatch: pytest.MonkeyPatch, settings: dict[str, str]) -> None:
    for name, value in settings.items():
        monkeypatch.setenv(name, value)


def model(base: str, name: str = "openai/m") -> RemoteModel:
    info = ModelInfo(name=name, provider=name.partition("/")[0])
    return RemoteModel(info, timeout_s=10.0, base=base)


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
@pytest.mark.parametrize("name", ["openai/m", "anthropic/claude-sonnet-4-5"])
async def test_a_server_on_this_machine_is_asked_itself(
    name: str, settings: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    use(monkeypatch, settings)
    with provider(Say(("Hel", "lo"))) as server:
        base = server.base.removesuffix("/v1") if "claude" in name else server.base
        for address in (base, base.replace("127.0.0.1", "localhost")):
            assert (await listen(model(address, name), ASK)).text == "Hello"


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_so_it_is_before_a_model_is_chosen(
    settings: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    use(monkeypatch, settings)
    with ollama(SHOWN, []) as base:
        assert ollama_models(base)
        assert ollama_probe(base, "ollama/big:7b") is not None
    with provider(Say()) as server:
        here = Settings(models=ModelSettings(api_base={"openai": server.base}))
        (found,) = detect_providers({"OLLAMA_HOST": "127.0.0.1:9"}, here, ask=True)
        assert (found.state, found.detail) == ("ready", f"{server.base} answers")
        assert asked(f"{server.base}/file", patience_s=5.0).size
        assert unreachable(server.base, 5.0) == ""


@pytest.mark.parametrize(
    ("url", "here"),
    [
        ("http://127.0.0.1:11434", True),
        ("http://127.8.9.1", True),
        ("http://127.1:80/v1", True),
        ("http://localhost/v1", True),
        ("http://LOCALHOST.:1/v1", True),
        ("http://models.localhost", True),
        ("https://[::1]:8443/v1", True),
        ("http://[::ffff:127.0.0.1]:1", True),
        ("http://[::ffff:7f00:1]", True),
        ("http://0.0.0.0:8000", True),
        ("http://10.0.0.1", False),
        ("http://[::ffff:10.0.0.1]", False),
        ("https://localhost.example.com", False),
        ("https://127.0.0.1.example.com", False),
        ("http://user@example.com", False),
        ("http://[::1", False),
        ("", False),
    ],
)
def test_which_addresses_are_this_machines(
    url: str, here: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALL_PROXY", "http://proxy.invalid:3128")
    assert is_loopback(url) is here
    assert bool(proxy_for(url)) is (not here and "//" in url and "[::1" not in url)


@pytest.mark.parametrize(
    ("settings", "url", "proxy"),
    [
        ({"HTTPS_PROXY": "http://p:1"}, "https://a.example/v1", "http://p:1"),
        ({"HTTPS_PROXY": "http://p:1"}, "http://a.example/v1", ""),
        ({"https_proxy": "p:1"}, "https://a.example/v1", "http://p:1"),
        ({"ALL_PROXY": "socks5://p:1"}, "https://a.example/v1", "socks5://p:1"),
        ({"ALL_PROXY": "http://p:1", "HTTPS_PROXY": "http://q:1"}, "https://a.example", "http://q:1"),
        ({"ALL_PROXY": "http://p:1", "NO_PROXY": ".example"}, "https://a.example/v1", ""),
        ({"ALL_PROXY": "http://p:1", "NO_PROXY": "*"}, "https://a.example/v1", ""),
    ],
)  # fmt: skip
def test_which_proxy_stands_before_an_address(
    settings: dict[str, str], url: str, proxy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(monkeypatch, settings)
    assert proxy_for(url) == proxy


@pytest.mark.parametrize("password", ["", "ada:hunter2hunter2@"])
async def test_a_proxy_that_fails_is_named_without_its_password(
    password: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", f"http://{password}127.0.0.1:9")
    with pytest.raises(ModelUnavailable) as caught:
        await listen(model(FAR), ASK)
    assert "through the proxy http://127.0.0.1:9" in caught.value.message
    assert "hunter2" not in f"{caught.value.message} {caught.value.hint}"
    with pytest.raises(SourceFailed, match="through the proxy http://127"):
        asked(FAR, patience_s=5.0)
    here = Settings(models=ModelSettings(api_base={"openai": FAR}))
    (found,) = detect_providers({"OLLAMA_HOST": "127.0.0.1:9"}, here, ask=True)
    assert "through the proxy http://127.0.0.1:9" in found.detail


@pytest.mark.parametrize(
    ("proxy", "why"), [("socks5h://127.0.0.1:9", "socksio"), ("gopher://127.0.0.1:9", "gopher")]
)
async def test_a_proxy_that_cannot_be_used_says_why(
    proxy: str, why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALL_PROXY", proxy)
    with pytest.raises(ModelUnavailable, match=why) as caught:
        await listen(model(FAR), ASK)
    assert through(FAR).strip() in caught.value.message
    with pytest.raises(httpx.ProxyError, match=why):
        client(FAR)
    assert ollama_models(FAR) is None


async def test_what_a_proxy_serves_still_comes_through_it(monkeypatch: pytest.MonkeyPatch) -> None:
    with provider(Raw((delta(content="Hello."), END))) as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.base.removesuffix("/v1"))
        assert (await listen(model(FAR), ASK)).text == "Hello."


async def test_a_proxy_that_wants_a_name_is_said_to(monkeypatch: pytest.MonkeyPatch) -> None:
    with provider(Raw((b"<html><title>Who are you?</title>",), status=407)) as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.base.removesuffix("/v1"))
        with pytest.raises(ModelUnavailable, match="407") as caught:
            await listen(model(FAR), ASK)
    assert "through the proxy" in caught.value.message


@contextmanager
def silent() -> Iterator[str]:
    """A proxy that connects and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


async def test_a_proxy_that_says_nothing_is_named_too(monkeypatch: pytest.MonkeyPatch) -> None:
    with silent() as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy)
        slow = RemoteModel(ModelInfo(name="openai/m", provider="openai"), timeout_s=0.5, base=FAR)
        with pytest.raises(ModelUnavailable, match="in time") as caught:
            await listen(slow, ASK)
    assert proxy in caught.value.message
