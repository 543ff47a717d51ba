"""`ska models`: what is there, where, fetching and trying."""

import hashlib
from pathlib import Path

import pytest
from command_line import Ska
from file_server import hub
from gguf_file import gguf
from ollama_server import SHOWN, ollama

from skill_agent.errors import ModelUnavailable, PullFailed
from skill_agent.files.home import Home
from skill_agent.ports import StatusPart


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("OLLAMA_HOST", "127.0.0.1:1")
    monkeypatch.setenv("SKILL_AGENT_MODEL_CACHE", "")


def test_list(ska: Ska) -> None:
    found = {one["id"]: one for one in ska("models", "list", "--json").json}
    default = found["embedded/qwen2.5-coder-1.5b"]
    assert (default["local"], default["installed"], default["licence"]) == (
        True, False, "Apache-2.0",
    )  # fmt: skip
    assert "smollm2-135m" in ska("models", "list").out
    assert not ska.home.root.exists()


def test_tiers(ska: Ska) -> None:
    ska("init", "--offline", "--no-pull")
    found = ska("models", "tiers", "--json").json
    assert [one["id"] for one in found] == ["fast", "balanced", "powerful"]
    assert {one["cost_per_1k_output"] for one in found} == {0.0}
    assert [one["allowed"] for one in found] == [True, True, False], "Kyra's max_tier is balanced"
    shown = ska("models", "tiers", "--agent", "luke")
    assert shown.code == 0 and "free" in shown.out and "is left today" in shown.err
    assert "[models.roles] names none" in shown.out
    assert ska("models", "tiers", "--agent", "nobody").code != 0


def test_pull(ska: Ska) -> None:
    asked: list[str] = []

    def pull(name: str, home: Home, progress=None):
        asked.append(name)
        return home.models / name

    done = ska("models", "pull", "embedded/smollm2-135m", pull=pull)
    assert (done.code, asked) == (0, ["smollm2-135m"])
    assert done.out.strip() == str(ska.home.models / "smollm2-135m")


def test_pull_fails(ska: Ska) -> None:
    def pull(name: str, home: Home, progress=None):
        raise PullFailed("tried one, two", hint="check the connection")

    done = ska("models", "pull", "smollm2-135m", pull=pull)
    assert (done.code, done.out) == (3, "")
    assert "tried one, two" in done.err


def test_pull_of_something_unknown(ska: Ska) -> None:
    done = ska("models", "pull", "smollm2")
    assert done.code == 2
    assert "smollm2-135m" in done.err


def test_the_list_tells_what_one_needs_to_choose(ska: Ska) -> None:
    out = ska("models", "list").out
    assert max(len(line) for line in out.splitlines()) <= 80
    line = next(line for line in out.splitlines() if line.startswith("qwen3.5-4b"))
    assert line.split() == ["qwen3.5-4b", "~2.8", "GB", "3.7", "GB", "no", "Apache-2.0"]
    assert "on a laptop with 8 GB; en, de, es, fr, it, pt and 14 more" in " ".join(out.split())
    found = {one["id"]: one for one in ska("models", "list", "--json").json}
    model = found["embedded/qwen3.5-4b"]
    assert (model["kind"], model["size_estimated"], model["evaluation"]) == ("chat", True, "")
    assert model["memory_bytes"] > model["size_bytes"] > 0
    assert "de" in model["profile"]["languages"]
    assert found["embedded/qwen3-reranker-0.6b"]["kind"] == "reranker"


def test_what_a_running_ollama_has_is_listed(ska: Ska, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    with ollama(SHOWN, asked) as base:
        monkeypatch.setenv("OLLAMA_HOST", base)
        found = {one["id"]: one for one in ska("models", "list", "--json").json}
        done = ska("models", "pull", "ollama/big:7b")
        wrong = ska("models", "pull", "ollama/bigger")
    assert found["ollama/big:7b"]["size_bytes"] == 4_700_000_000
    assert found["ollama/big:7b"]["profile"]["strength"] == "large"
    assert (done.code, done.out) == (0, "ollama/big:7b\n")
    assert "ska init --model ollama/big:7b" in done.err
    assert wrong.code == 2
    assert "hint: " in wrong.err
    assert not ska.home.root.exists()


def test_no_ollama_is_told(ska: Ska) -> None:
    done = ska("models", "pull", "ollama/big:7b")
    assert done.code == 3
    assert "hint: ollama serve" in done.err


def test_a_file_of_the_hub_is_pulled_and_can_be_the_default(
    ska: Ska, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = b"GGUF" + bytes(1000)
    digest = hashlib.sha256(data).hexdigest()
    with hub(data) as server:
        monkeypatch.setenv("HF_ENDPOINT", server.base)
        reference = "hf:someone/Some-GGUF/some-1b.gguf"
        refused = ska("models", "pull", reference)
        wrong = ska("models", "pull", reference, "--sha256", "0" * 64)
        done = ska("models", "pull", reference, "--sha256", digest, "--json")
    assert (refused.code, wrong.code) == (3, 3)
    assert "--sha256 DIGEST" in refused.err
    assert "wrong checksum" in wrong.err
    assert done.code == 0, done.err
    assert done.json == {"id": "embedded/some-1b", "path": str(ska.home.models / "some-1b.gguf")}
    assert "some-1b" in ska("models", "list").out
    assert ska("init", "--model", "embedded/some-1b", "--no-pull").code == 0
    assert ska("config", "show", "models.default", "--json").json["value"] == "embedded/some-1b"


def test_a_file_of_this_machine_is_taken_in(ska: Ska, tmp_path: Path) -> None:
    path = gguf(tmp_path / "mine.gguf", {"general.architecture": "llama"})
    done = ska("models", "pull", str(path))
    assert done.code == 0, done.err
    assert done.out.strip() == str(ska.home.models / "mine.gguf")
    path.write_text("text")
    assert ska("models", "pull", str(path)).code == 2
    assert ska("models", "pull", "./none.gguf").code == 2
    assert ska("models", "pull", "smollm2-135m", "--sha256", "0" * 64).code == 2


def test_path(ska: Ska) -> None:
    assert ska("models", "path").out.strip() == str(ska.home.models)
    one = ska("models", "path", "smollm2-135m", "--json").json
    assert one["path"] == str(ska.home.models / "smollm2-135m")
    assert one["exists"] is False
    assert ska("models", "path", "nonsuch").code == 2


def test_try_one(ska: Ska) -> None:
    ska.model.add([StatusPart(text="waking up"), "Hello ", "there.\x1b[1m"])
    done = ska("models", "test", "--json")
    assert done.code == 0
    assert "waking up" in done.err
    assert (done.json["id"], done.json["text"]) == ("scripted/model", "Hello there.[1m")
    assert ska("models", "test").out == "All right.\n"


def test_try_one_that_cannot(ska: Ska) -> None:
    ska.model.add([ModelUnavailable("not installed", hint="ska models pull x")])
    done = ska("models", "test")
    assert (done.code, done.out) == (3, "")
    assert "hint: ska models pull x" in done.err


@pytest.mark.parametrize("name", ["nonsuch", "embedded/nonsuch"])
def test_the_real_gateway_names_the_nearest(ska: Ska, name: str) -> None:
    from skill_agent.cli.main import run
    from skill_agent.cli.surroundings import Surroundings

    ska("memory", "list")
    assert run(["models", "test", name], Surroundings(terminal=False)) == 2
