"""One model and one embedder a home, however many processes work on it; with real models."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from model_files import give_to
from ska_processes import Processes, processes
from skill_agent.cli.opening.home_files import init_home

from skill_agent.files.home import Home

LIGHT_KB = 140_000
"""An attached process that is ready to take over fits into this, one with a model of 98 MB not."""
ONLY_IN_THE_HOST = (".gguf", "xllamacpp", "onnxruntime")


@pytest.fixture
def ska(home: Home, tmp_path: Path) -> Iterator[Processes]:
    small = {"models.default": "embedded/smollm2-135m", "models.embedded.context_window": 2048}
    init_home(home, small)
    give_to(home, "smollm2-135m", "all-minilm-l6-v2")
    with processes(home, tmp_path / "errors") as started:
        yield started


def peak_kb(process: "subprocess.Popen[str]") -> int:
    """The most memory of its own and mapped files that a running process has held."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM")))


def mapped(process: "subprocess.Popen[str]") -> set[str]:
    """Which of the heavy files a process has mapped."""
    maps = Path(f"/proc/{process.pid}/maps").read_text()
    return {name for name in ONLY_IN_THE_HOST if name in maps}


@pytest.mark.deep
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads /proc")
def test_attached_processes_add_no_second_copy(ska: Processes) -> None:
    """By load events in the host's log, and by the memory of those who are attached."""
    host = ska.start("up", "--foreground")
    ska.until_hosted_by(host)
    chats = [ska.start("chat") for _ in range(2)]
    for chat in chats:
        assert chat.stdin
        chat.stdin.write("hello\n")
        chat.stdin.flush()
    for chat in chats:
        assert chat.stdout
        assert chat.stdout.readline()
    assert ska.json("memory", "search", "hello")
    for chat in chats:
        assert peak_kb(chat) < LIGHT_KB
        assert not mapped(chat)
    assert peak_kb(host) > 2 * LIGHT_KB
    assert mapped(host) == set(ONLY_IN_THE_HOST)
    log = (ska.home.logs / "skill-agent.log").read_text()
    assert log.count("loaded the model") == 1
    assert log.count("loaded the embedder") == 1
