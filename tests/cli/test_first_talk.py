"""The first talk in a home without a model, through the real gateway: offered or refused, and
nothing of it is left behind."""

from collections.abc import Callable
from pathlib import Path

import pytest
from command_line import Done, Ska, Terminal
from fakes import HashEmbedder
from model_files import give_to
from skill_agent.cli.main import run
from skill_agent.cli.opening.options import OpenOptions
from skill_agent.cli.surroundings import Surroundings

from skill_agent.files.home import Home

Real = Callable[..., Done]


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OLLAMA_HOST", "127.0.0.1:1")
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:1")
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)


@pytest.fixture
def real(home: Home, capsys: pytest.CaptureFixture[str]) -> Real:
    """Runs a command with the models of the settings; pulling links real files."""

    def call(*arguments: str, person: Terminal | None = None) -> Done:
        def pull(name: str, into: Home, progress: object = None) -> Path:
            give_to(into, name)
            return into.models / name

        around = Surroundings(
            opening=OpenOptions(embedder=HashEmbedder()),
            terminal=person is not None,
            read_line=person or Terminal(()),
            pull=pull,
        )
        capsys.readouterr()
        code = run(arguments, around)
        said = capsys.readouterr()
        return Done(code, said.out, said.err)

    return call


def sessions(ska: Ska) -> list:
    return ska("sessions", "list", "--json").json


@pytest.mark.parametrize(
    ("model", "hint"),
    [
        ((), "ska models pull qwen2.5-coder-1.5b"),
        (("-m", "foo/bar"), "provider/model"),
        (("-m", "openai/gpt-4o-mini"), "export OPENAI_API_KEY"),
        (("-m", "qwen3.5-4b"), "ska models pull qwen3.5-4b"),
    ],
)
def test_a_model_that_cannot_answer_leaves_no_session(
    model: tuple[str, ...], hint: str, real: Real, ska: Ska
) -> None:
    ska("init", "--offline", "--no-pull")
    done = real("ask", "hi", *model)
    assert (done.code, done.out) == (3, ""), done.err
    assert f"hint: {hint}" in done.err or hint in done.err.splitlines()[-1]
    assert sessions(ska) == []
    state = real("status", "--json").json["state"]
    assert state == "no model yet (ska init)"


@pytest.mark.parametrize(
    ("model", "hint"),
    [
        ((), "ska init, or ska models pull"),
        (("-m", "foo/bar"), "name it provider/model"),
        (("-m", "openai/gpt-4o-mini"), "export OPENAI_API_KEY"),
    ],
)
def test_a_first_talk_that_nobody_could_answer_makes_no_home(
    model: tuple[str, ...], hint: str, real: Real, home: Home
) -> None:
    done = real("ask", "hi", *model)
    assert (done.code, done.out) == (3, "")
    assert f"hint: {hint}" in done.err
    assert not home.root.exists()
    assert real("status", "--json").json["state"] == "not set up (ska init)"


def test_a_person_is_offered_the_model_and_then_gets_the_answer(real: Real, ska: Ska) -> None:
    ska("init", "--offline", "--model", "smollm2-135m")
    agents = ska.home.agents
    agents.write_text(
        agents.read_text().replace("max_output_tokens = 1024", "max_output_tokens = 100")
    )
    person = Terminal([""])
    done = real("ask", "Say hello.", person=person)
    assert done.code == 0, done.err
    assert done.out.strip()
    assert len(person.asked) == 1
    assert "SmolLM2-135M" in person.asked[0]
    assert [one["messages"] for one in sessions(ska)] == [2]


def test_a_person_may_decline(real: Real, ska: Ska) -> None:
    ska("init", "--offline", "--model", "smollm2-135m")
    person = Terminal(["n"])
    done = real("ask", "Say hello.", person=person)
    assert done.code == 3
    assert "hint: ska models pull smollm2-135m" in done.err
    assert sessions(ska) == []


def test_without_a_home_declining_makes_none(real: Real, home: Home) -> None:
    done = real("ask", "Say hello.", person=Terminal(["n"]))
    assert done.code == 2
    assert "hint: ska init" in done.err
    assert not home.root.exists()
