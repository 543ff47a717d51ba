"""The table of commands, the global options and the wall that errors stop at."""

import os
import subprocess
import sys
from pathlib import Path
from typing import NoReturn

import pytest
import typer
from command_line import Ska
from skill_agent.cli.lazy import load
from skill_agent.cli.main import COMMANDS, run
from skill_agent.cli.opening.options import OpenOptions
from skill_agent.cli.surroundings import Surroundings
from skill_agent.store.lock import HomeLock

from skill_agent.errors import ConfigError, HomeBusy, SkillAgentError
from skill_agent.files.home import Home

SKA = [sys.executable, "-m", "skill_agent.cli"]


@pytest.mark.parametrize("name", COMMANDS)
def test_the_listed_help_is_the_commands_own(name: str) -> None:
    command = load(name, COMMANDS[name])
    own = (command.help or "").strip().splitlines()[0].rstrip(".")
    assert own == COMMANDS[name].summary


def _commands(command, path=()):
    subcommands = getattr(command, "commands", None)
    if subcommands is None:
        yield path, command
        return
    for name, inner in subcommands.items():
        yield from _commands(inner, (*path, name))


ALL = [
    (path, command)
    for name in COMMANDS
    for path, command in _commands(load(name, COMMANDS[name]), (name,))
]


@pytest.mark.parametrize(("path", "command"), ALL, ids=[" ".join(path) for path, _ in ALL])
def test_every_command_explains_itself(path: tuple[str, ...], command) -> None:
    help_text = command.help or ""
    assert help_text.strip(), f"ska {' '.join(path)} has no help"
    assert "Example" in help_text, f"ska {' '.join(path)} shows no example"
    assert f"ska {' '.join(path)}" in help_text
    for parameter in command.params:
        assert getattr(parameter, "help", None), f"ska {' '.join(path)}: {parameter.name}"


def test_help_lists_every_command(ska: Ska) -> None:
    done = ska("--help")
    assert done.code == 0
    for name, entry in COMMANDS.items():
        assert f"  {name} " in done.out
        assert entry.summary in " ".join(done.out.split())


def test_version(ska: Ska) -> None:
    assert ska("--version").out.startswith("skill-agent 0.")


def test_an_unknown_command_names_the_nearest(ska: Ska) -> None:
    done = ska("memmory")
    assert (done.code, done.out) == (2, "")
    assert "did you mean `ska memory`?" in done.err


def test_a_group_without_a_command_shows_its_help(ska: Ska) -> None:
    done = ska("memory")
    assert done.code == 2
    assert "search" in done.err
    assert "error" not in done.err.splitlines()[0]


def test_an_unknown_option(ska: Ska) -> None:
    done = ska("ask", "--frobnicate", "hello")
    assert done.code == 2
    assert "--frobnicate" in done.err
    assert "hint: ska ask --help" in done.err


def test_home_option(ska: Ska, tmp_path: Path) -> None:
    other = tmp_path / "other"
    done = ska("--home", str(other), "memory", "list")
    assert done.code == 0, done.err
    assert str(other) in done.err
    assert (other / "config.toml").is_file()
    assert not ska.home.exists


def test_first_use_by_a_script_makes_the_home(ska: Ska) -> None:
    done = ska("memory", "list", "--json")
    assert (done.code, done.json) == (0, [])
    assert "ska init" in done.err
    assert ska.home.root.stat().st_mode & 0o777 == 0o700
    assert "ska init" not in ska("memory", "list").err


def opening_raises(error: BaseException) -> OpenOptions:
    """Opens no home, but raises: its clock is broken."""

    def broken_clock() -> NoReturn:
        raise error

    return OpenOptions(clock=broken_clock)


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (SkillAgentError("it broke", hint="mend it"), 1, "error: it broke\nhint: mend it"),
        (ConfigError("no", file="c.toml", line=3, key="a.b"), 2, "c.toml:3"),
        (HomeBusy("in use by process 7", pid=7), 1, "process 7"),
        (KeyboardInterrupt(), 130, ""),
        (typer.Exit(5), 5, ""),
        (ExceptionGroup("g", [ValueError("x"), SkillAgentError("inner")]), 1, "error: inner"),
    ],
)
def test_errors_become_sentences(
    home: Home, capsys: pytest.CaptureFixture[str], error: BaseException, code: int, said: str
) -> None:
    around = Surroundings(opening=opening_raises(error), terminal=False)
    assert run(["memory", "list"], around) == code
    printed = capsys.readouterr()
    assert printed.out == ""
    assert said in printed.err
    assert "Traceback" not in printed.err


def test_the_unexpected_is_one_line_and_a_log(ska: Ska) -> None:
    assert ska("memory", "list").code == 0
    around = Surroundings(
        opening=opening_raises(RuntimeError("key sk-abcdefghijklmnopqrstuvwx")), terminal=False
    )
    ska.capsys.readouterr()
    assert run(["memory", "list"], around) == 1
    said = ska.capsys.readouterr().err
    log = ska.home.logs / "errors.log"
    assert str(log) in said
    assert "SKILL_AGENT_DEBUG" in said
    assert "Traceback" not in said
    written = log.read_text()
    assert "Traceback" in written
    assert "sk-abcdefghijklmnopqrstuvwx" not in written + said
    assert log.stat().st_mode & 0o777 == 0o600


@pytest.mark.deep
def test_a_home_in_use_is_one_sentence_with_the_pid(ska: Ska) -> None:
    ska("memory", "list")
    with HomeLock(ska.home.lock):
        for command in (["memory", "list"], ["ask", "hello"], ["chat"]):
            done = ska(*command)
            assert (done.code, done.out) == (1, "")
            assert f"process {os.getpid()}" in done.err
            assert "Traceback" not in done.err
        status = ska("status", "--json")
        assert (status.code, status.json["host_pid"]) == (0, os.getpid())


def test_without_a_terminal_there_is_help_and_no_hang() -> None:
    done = subprocess.run(SKA, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (2, "")
    assert "ska ask" in done.stderr


def test_no_ansi_and_no_traceback_when_nobody_reads() -> None:
    process = subprocess.Popen(
        [*SKA, "--help"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout and process.stderr
    process.stdout.close()
    said = process.stderr.read()
    process.wait(60)
    process.stderr.close()
    assert said == ""


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-"])
def test_closed_streams(closed: str) -> None:
    done = subprocess.run(
        ["bash", "-c", f'"{sys.executable}" -m skill_agent.cli --version {closed}'],
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")


def test_completion_offers_commands() -> None:
    done = subprocess.run(
        SKA, capture_output=True, text=True, timeout=60,
        env={
            **os.environ, "_SKA_COMPLETE": "complete_bash", "COMP_WORDS": "ska me",
            "COMP_CWORD": "1",
        },
    )  # fmt: skip
    assert "memory" in done.stdout
