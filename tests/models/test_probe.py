"""What models outside the catalogue say of themselves, and that it is asked only once."""

import json
import os
from pathlib import Path

import pytest
from gguf_file import gguf
from model_files import smollm2_path, smollm2_settings
from ollama_server import SHOWN, ollama

from skill_agent.files.home import Home
from skill_agent.models.files.gguf import NotGguf, is_gguf, read_header
from skill_agent.models.files.probe import UNKNOWN, Probes, probe_of
from skill_agent.models.gateway import Gateway
from skill_agent.models.remote_facts import known_providers, ollama_probe, price_list_probe
from skill_agent.values import ModelProfile

VALUES = {
    "general.architecture": "qwen3",
    "general.languages": ["en", "de", "klingon"],
    "qwen3.block_count": 36,
    "qwen3.context_length": 40_960,
    "qwen3.embedding_length": 2560,
    "qwen3.attention.head_count": 32,
    "qwen3.attention.head_count_kv": 8,
    "qwen3.attention.key_length": 128,
    "qwen3.rope.freq_base": 1_000_000.0,
    "tokenizer.ggml.add_bos_token": False,
    "tokenizer.ggml.tokens": [f"word{number}" for number in range(200)],
    "tokenizer.ggml.scores": [0.5] * 200,
    "tokenizer.chat_template": "{% if tools %}…{% endif %}{% if enable_thinking %}…{% endif %}",
}
LARGE = ((2560, 151_936), (2560, 1_500_000))


@pytest.fixture
def models(home: Home) -> Path:
    home.models.mkdir(parents=True)
    return home.models


def test_a_header_tells_what_a_model_can_do(tmp_path: Path) -> None:
    header = read_header(gguf(tmp_path / "a.gguf", VALUES, LARGE))
    assert header.parameters == 2560 * (151_936 + 1_500_000)
    assert header.values["tokenizer.ggml.tokens"] is None
    probe = probe_of(header)
    assert probe.trained_window == 40_960
    assert probe.kv_bytes == 36 * 8 * 128 * 4
    profile = probe.profile
    assert (profile.strength, profile.tools, profile.reasoning) == ("large", True, True)
    assert profile.languages == ("en", "de")


def test_a_small_one_is_small(tmp_path: Path) -> None:
    plain = VALUES | {"tokenizer.chat_template": "{{ messages }}", "general.languages": ["en"]}
    profile = probe_of(read_header(gguf(tmp_path / "a.gguf", plain, LARGE[:1]))).profile
    assert (profile.strength, profile.tools, profile.reasoning) == ("small", False, False)


def test_heads_may_differ_by_layer(tmp_path: Path) -> None:
    mixed = VALUES | {"qwen3.attention.head_count_kv": [8, 1, 8]}
    assert probe_of(read_header(gguf(tmp_path / "a.gguf", mixed))).kv_bytes == 17 * 128 * 4


def test_a_real_file_is_read() -> None:
    header = read_header(smollm2_path())
    probe = probe_of(header)
    assert header.parameters == 134_515_008
    assert (probe.trained_window, probe.kv_bytes) == (8192, 23_040)
    assert probe.profile.languages == ("en",)


