"""`ska serve` as a process: where it listens, whom it refuses, and what survives its host."""

import re
import signal
from collections.abc import Iterator

import httpx
import pytest
from command_line import Ska
from ska_processes import Processes, processes, until

from skill_agent.files.home import Home


@pytest.fixture
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Processes]:
    root = tmp_path_factory.mktemp("m")
    with processes(Home(root / "home"), root / "errors") as made:
        yield made


def address_of(machine: Processes, process) -> str:
    line = process.stdout.readline().strip()
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+", line), line + machine.said
    return line


def key_of(machine: Processes) -> dict[str, str]:
    machine.run("memory", "list")
    key = machine.run("keys", "create", "test", "--scope", "read").stdout.split()[0]
    return {"Authorization": f"Bearer {key}"}


def test_with_a_key_and_not_without_until_it_ends(machine: Processes) -> None:
    key = key_of(machine)
    process = machine.start("serve", "--port", "0")
    address = address_of(machine, process)
    assert httpx.get(f"{address}/v1/home").status_code == 401
    answer = httpx.get(f"{address}/v1/home", headers=key)
    assert answer.status_code == 200
    assert httpx.get(f"{address}/v1/host", headers=key).status_code in (403, 404)
    host = machine.json("status")["host"]
    assert (host["role"], host["addresses"]) == ("serve", [address.removeprefix("http://")])
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 0
    with pytest.raises(httpx.ConnectError):
        httpx.get(address)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--host", "0.0.0.0", "--no-auth"], "without authentication"),
        (["--port", "0"], "ska keys create NAME"),
        (["--no-auth", "--cors", "*"], "every website"),
        (["--no-auth", "--cors", "example.org/x"], "no origin"),
        (["--no-auth", "--host", "192.0.2.1"], "no address of this machine"),
        (["--no-auth", "--host", ""], "missing"),
    ],
)
def test_what_is_refused(ska: Ska, arguments: list[str], said: str) -> None:
    done = ska("serve", *arguments)
    assert (done.code, done.out) == (2, "")
    assert said in done.err


@pytest.mark.deep
def test_without_a_key_it_is_said_who_may_come(machine: Processes) -> None:
    process = machine.start("serve", "--no-auth", "--port", "0")
    address = address_of(machine, process)
    assert httpx.get(f"{address}/v1/counts").status_code == 200
    elsewhere = {"Sec-Fetch-Site": "cross-site"}
    assert httpx.get(f"{address}/v1/counts", headers=elsewhere).status_code == 403
    process.send_signal(signal.SIGINT)
    assert process.wait(30) == 0
    assert "warning: no key is asked for" in machine.said
    assert "Every user and program of this machine can read and change all" in machine.said


@pytest.mark.deep
def test_a_port_in_use(machine: Processes) -> None:
    port = address_of(machine, machine.start("serve", "--no-auth", "--port", "0")).rpartition(":")
    done = machine.run("serve", "--no-auth", "--port", port[2])
    assert done.returncode == 2
    assert "is in use" in done.stderr


@pytest.mark.deep
def test_where_another_process_hosts_that_one_listens_and_stops_with_us(
    machine: Processes,
) -> None:
    machine.json("up")
    ours, other = (machine.start("serve", "--no-auth", "--port", "0") for _ in range(2))
    address, second = address_of(machine, ours), address_of(machine, other)
    assert httpx.get(f"{address}/v1/home").status_code == 200
    host = machine.json("status")["host"]
    assert host["role"] == "up"
    assert {f"http://{one}" for one in host["addresses"]} == {address, second}
    ours.send_signal(signal.SIGINT)
    assert ours.wait(30) == 0
    with pytest.raises(httpx.ConnectError):
        httpx.get(address)
    other.kill()
    other.wait(30)
    until(lambda: machine.json("status")["host"]["addresses"] == [])


@pytest.mark.parametrize(
    "end", [signal.SIGKILL, pytest.param(signal.SIGTERM, marks=pytest.mark.deep)]
)
def test_when_the_host_goes_away_the_address_stays(machine: Processes, end: signal.Signals) -> None:
    host = machine.start("up", "--foreground")
    machine.until_hosted_by(host)
    process = machine.start("serve", "--no-auth", "--port", "0")
    address = address_of(machine, process)
    host.send_signal(end)
    host.wait(30)
    until(lambda: "serves http" in machine.said, lambda: machine.said)
    assert machine.hosted_by(process.pid)
    assert httpx.get(f"{address}/v1/home").status_code == 200
    assert machine.run("down").returncode == 0
    assert process.wait(30) == 0
