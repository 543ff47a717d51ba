"""What one can choose from: which models could answer now, and what is in the way of the others."""

from typing import Any

import pytest

from skill_agent.errors import ModelUnavailable
from skill_agent.files.home import Home
from skill_agent.models.gateway import Gateway
from skill_agent.models.money.prices import Price
from skill_agent.models.offers import NO_OLLAMA, offers_of, priced
from skill_agent.settings.schema import ModelSettings, Settings
from skill_agent.values import ModelInfo


def model(name: str, **more: Any) -> ModelInfo:
    return ModelInfo(name=name, provider=name.partition("/")[0], **more)


def check(name: str) -> None:
    if "refused" in name:
        raise ModelUnavailable("there is no key", hint="export KEY")


def test_each_model_stands_once_with_what_is_in_its_way() -> None:
    here = [model("embedded/a"), model("embedded/missing", installed=False), model("ollama/c")]
    found = offers_of(here, None, [model("openai/x")], check=check)
    assert [(one.id, one.place, one.problem, one.fix) for one in found][:2] == [
        ("embedded/a", "embedded", "", ""),
        ("embedded/missing", "embedded", "not installed", "ska models pull missing"),
    ]
    assert (found[2].place, found[2].problem) == ("ollama", NO_OLLAMA)
    (refused,) = offers_of([model("x/refused")], None, [], check=check)
    assert (refused.problem, refused.fix) == ("there is no key", "export KEY")
    assert [one.id for one in found] == ["embedded/a", "embedded/missing", "ollama/c", "openai/x"]


def test_what_ollama_has_is_told_with_its_size() -> None:
    listed = [model("ollama/c"), model("ollama/gone")]
    found = offers_of(listed, [model("ollama/c", size_bytes=7)], [], check=check)
    assert [(one.id, one.fix, one.model.size_bytes) for one in found] == [
        ("ollama/c", "", 7),
        ("ollama/gone", "ollama pull gone", 0),
    ]


def test_a_price_is_for_a_million_tokens() -> None:
    (offer,) = offers_of([model("openai/x")], None, [], check=check)
    told = priced(offer, Price(prompt=2e-6, completion=8e-6))
    assert (told.prompt_usd, told.completion_usd) == (2.0, 8.0)
    assert priced(offer, None).prompt_usd is None


async def test_a_key_that_is_missing_is_named(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.setenv("GROQ_API_KEY", "k")
    settings = Settings(models=ModelSettings(api_base={"ollama": "http://127.0.0.1:1"}))
    gateway = Gateway(settings, Home(tmp_path_factory.mktemp("home")))
    found = {one.id: one for one in await gateway.offers()}
    assert "OPENAI_API_KEY is not set" in found["openai/gpt-4o-mini"].problem
    assert found["groq/llama-3.3-70b-versatile"].problem == ""
    default = found[settings.models.default if "/" in settings.models.default else "x"]
    assert default.fix.startswith("ska models pull ")
    assert all(one.model.kind == "chat" for one in found.values())
