"""`--api URL`: the same commands on a home that is served somewhere else."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from command_line import Ska
from ska_processes import WITHIN_S, Processes, processes
from skill_agent.cli.opening.remote_home import checked, own_files

from skill_agent.errors import UsageError
from skill_agent.files.home import Home

SERVE = """
import sys
sys.path.insert(0, {tests!r})
from fakes import HashEmbedder
from skill_agent.cli.opening.options import OpenOptions
from skill_agent.cli.main import run
from skill_agent.cli.surroundings import Surroundings
from skill_agent.models.scripted import ScriptedGateway, ScriptedModel
gateway = ScriptedGateway(ScriptedModel(otherwise="From far away."))
sys.exit(run(sys.argv[1:], Surroundings(opening=OpenOptions(
    gateway=gateway, embedder=HashEmbedder()))))
"""


class Remote:
    """A served home, and `ska` on a machine that only knows its address."""

    def __init__(self, machine: Processes, root: Path) -> None:
        machine.run("memory", "list")
        created = machine.run("keys", "create", "test", "--scope", "admin")
        self.key = created.stdout.split()[0]
        self._environment = {
            **{name: value for name, value in os.environ.items() if "SKILL_AGENT" not in name},
            "XDG_STATE_HOME": str(root / "state"),
            "XDG_DATA_HOME": str(root / "data"),
        }
        self.state, self.data = root / "state", root / "data"
        script = root / "serve.py"
        script.write_text(SERVE.format(tests=str(Path(__file__).parent.parent)))
        self._process = subprocess.Popen(
            [sys.executable, str(script), "--home", str(machine.home.root), "serve", "--port", "0"],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=self._environment,
        )  # fmt: skip
        assert self._process.stdout is not None
        self.url = self._process.stdout.readline().strip()

    def ska(self, *arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
        known = {"SKILL_AGENT_API": self.url, "SKILL_AGENT_API_KEY": self.key}
        return subprocess.run(
            [sys.executable, "-m", "skill_agent.cli", *arguments],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=WITHIN_S,
            env={**self._environment, **known, **environment},
        )  # fmt: skip

    def json(self, *arguments: str) -> Any:
        done = self.ska(*arguments, "--json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def close(self) -> None:
        self._process.kill()
        self._process.communicate()


@pytest.fixture(scope="module")
def there(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Remote]:
    root = tmp_path_factory.mktemp("m")
    with processes(Home(root / "home"), root / "errors") as machine:
        made = Remote(machine, root)
        yield made
        made.close()


def test_asking_and_remembering(there: Remote) -> None:
    assert there.ska("ask", "hello").stdout == "From far away.\n"
    memory = there.ska("memory", "add", "I drink tea").stdout.strip()
    (found, *_) = there.json("memory", "search", "tea")
    assert found["id"] == memory
    assert there.ska("memory", "forget", memory, "--yes").returncode == 0
    (session, *_) = there.json("sessions", "list")
    assert session["messages"] == 2
    assert not there.data.exists(), "no home was made here"


@pytest.mark.deep
def test_the_team_is_the_other_machines(there: Remote) -> None:
    assert there.ska("agents", "new", "zoe", "--tagline", "Plans").returncode == 0
    assert "zoe" in [one["id"] for one in there.json("agents", "list")]
    assert there.ska("agents", "clone", "zoe", "nora").returncode == 0
    paused = there.ska("agents", "pause", "nora")
    assert "is now paused" in paused.stderr
    assert there.json("agents", "show", "nora")["status"] == "paused"
    nobody = there.ska("agents", "show", "nobody")
    assert (nobody.returncode, nobody.stdout) == (2, "")
    assert there.json("skills", "list") and there.json("models", "list")
    assert there.json("approvals", "list") == []


@pytest.mark.parametrize(
    "arguments",
    [
        ("init",), ("doctor",), ("config", "show"), ("config", "path"), ("models", "pull", "x"),
        ("models", "path"), ("skills", "show", "weather"), ("agents", "validate"), ("up",),
        ("down",), ("serve",), ("logs",), ("keys", "list"), ("service", "show"),
        ("user", "export", "me.zip"), ("user", "import", "me.zip"), ("agents", "export"),
    ],
    ids=" ".join,
)  # fmt: skip
def test_what_works_on_files_is_refused(there: Remote, arguments: tuple[str, ...]) -> None:
    done = there.ska(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert "machine" in done.stderr
    assert not there.data.exists()


@pytest.mark.deep
def test_a_wrong_key_and_an_address_where_nobody_is(there: Remote) -> None:
    refused = there.ska("memory", "list", SKILL_AGENT_API_KEY="wrong")
    assert refused.returncode != 0 and refused.stdout == ""
    assert "Traceback" not in refused.stderr
    nobody = there.ska("memory", "list", SKILL_AGENT_API="http://127.0.0.1:9")
    assert nobody.returncode == 3
    assert "nobody answers at http://127.0.0.1:9" in nobody.stderr


def test_a_home_that_is_named_wins_over_the_environment(there: Remote, tmp_path: Path) -> None:
    done = there.ska("--home", str(tmp_path / "own"), "memory", "list", "--json")
    assert json.loads(done.stdout) == [], done.stderr
    both = there.ska("--home", str(tmp_path), "--api", there.url, "memory", "list")
    assert both.returncode == 2 and "exclude each other" in both.stderr


@pytest.mark.parametrize(
    "url", ["nonsense", "ftp://example.org", "http://", "http://x:port", "http://me:key@x"]
)
def test_what_is_no_address(ska: Ska, url: str) -> None:
    done = ska("--api", url, "memory", "list")
    assert (done.code, done.out) == (2, "")
    assert "--api" in done.err


def test_files_of_two_addresses_are_apart() -> None:
    one, two = own_files("https://a.example.org"), own_files("https://b.example.org")
    assert one != two
    assert checked("https://a.example.org/") == "https://a.example.org"
    with pytest.raises(UsageError):
        checked("a.example.org")


@pytest.mark.parametrize(
    ("url", "warned"),
    [
        ("http://ska.example.org", True),
        ("https://ska.example.org", False),
        ("http://127.0.0.1:8347", False),
    ],
)
def test_a_key_in_the_clear_is_told(
    ska: Ska, url: str, warned: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SKILL_AGENT_API_KEY", "ska_secret")
    told = ska("--api", url, "config", "path").err
    assert ("unencrypted" in told) is warned
    assert "ska_secret" not in told
