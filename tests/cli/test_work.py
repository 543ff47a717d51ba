"""`ska work`, and `--detach` of long commands: without a host, and with one."""

import asyncio
import json
from pathlib import Path

import pytest
from command_line import Done, Ska
from exports import chatgpt, written
from fakes import HashEmbedder
from in_process import open_in_process
from ska_processes import processes

from skill_agent.files.home import Home
from skill_agent.identifiers import new_id
from skill_agent.jobs.work.records import Kept, WorkRecords
from skill_agent.models.scripted import ScriptedGateway, ScriptedModel
from skill_agent.values import Work


def left(home: Home, clock: object, **work: object) -> str:
    """Work as an earlier host left it."""

    async def write() -> str:
        parts = {"gateway": ScriptedGateway(ScriptedModel()), "embedder": HashEmbedder()}
        async with open_in_process(home.root, create=True, **parts) as runtime:
            usual = {"id": new_id(), "kind": "verify", "title": "Verify the ledger"}
            made = Work(**(usual | {"created_at": clock()} | work))  # type: ignore[operator]
            await WorkRecords(runtime.ledger).save(Kept(work=made), new=True)
            return made.id

    return asyncio.run(write())


def test_without_any_it_says_how(ska: Ska) -> None:
    done = ska("work", "list")
    assert done.code == 0 and done.out == "" and "--detach" in done.err
    assert ska("work", "list", "--json").json == []


@pytest.mark.parametrize("verb", ["show", "watch", "pause", "resume", "cancel", "retry"])
def test_what_there_is_none_of(ska: Ska, verb: str) -> None:
    done = ska("work", verb, "0198f2")
    assert done.code == 2 and "no work '0198f2'" in done.err and "ska work list" in done.err


@pytest.mark.parametrize(
    "command",
    [
        ("memory", "rebuild"),
        ("memory", "import", "export", "--from", "chatgpt", "--yes"),
        ("backup", "create"),
    ],
)
def test_nothing_is_left_behind_where_no_host_stays(
    ska: Ska, tmp_path: Path, command: tuple[str, ...]
) -> None:
    ska("memory", "add", "I like tea")
    export = written(tmp_path / "conversations.json", [chatgpt()])
    told = tuple(str(export) if one == "export" else one for one in command)
    done = ska(*told, "--detach")
    assert done.code == 2 and "none that stays" in done.err and "`ska up`" in done.err
    assert done.out == "" and ska("work", "list", "--json").json == []
    assert len(ska("sessions", "list", "--json").json) == 0


def test_what_cannot_be_left_behind(ska: Ska, tmp_path: Path) -> None:
    ska("memory", "add", "I like tea")
    rows = tmp_path / "rows.jsonl"
    rows.write_text('{"content": "I like tea"}\n')
    done = ska("memory", "import", str(rows), "--yes", "--detach")
    assert done.code == 2 and "JSON lines" in done.err


def test_an_earlier_hosts_work_is_shown_steered_and_done(ska: Ska, home: Home) -> None:
    name = left(home, ska.clock, state="dead", error="the disk is full", attempts=3)
    paused = left(home, ska.clock, state="paused", progress=0.5, title="Another")
    (first, second) = ska("work", "list", "--json").json
    assert (first["id"], second["id"]) == (paused, name) and second["state"] == "dead"
    listed = ska("work", "list").out
    assert "50%" in listed and "the disk is full" in listed and "Another" in listed
    assert [one["id"] for one in ska("work", "list", "--running", "--json").json] == [paused]
    shown = ska("work", "show", name[:18])
    assert shown.code == 0 and "3 of 3" in shown.out and "the disk is full" in shown.out
    watched = ska("work", "watch", name)
    assert watched.code == 1 and "dead: the disk is full" in watched.err
    assert f"ska work retry {name}" in watched.err
    _done(ska("work", "retry", name))
    _done(ska("work", "resume", paused))
    again = ska("work", "retry", name)
    assert again.code == 2 and "was done" in again.err
    assert ska("work", "pause", name).code == 2
    assert ska("work", "cancel", name, "--json").json["state"] == "completed"


def _done(told: Done) -> None:
    assert told.code == 0 and told.out.strip().endswith("no problems"), told.err


def test_what_waits_is_paused_and_stopped_without_a_host(ska: Ska, home: Home) -> None:
    name = left(home, ska.clock)
    assert ska("work", "pause", name, "--json").json["state"] == "paused"
    stopped = ska("work", "cancel", name)
    assert stopped.code == 0 and "cancelled" in stopped.err
    watched = ska("work", "watch", name, "--json")
    assert watched.code == 1 and json.loads(watched.out)["state"] == "cancelled"


@pytest.mark.deep
def test_a_host_goes_on_with_what_is_left_behind(home: Home, tmp_path: Path) -> None:
    with processes(home, tmp_path / "errors") as machine:
        assert machine.run("memory", "add", "I like tea").returncode == 0
        assert machine.run("up").returncode == 0
        begun = machine.json("memory", "rebuild", "--detach")
        assert (begun["kind"], begun["title"]) == ("rebuild", "Rebuild the search index")
        watched = machine.run("work", "watch", begun["id"])
        assert watched.returncode == 0 and watched.stdout.strip() == "1 items indexed"
        made = machine.run("backup", "create", "--detach")
        assert made.returncode == 0 and "ska work watch" in made.stderr
        assert machine.run("work", "watch", made.stdout.strip()).returncode == 0
        export = written(tmp_path / "conversations.json", [chatgpt()])
        came = machine.json("memory", "import", str(export), "--yes", "--detach")
        machine.run("work", "watch", came["id"])
        listed = machine.json("work", "list")
        assert [one["state"] for one in listed] == ["completed"] * 3
        assert machine.run("down").returncode == 0
