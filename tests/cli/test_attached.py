"""Commands while another process holds the home: they go through it, quickly, and outlive it."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from ska_processes import WITHIN_S, Processes, processes

from skill_agent.api.door.addresses import live_socket
from skill_agent.files.home import Home

MORTAL = Path(__file__).parent.parent / "attach" / "mortal_host.py"
HEAVY = {
    "pydantic", "numpy", "duckdb", "lancedb", "pyarrow", "filelock", "textual", "fastapi",
    "starlette", "uvicorn", "tomlkit", "litellm", "onnxruntime",
}  # fmt: skip
TELLING = """
import json, sys
from skill_agent.cli.main import run
code = run(sys.argv[1:])
sys.stderr.write(json.dumps(sorted({name.split(".")[0] for name in sys.modules})) + "\\n")
sys.exit(code)
"""


@pytest.fixture
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Processes]:
    root = tmp_path_factory.mktemp("m")
    with processes(Home(root / "home"), root / "errors") as made:
        yield made


@pytest.fixture
def mortal(machine: Processes) -> Iterator["Mortals"]:
    made = Mortals(machine.home)
    yield made
    made.close()


class Mortals:
    """Hosts that die on cue."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._started: list[subprocess.Popen[str]] = []

    def start(self, mode: str) -> int:
        process = subprocess.Popen(
            [sys.executable, str(MORTAL), str(self._home.root), mode],
            stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        self._started.append(process)
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        return process.pid

    def close(self) -> None:
        for process in self._started:
            process.kill()
            process.communicate()


@pytest.mark.parametrize(
    "arguments",
    [
        ("memory", "list"),
        pytest.param(("memory", "add", "I drink tea"), marks=pytest.mark.deep),
        pytest.param(("memory", "search", "tea", "--limit", "3"), marks=pytest.mark.deep),
        pytest.param(("sessions", "list"), marks=pytest.mark.deep),
        pytest.param(("ask", "hello"), marks=pytest.mark.deep),
        pytest.param(("api", "/v1/agents"), marks=pytest.mark.deep),
    ],
    ids=" ".join,
)
def test_an_attached_command_imports_nothing_heavy(
    machine: Processes, mortal: Mortals, arguments: tuple[str, ...]
) -> None:
    mortal.start("never")
    done = subprocess.run(
        [sys.executable, "-c", TELLING, "--home", str(machine.home.root), *arguments],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=WITHIN_S,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    loaded = set(json.loads(done.stderr.splitlines()[-1]))
    assert "httpx" in loaded, "it attached"
    assert loaded & HEAVY == set()


@pytest.mark.deep
def test_a_reply_cut_short_says_so_and_fails(machine: Processes, mortal: Mortals) -> None:
    mortal.start("middle")
    done = machine.run("ask", "tell me")
    assert done.returncode == 1
    assert done.stdout == "It was a dark \n"
    assert "the process that held the home went away; taking over …" in done.stderr
    assert "this process holds the home now" in done.stderr
    assert "error: " in done.stderr
    (session,) = machine.json("sessions", "list")
    assert session["messages"] == 1, "what was asked is kept"


def test_a_reply_cut_short_as_json(machine: Processes, mortal: Mortals) -> None:
    mortal.start("middle")
    done = machine.run("ask", "--json", "tell me")
    told = json.loads(done.stdout)
    assert (done.returncode, told["error"]["reason"]) == (1, "host_lost")
    assert told["text"] == "It was a dark "
    assert "went away" in done.stderr


def test_a_reply_that_was_whole_is_printed_whole(machine: Processes, mortal: Mortals) -> None:
    mortal.start("finished")
    done = machine.run("ask", "tell me")
    assert (done.returncode, done.stdout) == (0, "It was a dark and stormy night.\n")


@pytest.mark.deep
def test_files_changed_beside_the_host_count_at_once(machine: Processes, mortal: Mortals) -> None:
    pid = mortal.start("never")
    assert machine.run("agents", "new", "zoe", "--tagline", "Plans my travels").returncode == 0
    asked = machine.run("ask", "-a", "zoe", "--json", "hello")
    assert json.loads(asked.stdout)["agent"] == "zoe", asked.stderr
    assert machine.run("agents", "pause", "zoe").returncode == 0
    refused = machine.run("ask", "-a", "zoe", "hello")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "zoe" in refused.stderr.lower() and "paused" in refused.stderr
    assert machine.holder is not None and machine.holder.pid == pid


@pytest.mark.deep
def test_rules_go_through_the_host(machine: Processes, mortal: Mortals) -> None:
    mortal.start("never")
    machine.home.rules.write_text("kyra http_get:example.org\nluke http_get:example.com\n")
    assert len(machine.json("approvals", "list")) == 2
    assert machine.run("approvals", "revoke", "kyra", "http_get:example.org").returncode == 0
    assert machine.home.rules.read_text().count("http_get") == 1
    again = machine.run("approvals", "revoke", "kyra", "http_get:example.org")
    assert again.returncode == 2 and "no stored rule" in again.stderr


@pytest.mark.deep
def test_a_question_of_another_program_is_seen_and_answered(
    machine: Processes, mortal: Mortals
) -> None:
    assert machine.json("approvals", "waiting") == []
    mortal.start("asks")
    transport = httpx.HTTPTransport(uds=str(live_socket(machine.home)))
    with httpx.Client(transport=transport, base_url="http://home", timeout=WITHIN_S) as other:
        begun = other.post("/v1/turns", json={"text": "Look it up", "detach": True}).json()
        while not (found := machine.json("approvals", "waiting")):
            time.sleep(0.05)
        (waiting,) = found
        assert (waiting["turn"], waiting["tool"]) == (begun["turn"], "http_get")
        assert "http://127.0.0.1:9/weather" in machine.run("approvals", "waiting").stdout
        assert machine.run("approvals", "answer", waiting["id"], "deny").returncode == 0
        again = machine.run("approvals", "answer", waiting["id"], "once")
        assert again.returncode == 2 and "ska approvals waiting" in again.stderr
        while other.get(f"/v1/turns/{begun['turn']}").json()["state"] == "running":
            time.sleep(0.05)
    assert machine.json("approvals", "waiting") == []


@pytest.mark.deep
def test_the_doctor_looks_through_the_host(machine: Processes, mortal: Mortals) -> None:
    pid = mortal.start("never")
    done = machine.run("doctor", "--json")
    found = {one["id"]: one for one in json.loads(done.stdout)}
    assert found["lock"]["level"] == "ok" and str(pid) in found["lock"]["detail"]
    assert found["ledger"]["level"] == "ok" and "whole" in found["ledger"]["detail"]


@pytest.mark.deep
def test_lines_that_are_piped_into_chat_outlive_the_host(
    machine: Processes, mortal: Mortals
) -> None:
    mortal.start("middle")
    done = subprocess.run(
        [sys.executable, "-m", "skill_agent.cli", "--home", str(machine.home.root), "chat"],
        input="tell me\n/sessions\n", capture_output=True, text=True, timeout=WITHIN_S,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "went away; taking over" in done.stderr
    assert "tell me" in done.stdout, "the conversation is listed by the new host"
