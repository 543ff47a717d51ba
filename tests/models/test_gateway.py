"""Names, roles and the fallback chain, over real HTTP where a provider is meant."""

import subprocess
import sys
from pathlib import Path

import pytest
from http_fake import Fail, Hang, Say, provider
from listening import listen, user
from model_files import smollm2_settings

from skill_agent.errors import ModelRejected, ModelUnavailable, NotFound
from skill_agent.files.home import Home
from skill_agent.models.fallback import FallbackModel
from skill_agent.models.gateway import Gateway
from skill_agent.models.scripted import ScriptedModel
from skill_agent.ports import ChatMessage, ModelRequest, StatusPart
from skill_agent.settings.schema import ModelSettings, RoleSettings, Settings
from skill_agent.values import Image, ModelProfile, ToolCall

ASK = ModelRequest(messages=(user("hi"),), max_tokens=9)


def chained(*bases: str, home: Path, timeout_s: float = 1.0) -> Gateway:
    """A gateway whose default is at the first base and falls back to the others."""
    names = ("openai", "mistral", "groq")
    models = [f"{name}/m" for name in names[: len(bases)]]
    return Gateway(
        smollm2_settings(
            default=models[0],
            fallback=tuple(models[1:]),
            timeout_s=timeout_s,
            api_base=dict(zip(names, bases, strict=False)),
        ),
        Home(home),
    )


@pytest.mark.parametrize(
    "failure", [Fail(503), Fail(500), Fail(429, {"retry-after": "60"}), Hang()], ids=repr
)
async def test_the_next_model_serves_when_one_cannot(failure: Fail | Hang, tmp_path: Path) -> None:
    with provider(failure) as broken, provider(Say(("fine",))) as good:
        gateway = chained(broken.base, good.base, home=tmp_path)
        heard = await listen(await gateway.model("default"), ASK)
        await gateway.close()
    assert heard.text == "fine"
    assert heard.end.usage.model == "mistral/m"
    assert "falling back to mistral/m" in heard.status[-1]


@pytest.mark.parametrize("status", [400, 401, 403, 404])
async def test_a_refused_request_is_never_taken_elsewhere(status: int, tmp_path: Path) -> None:
    with provider(Fail(status)) as refusing, provider(Say()) as good:
        gateway = chained(refusing.base, good.base, home=tmp_path)
        with pytest.raises(ModelRejected):
            await listen(await gateway.model("default"), ASK)
        await gateway.close()
    assert good.bodies == []


async def test_no_fallback_once_something_was_said(tmp_path: Path) -> None:
    with provider(Say(("a", "b", "c"), drop_after=2)) as broken, provider(Say()) as good:
        gateway = chained(broken.base, good.base, home=tmp_path)
        with pytest.raises(ModelUnavailable):
            await listen(await gateway.model("default"), ASK)
        await gateway.close()
    assert good.bodies == []


async def test_when_all_fail_every_reason_is_told(tmp_path: Path) -> None:
    with provider(Fail(503, message="first")) as one, provider(Fail(500, message="second")) as two:
        gateway = chained(one.base, two.base, home=tmp_path)
        with pytest.raises(ModelUnavailable, match=r"first.*second"):
            await listen(await gateway.model("default"), ASK)
        await gateway.close()


async def test_an_embedded_model_that_is_missing_falls_back(tmp_path: Path) -> None:
    with provider(Say(("remote",))) as good:
        settings = smollm2_settings(fallback=("openai/m",), api_base={"openai": good.base})
        gateway = Gateway(settings, Home(tmp_path))
        heard = await listen(await gateway.model("default"), ASK)
        await gateway.close()
    assert heard.text == "remote"
    assert "not installed" in heard.status[-1]


async def test_a_call_counts_as_said() -> None:
    call = ToolCall(id="1", name="x", arguments={})
    first = ScriptedModel([[call, ModelUnavailable("gone")]])
    other = ScriptedModel(["no"])
    with pytest.raises(ModelUnavailable, match="gone"):
        await listen(FallbackModel([first, other]), ASK)
    assert other.requests == []


async def test_status_does_not_count_as_said() -> None:
    first = ScriptedModel([[StatusPart(text="loading"), ModelUnavailable("gone")]])
    assert (await listen(FallbackModel([first, ScriptedModel(["yes"])]), ASK)).text == "yes"


async def test_what_is_shown_goes_to_a_model_that_sees() -> None:
    gif = Image(data="R0lGODlh", media_type="image/gif")
    shown = ChatMessage(role="user", content="what is it?", images=(gif,))
    blind, other = ScriptedModel(["?"]), ScriptedModel(["?"], name="scripted/other")
    seeing = ScriptedModel(["A cat."], profile=ModelProfile(vision=True))
    chain = FallbackModel([blind, other, seeing])
    assert (await listen(chain, ModelRequest(messages=(shown,)))).text == "A cat."
    assert blind.requests == other.requests == []
    later = ModelRequest(messages=(shown, ChatMessage(role="user", content="and now?")))
    assert (await listen(chain, later)).text == "?"
    with pytest.raises(ModelUnavailable, match="scripted/other reads no images"):
        await listen(FallbackModel([blind, other]), ModelRequest(messages=(shown,)))


