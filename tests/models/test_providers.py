"""Finding what the machine could use, without spending a token."""

import pytest
from http_fake import Fail, Say, provider

from skill_agent.models.providers import (
    detect_providers,
    key_variable,
    ollama_base,
)
from skill_agent.models.wire.proxies import is_loopback
from skill_agent.settings.schema import ModelSettings, Settings

NO_OLLAMA = {"OLLAMA_HOST": "127.0.0.1:9"}


def test_keys_in_the_environment_are_found_without_asking() -> None:
    (found,) = detect_providers({"ANTHROPIC_API_KEY": "k", **NO_OLLAMA})
    assert (found.name, found.state) == ("anthropic", "ready")
    assert found.model.startswith("anthropic/")
    assert found.label == "Anthropic (ANTHROPIC_API_KEY is set)"
    assert "k" not in found.detail.split()


def test_nothing_is_found_where_nothing_is() -> None:
    assert detect_providers(NO_OLLAMA) == []


def test_a_running_ollama_tells_its_models() -> None:
    with provider(Say()) as server:
        (found,) = detect_providers({"OLLAMA_HOST": server.base.removesuffix("/v1")})
    assert (found.name, found.model) == ("ollama", "ollama/tiny:latest")


def test_asking_tells_a_refused_key_from_a_silent_host() -> None:
    with provider(Fail(401)) as server:
        here = Settings(models=ModelSettings(api_base={"openai": server.base}))
        (found,) = detect_providers({"OPENAI_API_KEY": "k", **NO_OLLAMA}, here, ask=True)
        assert found.state == "ready"
    (gone,) = detect_providers({"OPENAI_API_KEY": "k", **NO_OLLAMA}, here, ask=True)
    assert gone.state == "unreachable"


@pytest.mark.parametrize(
    ("environ", "base"),
    [
        ({}, "http://127.0.0.1:11434"),
        ({"OLLAMA_HOST": "0.0.0.0:1234"}, "http://127.0.0.1:1234"),
        ({"OLLAMA_API_BASE": "http://box:1/"}, "http://box:1"),
    ],
)
def test_where_ollama_listens(environ: dict[str, str], base: str) -> None:
    assert ollama_base(None, environ) == base


def test_key_variables() -> None:
    assert key_variable("gemini") == "GEMINI_API_KEY"
    assert key_variable("cohere") == "COHERE_API_KEY"


@pytest.mark.parametrize(
    ("base", "here"),
    [
        ("http://127.0.0.1:11434", True),
        ("http://localhost:11434/v1", True),
        ("http://[::1]:80", True),
        ("http://127.9.9.9", True),
        ("http://192.168.1.5:11434", False),
        ("https://localhost.example.org", False),
        ("http://127.0.0.1@example.org", False),
        ("", False),
        ("no address", False),
    ],
)
def test_which_addresses_are_this_machine(base: str, here: bool) -> None:
    assert is_loopback(base) is here
