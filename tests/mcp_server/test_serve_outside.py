"""The server judged by programs that are not ours: the conformance suite and the Inspector.

Both are Node programs: MCP_NODE_MODULES names the `node_modules` folder they lie in, MCP_NODE a
Node of version 22 or newer where the one on PATH is older. Without them these tests skip.
"""

import asyncio
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from fixture_server import fixture_server
from hosted import hosted

from skill_agent.files.home import Home

pytestmark = pytest.mark.deep
WITHIN_S = 200
BASELINE = Path(__file__).parent / "conformance-baseline.yml"


@pytest.fixture(scope="module")
def node() -> str:
    found = os.environ.get("MCP_NODE") or shutil.which("node")
    if not found:
        pytest.skip("there is no Node here: set MCP_NODE")
    told = subprocess.run([found, "--version"], capture_output=True, text=True).stdout
    if int(re.sub(r"^v(\d+).*", r"\1", told.strip()) or 0) < 22:
        pytest.skip(f"Node is {told.strip()}, and 22 is needed: set MCP_NODE")
    return found


def script(package: str, entry: str) -> str:
    modules = os.environ.get("MCP_NODE_MODULES")
    if not modules:
        pytest.skip("MCP_NODE_MODULES names no folder of Node packages")
    path = Path(modules) / "@modelcontextprotocol" / package / entry
    if not path.is_file():
        pytest.skip(f"there is no {package} in {modules}")
    return str(path)


async def ran(*command: str, folder: Path) -> tuple[int | None, str]:
    """The exit code of a program, and all it said."""
    process = await asyncio.create_subprocess_exec(
        *command, cwd=folder, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        env={**os.environ, "PATH": f"{Path(command[0]).parent}{os.pathsep}{os.environ['PATH']}"},
    )  # fmt: skip
    out, _ = await asyncio.wait_for(process.communicate(), WITHIN_S)
    return process.returncode, out.decode()


async def test_the_conformance_suite_finds_what_the_baseline_says(
    node: str, tmp_path: Path
) -> None:
    suite = script("conformance", "dist/index.js")
    async with fixture_server() as address:
        code, said = await ran(
            node, suite, "server", "--url", address, "--suite", "all",
            "--expected-failures", str(BASELINE), folder=tmp_path,
        )  # fmt: skip
    assert code == 0, said
    total = re.search(r"Total: (\d+) passed, (\d+) failed", said)
    assert total is not None, said
    assert (int(total[1]), int(total[2])) == (22, 15), said


@pytest.fixture
def inspector(node: str) -> list[str]:
    return [node, script("inspector", "cli/build/cli.js"), "--cli"]


async def inspected(command: list[str], *asked: str, folder: Path) -> Any:
    code, said = await ran(*command, *asked, folder=folder)
    assert code == 0, said
    return json.loads(said[said.index("{") :])


async def test_the_inspector_over_http(inspector: list[str], tmp_path: Path, home: Home) -> None:
    async with hosted(home) as host:
        address = await host.listens(auth=False)  # some of its versions can send no key
        reached = [*inspector, address, "--transport", "http"]
        listed = await inspected(reached, "--method", "tools/list", folder=tmp_path)
        assert listed["tools"][0]["name"] == "echo"
        call = ("--method", "tools/call", "--tool-name", "echo", "--tool-arg", "say=hi")
        told = await inspected(reached, *call, folder=tmp_path)
        assert told["structuredContent"] == {"said": "hi"}


async def test_the_inspector_over_standard_streams(
    inspector: list[str], tmp_path: Path, home: Home
) -> None:
    async with hosted(home):
        ska = [sys.executable, "-m", "skill_agent.cli", "mcp", "serve"]
        started = [*inspector, "-e", f"SKILL_AGENT_HOME={home.root}", *ska]
        listed = await inspected(started, "--method", "tools/list", folder=tmp_path)
        assert listed["tools"][0]["name"] == "echo"
        call = ("--method", "tools/call", "--tool-name", "echo", "--tool-arg", "say=hi")
        told = await inspected(started, *call, folder=tmp_path)
        assert told["structuredContent"] == {"said": "hi"}
        read = ("--method", "resources/read", "--uri", "paper://one")
        assert (await inspected(started, *read, folder=tmp_path))["contents"][0]["text"]