async def test_roles_and_default_find_their_models(tmp_path: Path) -> None:
    roles = RoleSettings(fast="openai/small")
    gateway = Gateway(smollm2_settings(roles=roles), Home(tmp_path))
    names = {
        asked: (await gateway.model(asked)).info.name
        for asked in ("default", "fast", "powerful", "groq/x", "embedded/smollm2-135m")
    }
    assert names == {
        "default": "embedded/smollm2-135m",
        "fast": "openai/small",
        "powerful": "embedded/smollm2-135m",
        "groq/x": "groq/x",
        "embedded/smollm2-135m": "embedded/smollm2-135m",
    }
    assert (await gateway.model("default", prefer="fast")).info.name == "openai/small"
    assert (await gateway.model("groq/x", prefer="powerful")).info.name == "groq/x"
    assert await gateway.model("default") is await gateway.model("embedded/smollm2-135m")


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("embedded/smollm2-135", "smollm2-135m"),
        ("qwen2.5-coder", "qwen2.5-coder-1.5b"),
        ("embedded/all-minilm-l6-v2", "models list"),
        ("embedded/../secret", "models list"),
    ],
)
async def test_unknown_embedded_names_name_the_nearest(
    name: str, hint: str, tmp_path: Path
) -> None:
    with pytest.raises(NotFound) as caught:
        await Gateway(smollm2_settings(), Home(tmp_path)).model(name)
    assert hint in caught.value.hint


def test_the_catalogue_tells_what_is_here(model_home: Home) -> None:
    (model_home.models / "mine.gguf").write_bytes(b"GGUF")
    settings = smollm2_settings(fallback=("openai/gpt-4o-mini",))
    found = {one.name: one for one in Gateway(settings, model_home).catalogue()}
    assert found["embedded/smollm2-135m"].installed
    assert found["embedded/smollm2-135m"].roles == ("default",)
    assert not found["embedded/qwen2.5-coder-1.5b"].installed
    assert found["embedded/all-minilm-l6-v2"].roles == ("embed",)
    assert found["embedded/mine"].installed
    assert found["openai/gpt-4o-mini"].provider == "openai"
    assert found["embedded/smollm2-135m"].context_window == 2048


def test_making_a_gateway_imports_nothing_heavy() -> None:
    code = (
        "import sys; from skill_agent.models.gateway import Gateway;"
        "from skill_agent.settings.schema import Settings;"
        "from skill_agent.files.home import find_home;"
        "Gateway(Settings(), find_home('/nonexistent')).catalogue();"
        "print([m for m in ('litellm','xllamacpp','httpx','torch','jsonschema','openai')"
        " if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("name", "error", "hint"),
    [
        ("foo/bar", ModelRejected, "provider/model"),
        ("opneai/gpt-4o", ModelRejected, "openai"),
        ("openai/gpt-4o", ModelRejected, "OPENAI_API_KEY"),
        ("embedded/qwen2.5-coder-1.5b", ModelUnavailable, "ska models pull qwen2.5-coder-1.5b"),
        ("smollm2-135m", ModelUnavailable, "ska models pull smollm2-135m"),
    ],
)
def test_what_cannot_answer_is_known_before_it_is_asked(
    name: str,
    error: type[Exception],
    hint: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with pytest.raises(error) as caught:
        Gateway(smollm2_settings(), Home(tmp_path)).check(name)
    assert hint in getattr(caught.value, "hint", "")


def test_what_might_answer_is_not_refused_beforehand(
    model_home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-none")
    gateway = Gateway(smollm2_settings(api_base={"mine": "http://127.0.0.1:1"}), model_home)
    for name in (
        "default",
        "openai/gpt-4o",
        "mine/x",
        "ollama/x",
        "bedrock/x",
        "embedded/smollm2-135m",
    ):
        gateway.check(name)


def test_a_fallback_that_can_answer_is_enough(model_home: Home) -> None:
    missing = "embedded/qwen2.5-coder-1.5b"
    Gateway(smollm2_settings(fallback=("embedded/smollm2-135m",)), model_home).check(missing)
    with pytest.raises(ModelUnavailable, match="qwen"):
        Gateway(smollm2_settings(default=missing), model_home).check("default")


async def test_an_ollama_elsewhere_is_no_local_model(tmp_path: Path) -> None:
    for base, here in (("http://127.0.0.1:9", True), ("http://192.0.2.7:11434", False)):
        settings = Settings(models=ModelSettings(default="ollama/x", api_base={"ollama": base}))
        (listed,) = [
            one for one in Gateway(settings, Home(tmp_path)).catalogue() if "default" in one.roles
        ]
        assert listed.local is here
