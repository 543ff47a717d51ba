"""`ska models`: what is there, where, fetching and trying."""

import pytest
from command_line import Ska

from skill_agent.errors import ModelUnavailable, PullFailed
from skill_agent.files.home import Home
from skill_agent.ports import StatusPart


def test_list(ska: Ska) -> None:
    found = {one["id"]: one for one in ska("models", "list", "--json").json}
    default = found["embedded/qwen2.5-coder-1.5b"]
    assert (default["local"], default["installed"], default["licence"]) == (
        True, False, "Apache-2.0",
    )  # fmt: skip
    assert "smollm2-135m" in ska("models", "list").out
    assert not ska.home.root.exists()


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
