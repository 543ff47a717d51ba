"""`ska up`, `ska down` and `ska status` as processes: one host, told apart, ended in good order."""

import json
import os
import signal
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from ska_processes import Processes, gone, processes, until
from skill_agent.cli.host.status import spoken
from skill_agent.store.lock import HomeLock

from skill_agent.api.door.addresses import live_socket
from skill_agent.files.home import Home


@pytest.fixture
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Processes]:
    root = tmp_path_factory.mktemp("m")
    with processes(Home(root / "home"), root / "errors") as made:
        yield made


def test_a_host_in_the_background_from_up_to_down(machine: Processes) -> None:
    nothing = machine.run("down")
    assert nothing.returncode == 0
    assert "nobody hosts" in nothing.stderr

    told = machine.json("up")
    pid = told["pid"]
    assert told["started"] is True
    until(lambda: machine.hosted_by(pid))
    assert os.getsid(pid) != os.getsid(0)
    log = machine.home.logs / "host.log"
    assert told["log"] == str(log)
    assert stat.S_IMODE(log.stat().st_mode) == 0o600
    assert str(pid) in log.read_text()

    again = machine.run("up")
    assert (again.returncode, again.stdout) == (0, f"{pid}\n")
    assert f"hosted already: process {pid} (ska up" in again.stderr

    found = machine.json("status")
    assert (found["state"], found["host_pid"]) == ("in use", pid)
    host = found["host"]
    assert (host["id"], host["pid"], host["role"]) == (str(machine.home.root), pid, "up")
    assert (host["addresses"], host["clients"]) == ([], [])
    assert host["version"]
    assert host["uptime_s"] >= 0
    assert Path(host["log"]).parent == machine.home.logs
    assert (found["agents"], found["memories"]) == (4, 0)
    people = machine.run("status").stdout
    assert f"process {pid} (ska up, for " in people
    assert "{" not in people

    done = machine.run("down")
    assert done.returncode == 0, done.stderr
    assert f"process {pid} has closed the home" in done.stderr
    until(lambda: gone(pid))
    assert machine.holder is None
    assert live_socket(machine.home) is None
    assert machine.json("status")["host"] is None
    assert "Traceback" not in log.read_text()
    assert "listening on" in machine.run("logs").stdout


@pytest.mark.deep
def test_a_command_works_through_the_host_and_is_seen_by_it(machine: Processes) -> None:
    pid = machine.json("up")["pid"]
    added = machine.json("memory", "add", "the cat is called Ada")
    assert added
    assert machine.json("status")["memories"] == 1
    assert machine.holder and machine.holder.pid == pid


@pytest.mark.deep
def test_a_killed_host_is_no_host(machine: Processes) -> None:
    pid = machine.json("up")["pid"]
    os.kill(pid, signal.SIGKILL)
    until(lambda: gone(pid))
    assert (machine.home.run / "host.sock").exists()
    found = machine.json("status")
    assert (found["state"], found["host"]) == ("no model yet (ska init)", None)
    assert machine.run("down").returncode == 0
    next_one = machine.json("up")
    assert next_one["started"] is True
    assert next_one["pid"] != pid


@pytest.mark.parametrize(
    "end", [signal.SIGTERM, signal.SIGINT, pytest.param(signal.SIGHUP, marks=pytest.mark.deep)]
)
def test_in_the_foreground_it_ends_in_good_order(machine: Processes, end: signal.Signals) -> None:
    process = machine.start("up", "--foreground")
    machine.until_hosted_by(process)
    process.send_signal(end)
    assert process.wait(30) == 0
    assert machine.holder is None
    assert live_socket(machine.home) is None
    assert "closing" in machine.said


@pytest.mark.deep
def test_who_stands_by_takes_over(machine: Processes) -> None:
    first = machine.start("up", "--foreground")
    machine.until_hosted_by(first)
    second = machine.start("up", "--foreground")
    until(lambda: "standing by" in machine.said)
    assert machine.hosted_by(first.pid)
    (seen,) = machine.json("status")["host"]["clients"]
    assert (seen["name"], seen["pid"]) == ("up", second.pid)
    first.kill()
    machine.until_hosted_by(second)
    done = machine.run("down")
    assert done.returncode == 0, done.stderr
    assert second.wait(30) == 0


@pytest.mark.deep
def test_a_screen_is_left_alone_unless_forced(machine: Processes) -> None:
    assert machine.json("memory", "list") == []  # makes the home
    screen = machine.start("chat")
    machine.until_hosted_by(screen)
    role = machine.json("status")["host"]["role"]
    done = machine.run("down")
    assert done.returncode == 1
    assert f"process {screen.pid}" in done.stderr
    assert "--force" in done.stderr
    assert (role, machine.hosted_by(screen.pid)) == ("chat", True)
    up = machine.run("up")
    assert f"hosted already: process {screen.pid} (ska chat" in up.stderr
    forced = machine.run("down", "--force")
    assert forced.returncode == 0, forced.stderr
    screen.wait(30)
    assert machine.holder is None


@pytest.mark.deep
def test_a_host_that_does_not_listen_is_ended_by_a_signal(machine: Processes) -> None:
    process = machine.start("up", "--foreground")
    machine.until_hosted_by(process)
    (machine.home.run / "host.sock").unlink()
    done = machine.run("down")
    assert done.returncode == 0, done.stderr
    assert process.wait(30) == 0


@pytest.mark.deep
def test_a_host_that_cannot_start_says_why(machine: Processes) -> None:
    machine.run("memory", "list")
    machine.home.config.write_text("[general\n")
    done = machine.run("up")
    assert done.returncode == 1
    assert "config.toml" in done.stderr
    assert "exit code 2" in done.stderr
    assert "ska doctor" in done.stderr
    assert "Traceback" not in done.stderr
    assert machine.holder is None


@pytest.mark.deep
def test_a_long_home_is_served_too(tmp_path: Path) -> None:
    home = Home(tmp_path / ("long" * 20) / "ho me")
    with processes(home, tmp_path / "errors") as machine:
        pid = machine.json("up")["pid"]
        path = live_socket(home)
        assert path is not None
        assert machine.json("status")["host"]["socket"] == str(path)
        assert machine.run("down").returncode == 0
        until(lambda: gone(pid))
        assert not path.parent.exists()


def test_a_home_in_use_is_told_though_its_host_does_not_answer(machine: Processes) -> None:
    machine.run("memory", "list")
    with HomeLock(machine.home.lock, role="tui"):
        found = machine.json("status")
        assert (found["host_pid"], found["host"]["role"]) == (os.getpid(), "tui")
        assert "memories" not in found
        machine.home.run.chmod(0o755)
        assert machine.run("status").returncode == 0
        done = machine.run("down")
        assert (done.returncode, f"process {os.getpid()} (ska tui" in done.stderr) == (1, True)


@pytest.mark.deep
def test_up_leaves_json_alone_on_stdout(machine: Processes) -> None:
    done = machine.run("up", "--json")
    assert json.loads(done.stdout)["id"] == str(machine.home.root)


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "0 s"), (59, "59 s"), (60, "1 min"), (3_725, "1 h 2 min"), (3_600, "1 h"),
        (90_061, "1 d 1 h"), (86_405, "1 d 5 s"),
    ],
)  # fmt: skip
def test_spans_as_people_say_them(seconds: int, said: str) -> None:
    assert spoken(seconds) == said
