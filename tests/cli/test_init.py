"""`ska init` and the offer of first use, with a download that only pretends."""

import os
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
from command_line import Ska, Terminal
from file_server import hub

from skill_agent.errors import ModelUnavailable, PullFailed
from skill_agent.files.home import Home
from skill_agent.models.files.catalogue import VERIFIED, Entry, best_for_memory, entry, total_memory
from skill_agent.models.files.installed import folder_of, record


class Pull:
    """Makes files of the right size and keeps which models were asked for."""

    def __init__(self, error: Exception | None = None) -> None:
        self.names: list[str] = []
        self._error = error

    def __call__(self, name: str, home: Home, progress: Callable | None = None) -> Path:
        self.names.append(name)
        if self._error:
            raise self._error
        folder = folder_of(home.models, entry(name))
        for file in entry(name).files:
            path = folder / file.name
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("wb") as stream:
                stream.truncate(file.size)
            record(folder, file.name, file.sha256)
        if progress:
            progress(1, 1, "done")
        return folder


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither an Ollama nor a hub answers, and no key is set."""
    monkeypatch.setenv("OLLAMA_HOST", "127.0.0.1:1")
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:1")
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    for name in [name for name in os.environ if name.endswith("_API_KEY")]:
        monkeypatch.delenv(name)


@pytest.fixture
def better() -> Entry:
    """What this machine would be offered."""
    found = best_for_memory(total_memory(), 2 * 8192)
    if found is None:
        pytest.skip("this machine has too little memory for a better model")
    return found


FILLED_IN = '{"city": "Lisbon"}'


def default_model(home: Home) -> str:
    return tomllib.loads(home.config.read_text())["models"]["default"]


def test_a_script_gets_a_whole_home(ska: Ska) -> None:
    pull = Pull()
    done = ska("init", pull=pull)
    assert (done.code, done.out.strip()) == (0, str(ska.home.root)), done.err
    assert pull.names[0] == "all-minilm-l6-v2"
    assert len(pull.names) == 2
    assert "ska ask" in done.err
    assert ska.home.root.stat().st_mode & 0o777 == 0o700
    assert ska.home.config.stat().st_mode & 0o777 == 0o600
    assert ska.home.agents.is_file()


def test_again_changes_nothing(ska: Ska) -> None:
    ska("init", "--model", "smollm2-135m", pull=Pull())
    ska.home.agents.write_text(ska.home.agents.read_text() + "\n# mine\n")
    before = {path: path.read_bytes() for path in (ska.home.config, ska.home.agents)}
    pull = Pull()
    done = ska("init", pull=pull)
    assert (done.code, pull.names) == (0, [])
    assert "is set up" in done.err
    assert {path: path.read_bytes() for path in before} == before
    assert default_model(ska.home) == "embedded/smollm2-135m"


@pytest.mark.parametrize("option", ["--no-pull", "--offline"])
def test_without_fetching(ska: Ska, option: str) -> None:
    pull = Pull()
    done = ska("init", option, pull=pull)
    assert (done.code, pull.names) == (0, [])
    assert "ska models pull" in done.err


def test_the_model_can_be_changed(ska: Ska) -> None:
    ska("init", "--offline")
    config = ska.home.config
    config.write_text(config.read_text() + "\n# my own words\n")
    pull = Pull()
    done = ska("init", "--model", "openai/gpt-4o-mini", pull=pull)
    assert done.code == 0, done.err
    assert default_model(ska.home) == "openai/gpt-4o-mini"
    assert "# my own words" in config.read_text()
    assert pull.names == ["all-minilm-l6-v2"]
    assert ska("config", "show", "models.default", "--json").json["value"] == "openai/gpt-4o-mini"


def test_an_unknown_model(ska: Ska) -> None:
    done = ska("init", "--model", "smollm2")
    assert done.code == 2
    assert "smollm2-135m" in done.err
    assert not ska.home.root.exists()


def test_a_failed_download_keeps_the_home(ska: Ska) -> None:
    done = ska("init", pull=Pull(PullFailed("no source", hint="ska models pull x")))
    assert done.code == 3
    assert "error: no source" in done.err
    assert ska.home.exists


def test_a_broken_home_is_told(ska: Ska) -> None:
    ska("init", "--offline")
    ska.home.config.write_text("[models\n")
    done = ska("init", "--offline")
    assert done.code == 2
    assert "config.toml:1" in done.err


def test_a_key_in_the_environment_is_offered(ska: Ska, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-not-a-real-key-at-all")
    person = Terminal(["9", "2"])
    done = ska("init", pull=Pull(), person=person)
    assert done.code == 0, done.err
    assert len(person.asked) == 2  # the first answer meant nothing
    assert default_model(ska.home).startswith("openai/")
    assert "sk-not-a-real-key-at-all" not in done.out + done.err + ska.home.config.read_text()


def test_a_person_may_put_the_download_off(ska: Ska) -> None:
    pull = Pull()
    done = ska("init", pull=pull, person=Terminal(["n"]))
    assert (done.code, pull.names) == (0, [])
    assert "not here yet" in done.err


def test_yes_asks_nothing(ska: Ska) -> None:
    person = Terminal([])
    assert ska("init", "--yes", pull=Pull(), person=person).code == 0
    assert person.asked == []


def test_first_use_offers_it(ska: Ska) -> None:
    pull = Pull()
    person = Terminal([""])
    done = ska("memory", "list", "--json", pull=pull, person=person)
    assert (done.code, done.json) == (0, [])
    assert len(pull.names) == 2
    assert len(person.asked) == 1


def test_first_use_may_be_declined(ska: Ska) -> None:
    done = ska("memory", "list", person=Terminal(["n"]))
    assert done.code == 2
    assert "hint: ska init" in done.err
    assert not ska.home.root.exists()


def test_the_best_that_fits_is_offered_with_its_cost(
    ska: Ska, better: Entry, monkeypatch: pytest.MonkeyPatch
) -> None:
    ska.model.add("Hello.", FILLED_IN)
    pull, person = Pull(), Terminal(["2"])
    with hub(bytes(3_000_000)) as server:
        server.linked = {"X-Linked-Size": "2500000000", "X-Linked-ETag": '"x"'}
        monkeypatch.setenv("HF_ENDPOINT", server.base)
        done = ska("init", pull=pull, person=person)
    assert done.code == 0, done.err
    assert len(person.asked) == 1
    offered = " ".join(done.err.split())
    assert f"2 {better.name}: {better.good_at}; no key; 2.5 GB to fetch, about" in offered
    assert "at 10 MB/s" not in done.err  # it was measured
    assert "it said 'Hello.'" in done.err
    assert set(pull.names) == {"all-minilm-l6-v2", better.name}
    assert default_model(ska.home) == f"embedded/{better.name}"


@pytest.mark.parametrize(
    ("replies", "why"),
    [
        (["Hello.", "Lisbon, I think."], "could not fill in a form"),
        ([[ModelUnavailable("llama.cpp cannot load it")]], "cannot load it"),
        (["", FILLED_IN], "said nothing"),
    ],
)
def test_what_does_not_prove_itself_is_not_the_default(
    replies: list,
    why: str,
    ska: Ska,
    better: Entry,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ska.model.add(*replies)
    pull = Pull()
    with hub(bytes(1000)) as server:
        monkeypatch.setenv("HF_ENDPOINT", server.base)
        done = ska("init", pull=pull, person=Terminal(["2"]))
    assert done.code == 0, done.err
    assert why in done.err
    assert f"It stays embedded/{VERIFIED}" in done.err
    assert pull.names == ["all-minilm-l6-v2", better.name, VERIFIED]
    assert default_model(ska.home) == f"embedded/{VERIFIED}"


def test_a_hub_that_breaks_off_leaves_the_verified_one(
    ska: Ska, better: Entry, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Broken(Pull):
        def __call__(self, name: str, home: Home, progress: Callable | None = None) -> Path:
            if name == better.name:
                raise PullFailed("the hub went away")
            return super().__call__(name, home, progress)

    with hub(bytes(1000)) as server:
        monkeypatch.setenv("HF_ENDPOINT", server.base)
        done = ska("init", pull=Broken(), person=Terminal(["2"]))
    assert done.code == 0, done.err
    assert "the hub went away" in done.err
    assert default_model(ska.home) == f"embedded/{VERIFIED}"


def test_where_the_hub_is_silent_nothing_of_it_is_offered(ska: Ska) -> None:
    person = Terminal(["2", "1"])
    done = ska("init", pull=Pull(), person=person)
    assert done.code == 0, done.err
    assert person.asked == ["1, or n for none now [1] "] * 2
    assert "at 10 MB/s" in done.err
    assert default_model(ska.home) == f"embedded/{VERIFIED}"


def test_a_script_is_never_offered_anything(ska: Ska, monkeypatch: pytest.MonkeyPatch) -> None:
    with hub(bytes(1000)) as server:
        monkeypatch.setenv("HF_ENDPOINT", server.base)
        ska("init", pull=Pull())
        assert server.ranges == []
    assert default_model(ska.home) == f"embedded/{VERIFIED}"


def test_a_named_model_is_tried_too_and_asked_for_once(ska: Ska) -> None:
    ska.model.add("Hello.", FILLED_IN)
    person = Terminal([""])
    done = ska("init", "--model", "qwen3.5-2b", pull=Pull(), person=person)
    assert done.code == 0, done.err
    assert len(person.asked) == 1
    assert "Fetch all-MiniLM-L6-v2" in person.asked[0]
    assert default_model(ska.home) == "embedded/qwen3.5-2b"
    ska.model.add("Hello.", "no form")
    done = ska("init", "--model", "qwen3-1.7b", pull=Pull())
    assert "It stays embedded/qwen3.5-2b" in done.err
    assert default_model(ska.home) == "embedded/qwen3.5-2b"


def test_all_agents_are_woken_the_default_one_first(ska: Ska) -> None:
    done = ska("init", "--yes", pull=Pull())
    woken = [line for line in done.err.splitlines() if line.startswith("waking")]
    assert woken[0] == f"waking Kyra (1 of {len(woken)})"
    assert len(woken) == len(ska.model.prefills) > 1


def test_the_default_is_what_the_memory_allows() -> None:
    from skill_agent.models.files.catalogue import default_for_memory

    assert default_for_memory(8 << 30) == (f"embedded/{VERIFIED}", "")
    name, warning = default_for_memory(1 << 30)
    assert name == "embedded/smollm2-135m"
    assert warning


def embedding_role(home: Home) -> str:
    return tomllib.loads(home.config.read_text())["models"].get("roles", {}).get("embed", "")


USE = "use-multilingual-3"


def test_another_locale_is_offered_another_embedder(
    ska: Ska, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LC_ALL", "de_AT.UTF-8")
    pull, person = Pull(), Terminal(["1", "y"])
    done = ska("init", pull=pull, person=person)
    assert done.code == 0, done.err
    assert len(person.asked) == 2 and "72 MB" in person.asked[1]
    assert {"all-minilm-l6-v2", USE} <= {*pull.names}
    assert embedding_role(ska.home) == f"embedded/{USE}"


@pytest.mark.parametrize("locale", ["ja_JP.UTF-8", "ru_RU"])
def test_nobody_fetches_it_unasked(ska: Ska, monkeypatch: pytest.MonkeyPatch, locale: str) -> None:
    monkeypatch.setenv("LC_ALL", locale)
    pull = Pull()
    done = ska("init", "--yes", pull=pull)
    assert done.code == 0 and USE not in pull.names
    assert f"ska init --embedder {USE}" in done.err and not embedding_role(ska.home)


def test_who_does_not_want_it_is_told_how_later(ska: Ska, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "es")
    pull = Pull()
    done = ska("init", pull=pull, person=Terminal(["1", "n"]))
    assert done.code == 0 and USE not in pull.names
    assert f"ska init --embedder {USE}" in done.err and not embedding_role(ska.home)


@pytest.mark.parametrize("locale", ["en_GB.UTF-8", "C", "sw_KE.UTF-8"])
def test_a_language_it_knows_or_nothing_knows_gets_no_offer(
    ska: Ska, monkeypatch: pytest.MonkeyPatch, locale: str
) -> None:
    monkeypatch.setenv("LC_ALL", locale)
    done = ska("init", pull=Pull(), person=Terminal(["1"]))
    assert done.code == 0 and "--embedder" not in done.err


def test_a_home_takes_up_another_embedder(ska: Ska) -> None:
    ska("init", "--offline")
    config = ska.home.config
    config.write_text(config.read_text() + "\n# my own words\n")
    pull = Pull()
    done = ska("init", "--embedder", USE, "--model", "openai/gpt-4o-mini", pull=pull)
    assert done.code == 0, done.err
    assert USE in pull.names and embedding_role(ska.home) == f"embedded/{USE}"
    assert "# my own words" in config.read_text()


def test_an_embedder_that_cannot_be_had_is_an_error_or_told(
    ska: Ska, monkeypatch: pytest.MonkeyPatch
) -> None:
    ska("init", pull=Pull())
    done = ska("init", "--embedder", USE, pull=Pull(PullFailed("no network")))
    assert done.code != 0 and "no network" in done.err and not embedding_role(ska.home)


def test_only_an_embedder_is_one(ska: Ska) -> None:
    done = ska("init", "--embedder", "qwen2.5-coder-1.5b", pull=Pull())
    assert done.code == 2 and "is no embedder" in done.err
    assert ska("init", "--embedder", "nothing", pull=Pull()).code == 2
