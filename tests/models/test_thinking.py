"""Whether a reasoning model thinks is told to its chat template, with a real llama.cpp."""

from pathlib import Path

import pytest
from gguf_file import gguf
from model_files import smollm2_path, smollm2_settings

from skill_agent.files.home import Home
from skill_agent.models.files.gguf import read_header
from skill_agent.models.gateway import Gateway
from skill_agent.models.local.llama_host import HostSettings, LlamaHost
from skill_agent.settings.schema import EmbeddedSettings

TEMPLATE = (
    "{% for m in messages %}[{{ m.role }}]{{ m.content }}{% endfor %}[reply]"
    "{% if enable_thinking %}<think>{% else %}<think></think>{% endif %}"
)


@pytest.fixture
def thinker(tmp_path: Path) -> Path:
    """SmolLM2 with the chat template of a reasoning model, in as many bytes."""
    old = read_header(smollm2_path()).values["tokenizer.chat_template"].encode()
    padding = len(old) - len(TEMPLATE.encode()) - len("{##}")
    assert padding >= 0
    data = smollm2_path().read_bytes()
    path = tmp_path / "thinker.gguf"
    path.write_bytes(data.replace(old, TEMPLATE.encode() + b"{#" + b" " * padding + b"#}", 1))
    return path


@pytest.mark.parametrize(
    ("thinking", "end"), [(False, "<think></think>"), (True, "<think>")]
)  # fmt: skip
def test_the_template_hears_it(thinking: bool, end: str, thinker: Path, tmp_path: Path) -> None:
    settings = HostSettings(
        path=thinker, window=512, slots=1, threads=1, state_folder=tmp_path, thinking=thinking
    )
    host = LlamaHost(settings)
    try:
        rendered = host.render([{"role": "user", "content": "hi"}])
    finally:
        host.close()
    assert rendered == f"[user]hi[reply]{end}"


@pytest.mark.parametrize(
    ("template", "setting", "told"),
    [
        ("{{ enable_thinking }}", "off", False),
        ("{{ enable_thinking }}", "on", True),
        ("", "on", None),
    ],
)
async def test_only_reasoning_models_are_told(
    template: str, setting: str, told: bool | None, home: Home
) -> None:
    home.models.mkdir(parents=True)
    gguf(home.models / "mine.gguf", {"tokenizer.chat_template": template})
    embedded = EmbeddedSettings.model_validate({"thinking": setting})
    gateway = Gateway(smollm2_settings(embedded=embedded), home)
    assert gateway.thinking("mine") is told
    assert gateway.thinking("qwen2.5-coder-1.5b") is None
    assert gateway.thinking("qwen3.5-2b") is (setting == "on")
