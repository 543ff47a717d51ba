"""Turns that outlive who asked, or do not: left to the host, listed, stopped, ended by force."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from command_line import Ska
from ska_processes import WITHIN_S, Processes, gone, processes, until
from skill_agent.cli.talk.cancel import named

from skill_agent.errors import NotFound, UsageError
from skill_agent.files.home import Home
from skill_agent.identifiers import new_id
from skill_agent.values import TurnState, TurnStatus

SLOW = "ScriptedModel(otherwise=['The beginning ', Pause(600)])"
BUSY = """ScriptedModel(otherwise=lambda _: [__import__('threading').Thread(
    target=exec, args=('while True: pass',)).start() or 'The beginning ', Pause(600)])"""
"""Besides, a thread that computes for ever."""
DEAF = "ScriptedModel(otherwise=lambda _: sum(iter(int, 1)))"
"""No other thread of the process ever comes to its turn, nor does a signal."""


class Hosting:
    """A host with a scripted model, and real commands beside it."""

    def __init__(self, machine: Processes, driver: Callable[[str], Path]) -> None:
        self.machine, self._driver = machine, driver
        self._hosts: list[subprocess.Popen[bytes]] = []

    def start(self, model: str) -> "subprocess.Popen[bytes]":
        home = str(self.machine.home.root)
        process = subprocess.Popen(
            [sys.executable, str(self._driver(model)), "--home", home, "up", "--foreground"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        self._hosts.append(process)
        until(lambda: self.machine.hosted_by(process.pid))
        return process

    def state(self, turn: str) -> tuple[str, str | None, str]:
        (one,) = [one for one in self.machine.json("turns") if one["id"] == turn]
        return one["state"], one["reason"], one["text"]

    def close(self) -> None:
        for one in self._hosts:
            one.kill()
            one.wait()


@pytest.fixture
def hosting(
    tmp_path_factory: pytest.TempPathFactory, driver: Callable[[str], Path]
) -> Iterator[Hosting]:
    root = tmp_path_factory.mktemp("m")
    with processes(Home(root / "home"), root / "errors") as machine:
        made = Hosting(machine, driver)
        yield made
        made.close()


@pytest.mark.deep
def test_a_turn_is_left_to_the_host_listed_and_stopped(hosting: Hosting) -> None:
    machine, host = hosting.machine, hosting.start(BUSY)
    left = machine.json("ask", "--detach", "@luke read the whole report")
    assert (left["agent"], set(left)) == ("luke", {"id", "session", "agent"})
    (one,) = machine.json("turns")
    assert (one["id"], one["state"], one["session"]) == (left["id"], "running", left["session"])
    assert one["words"] == "read the whole report"
    assert one["by"].startswith("ask/")

    listed = machine.run("turns").stdout
    assert left["id"] in listed and "running" in listed and "luke" in listed
    stopped = machine.run("cancel", left["id"][:13])
    assert (stopped.returncode, stopped.stdout) == (0, "")
    assert f"stopped {left['id']}" in stopped.stderr
    assert hosting.state(left["id"]) == ("failed", "cancelled", "The beginning ")
    again = machine.run("cancel", left["id"])
    assert again.returncode == 0 and "had ended before: cancelled" in again.stderr
    assert machine.run("cancel", "latest").returncode == 2
    assert machine.run("cancel", new_id()).returncode == 2
    assert "no turn runs" in machine.run("cancel", "--all").stderr

    machine.run("ask", "--detach", "-q", "go on")
    done = machine.run("down")
    assert done.returncode == 0, done.stderr
    assert "killing" not in done.stderr and gone(host.pid)
    (session,) = [one for one in machine.json("sessions", "list") if one["title"] == "go on"]
    shown = machine.json("sessions", "show", session["id"])["messages"]
    assert [one["content"].strip() for one in shown] == ["go on", "The beginning"]


@pytest.mark.deep
def test_who_is_told_to_end_takes_its_turn_along(hosting: Hosting) -> None:
    machine = hosting.machine
    hosting.start(SLOW)
    asking = machine.start("ask", "tell me")
    assert asking.stdout and asking.stdout.read(13) == "The beginning"
    asking.terminate()
    assert asking.wait(WITHIN_S) == 143
    assert "Traceback" not in machine.said
    (one,) = machine.json("turns")
    assert (one["state"], one["reason"], one["text"]) == ("failed", "cancelled", "The beginning ")


@pytest.mark.deep
def test_who_is_killed_takes_its_turn_along_a_little_later(hosting: Hosting) -> None:
    machine = hosting.machine
    hosting.start(SLOW)
    asking = machine.start("ask", "tell me")
    assert asking.stdout and asking.stdout.read(13) == "The beginning"
    asking.kill()
    left = machine.json("ask", "--detach", "go")["id"]
    (turn,) = [one["id"] for one in machine.json("turns") if one["id"] != left]
    assert hosting.state(turn)[0] == "running"
    until(lambda: hosting.state(turn)[0] == "failed")
    assert hosting.state(turn) == ("failed", "abandoned", "The beginning ")
    assert hosting.state(left)[0] == "running"


@pytest.mark.deep
def test_a_host_that_hears_nothing_is_ended_all_the_same(hosting: Hosting) -> None:
    machine, host = hosting.machine, hosting.start(DEAF)
    machine.run("memory", "add", "the cat is called Ada")
    machine.run("ask", "--detach", "go")
    done = machine.run("down")
    assert done.returncode == 0, done.stderr
    assert "killing it" in done.stderr and "s of 12" in done.stderr
    assert gone(host.pid)
    assert [one["content"] for one in machine.json("memory", "list")] == ["the cat is called Ada"]


def test_nothing_is_left_without_a_host(ska: Ska) -> None:
    ska("memory", "list")
    done = ska("ask", "--detach", "hello")
    assert (done.code, done.out) == (2, "")
    assert "ska up" in done.err
    assert ska("sessions", "list", "--json").json == []
    assert ska("ask", "--detach", "--jsonl", "hello").code == 2
    assert ska("turns", "--json").json == []
    assert (ska("cancel", "--all").code, ska("cancel", "latest").code) == (0, 2)
    assert (ska("cancel").code, ska("cancel", "--all", "latest").code) == (2, 2)


def turn(key: str, state: TurnStatus = "running", minute: int = 0) -> TurnState:
    at = datetime(2026, 11, 30, 9, tzinfo=UTC) + timedelta(minutes=minute)
    return TurnState(id=key, state=state, session="s", agent="kyra", started_at=at)


def test_how_a_turn_is_named() -> None:
    one, two, old = turn("abcd-1", minute=1), turn("abcd-2"), turn("abce-1", "finished")
    known = [two, one, old]
    assert named("latest", known) is one
    assert named("abcd-2", known) is two
    assert named("ABCE", known) is old
    assert named("cd-1", known) is one, "by its end"
    assert named(new_id(), known) is None, "it may be known elsewhere"
    with pytest.raises(UsageError, match="stands for 2 turns"):
        named("abcd", known)
    for wrong in ("abc", "nonsuch"):
        with pytest.raises(NotFound):
            named(wrong, known)
    with pytest.raises(NotFound):
        named("latest", [old])