@pytest.mark.parametrize("damage", ["empty", "magic", "cut", "long", "version"])
def test_other_files_are_refused(damage: str, tmp_path: Path) -> None:
    path = gguf(tmp_path / "a.gguf", VALUES, LARGE)
    data = path.read_bytes()
    path.write_bytes({
        "empty": b"",
        "magic": b"PK\x03\x04" + data[4:],
        "cut": data[: len(data) // 2],
        "long": data[:24] + b"\xff" * 8 + data[32:],
        "version": data[:4] + b"\x01" + data[5:],
    }[damage])  # fmt: skip
    assert is_gguf(path) is (damage not in ("empty", "magic"))
    with pytest.raises(NotGguf):
        read_header(path)


def test_what_was_read_is_kept_until_the_file_changes(models: Path) -> None:
    path = gguf(models / "mine.gguf", VALUES, LARGE)
    first = Probes(models).of_file(path)
    stamp = path.stat()
    path.write_bytes(b"\0" * stamp.st_size)
    os.utime(path, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    assert Probes(models).of_file(path) == first  # the note answered, not the file
    os.utime(path, ns=(stamp.st_atime_ns, stamp.st_mtime_ns + 1))
    assert Probes(models).of_file(path) == UNKNOWN


@pytest.mark.parametrize("note", ["{", "[]", '{"mine.gguf": {}}', '{"mine.gguf": 3}'])
def test_a_damaged_note_is_made_anew(note: str, models: Path) -> None:
    path = gguf(models / "mine.gguf", VALUES, LARGE)
    (models / ".probed.json").write_text(note)
    assert Probes(models).of_file(path).trained_window == 40_960
    assert json.loads((models / ".probed.json").read_text())["mine.gguf"]["profile"]


def test_a_file_of_the_persons_own_gets_its_profile(models: Path, home: Home) -> None:
    gguf(models / "mine.gguf", VALUES | {"qwen3.context_length": 1024}, LARGE)
    (models / "broken.gguf").write_bytes(b"GGUF")
    found = {one.name: one for one in Gateway(smollm2_settings(), home).catalogue()}
    mine = found["embedded/mine"]
    assert (mine.profile.strength, mine.context_window) == ("large", 1024)
    assert mine.memory_bytes > 36 * 8 * 128 * 4 * 1024 * 2
    assert found["embedded/broken"].profile == UNKNOWN.profile


async def test_ollama_is_asked_once_what_a_model_can_do(models: Path, home: Home) -> None:
    asked: list[str] = []
    with ollama(SHOWN, asked) as base:
        for _ in range(2):
            gateway = Gateway(smollm2_settings(api_base={"ollama": base}), home)
            profile = (await gateway.model("ollama/big:7b")).info.profile
            assert (profile.strength, profile.tools) == ("large", True)
            assert (profile.vision, profile.reasoning) == (True, True)
            await gateway.close()
        (listed,) = Gateway(smollm2_settings(api_base={"ollama": base}), home).ollama()
    assert asked == ["big:7b"]
    assert (listed.name, listed.size_bytes, listed.local) == ("ollama/big:7b", 4_700_000_000, True)


@pytest.mark.parametrize("shown", [None, {}, {"details": {"parameter_size": "1.5B"}}])
def test_a_terse_ollama_is_taken_at_its_word(shown: dict | None) -> None:
    with ollama(shown, []) as base:
        probe = ollama_probe(base, "ollama/big:7b")
    assert probe is None if shown is None else probe is not None
    assert probe is None or probe.profile.strength == "small"


def test_no_ollama_is_no_harm() -> None:
    assert ollama_probe("http://127.0.0.1:1", "ollama/x") is None


def test_the_price_list_tells_of_remote_models() -> None:
    found = price_list_probe("openai/gpt-4o")
    assert (found.profile.vision, found.profile.tools) == (True, True)
    assert price_list_probe("foo/bar").profile == ModelProfile()


async def test_an_ollama_that_wakes_late_is_asked_again(models: Path, home: Home) -> None:
    asked: list[str] = []
    with ollama(SHOWN, asked) as base:
        pass
    gateway = Gateway(smollm2_settings(api_base={"ollama": base}), home)
    assert not (await gateway.model("ollama/big:7b")).info.profile.vision
    with ollama(SHOWN, asked, port=int(base.rpartition(":")[2])):
        assert (await gateway.model("ollama/big:7b")).info.profile.vision
    assert asked == ["big:7b"]
    await gateway.close()


def test_providers_are_known_without_importing_litellm() -> None:
    known = known_providers()
    assert {"openai", "anthropic", "ollama", "openrouter", "xai", "bedrock"} <= known
    assert "foo" not in known
