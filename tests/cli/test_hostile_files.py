"""Whatever stands in a file of the home, in its place or in the way of it: that file is refused
in words, the rest works, and nothing takes long."""

import json
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from command_line import Ska
from searching import is_deep

from skill_agent.access.keys import keys_file
from skill_agent.files.home import Home

SECONDS = 10.0
"""Of the processor, for one command with a file of a megabyte: a guard against what runs away,
which took minutes."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A file a person can edit, and the commands that have to do with it."""

    of: Callable[[Home], Path]
    syntax: str
    refusing: tuple[str, ...] = ()
    """Commands that cannot do without it."""
    working: tuple[str, ...] = ()
    """Commands that can."""
    strict: bool = False
    """Whatever is wrong with it must be told."""


FILES: Mapping[str, Kept] = {
    "config.toml": Kept(
        lambda home: home.config,
        "toml",
        refusing=("config validate --json", "config show", "memory list --json", "doctor --json"),
        working=("agents list --json", "skills list --json", "approvals list", "templates list"),
        strict=True,
    ),
    "agents.toml": Kept(
        lambda home: home.agents,
        "toml",
        refusing=(
            "agents validate --json",
            "agents list --json",
            "agents new zoe",
            "config validate",
            "ask hello",
            "doctor --json",
        ),
        working=("memory list --json", "memory add it-rains", "sessions list --json", "status"),
        strict=True,
    ),
    "approvals.txt": Kept(
        lambda home: home.rules,
        "lines",
        refusing=("approvals list --json", "doctor"),
        working=("ask hello",),
    ),
    "api-keys.json": Kept(
        lambda home: keys_file(home.root),
        "json",
        refusing=("keys list --json", "keys create x"),
        working=("memory list",),
        strict=True,
    ),
    "a template": Kept(
        lambda home: home.templates / "mine.md",
        "lines",
        refusing=("templates show mine --json", "ask -t mine hello"),
        working=("templates list --json",),
    ),
    "agent_pages.json": Kept(
        lambda home: home.root / "agent_pages.json", "json", working=("agents pause luke",)
    ),
    "exports.json": Kept(
        lambda home: home.root / "exports.json",
        "json",
        refusing=("memory export -o {tmp}/out.jsonl",),
    ),
    "models/probes.json": Kept(
        lambda home: home.models / "probed.json", "json", working=("models list --json",)
    ),
    "host.lock.json": Kept(
        lambda home: home.lock.with_name(home.lock.name + ".json"), "json", refusing=("status",)
    ),
}

TOML = {
    "deep lists": "a = " + "[" * 500_000,
    "deep tables": ".".join("a" * 400_000) + " = 1",
    "nested below the reader's limit": "a = " + "[" * 200 + "]" * 200,
    "a huge number": "[general]\nx = " + "9" * 10_000,
    "a huge hexadecimal number": "[agents.a]\nx = 0x" + "f" * 500_000,
    "not a number": "[agents.a]\nname = nan\n[models]\ndefault = inf",
    "a NUL escaped": '[agents.a]\nname = "\\u0000"\n[models]\ndefault = "\\u0000"',
    "a key twice": "[agents.a]\n[agents.a]\n[models]\n[models]",
    "lists of tables": "[[agents]]\n[[team]]\n[[general]]\n[[models]]",
    "text for tables": "agents = 'x'\nteam = 'x'\ngeneral = 'x'\nmodels = 'x'",
    "numbers for everything": "agents = { a = 1 }\nteam = 2\ngeneral = { user = 3 }\nmodels = 4",
    "many keys": "".join(f"a{n} = 1\n" for n in range(80_000)),
    "many tables": "".join(f"[agents.a{n}]\nx = 1\n" for n in range(40_000)),
    "a long key": "a" * 900_000 + " = 1",
}
JSON = {
    "deep lists": "[" * 500_000,
    "deep objects": '{"a":' * 100_000,
    "a huge number": '{"version": ' + "9" * 10_000 + "}",
    "not a number": '{"version": NaN, "keys": Infinity}',
    "half a surrogate": '{"version": 1, "keys": [{"name": "\\ud800"}]}',
    "a key twice": '{"version": 1, "version": 1, "keys": []}',
    "a list": "[1, 2]",
    "null": "null",
    "numbers for everything": '{"version": 1, "keys": 2, "pages": 3, "figures": 4, "pid": [1]}',
    "rows of the wrong kind": '{"version": 1, "keys": [[]], "pages": [5], "figures": {"a": 1}}',
}  # fmt: skip
LINES = {
    "a head that is no table": "---\n- 1\n---\nhello",
    "keys of the wrong kind": "---\n1: 2\nnull: 3\nagent: [x]\n---\nhello",
    "options that are none": "---\noptions: {temperature: .nan, api_base: x, 5: 6}\n---\nhello",
    "half a head": "---\nagent: kyra",
}
BYTES = {
    "nothing": b"",
    "no UTF-8": b"\xff\xfe\x00a",
    "NULs": bytes(10_000),
    "megabytes": b"x = 1\n" * 1_000_000,
}


def _folder(path: Path) -> None:
    path.mkdir()


def _dangling(path: Path) -> None:
    path.symlink_to(path.with_name("nowhere"))


def _circle(path: Path) -> None:
    path.symlink_to(path)


def _link_to_pipe(path: Path) -> None:
    """Never a real device: whoever runs the tests may be allowed to replace it."""
    os.mkfifo(path.with_name("pipe"))
    path.symlink_to(path.with_name("pipe"))


PLACES: Mapping[str, Callable[[Path], None]] = {
    "a folder": _folder,
    "a pipe": os.mkfifo,
    "a link to nowhere": _dangling,
    "a link to itself": _circle,
    "a link to a pipe": _link_to_pipe,
}


def _hostilities(syntax: str) -> Mapping[str, Callable[[Path], object]]:
    def written(content: str | bytes) -> Callable[[Path], object]:
        raw = content if isinstance(content, bytes) else content.encode()
        return lambda path: path.write_bytes(raw)

    texts = {"toml": TOML, "json": JSON, "lines": LINES}[syntax]
    return {**{name: written(one) for name, one in {**texts, **BYTES}.items()}, **PLACES}


NOT_WRONG = ("nothing", "a link to nowhere")
ALL = [(name, kind) for name, kept in FILES.items() for kind in _hostilities(kept.syntax)]
CASES = ALL if is_deep() else ALL[::3]


@pytest.mark.deep
@pytest.mark.parametrize(("name", "kind"), CASES)
def test_a_hostile_file_is_refused_and_the_rest_works(
    ska: Ska, home: Home, tmp_path: Path, name: str, kind: str
) -> None:
    assert ska("init", "--yes", "--no-pull", "--offline", "-m", "openai/x").code == 0
    kept = FILES[name]
    file = kept.of(home)
    file.parent.mkdir(exist_ok=True)
    file.unlink(missing_ok=True)
    _hostilities(kept.syntax)[kind](file)
    for command in (*kept.refusing, *kept.working):
        begun = time.process_time()
        done = ska(*command.format(tmp=tmp_path).split())
        where = f"{command}: {done.code} {done.out[:300]} {done.err[:600]}"
        assert time.process_time() - begun < SECONDS, where
        assert "unexpected" not in done.err and "Traceback" not in done.err, where
        assert done.code in ((0,) if command in kept.working else (0, 1, 2)), where
        if kept.strict and command == kept.refusing[0] and kind not in NOT_WRONG:
            assert done.code and file.name in done.out + done.err, where
        if done.code:
            assert file.name in done.out + done.err or "ska" in done.err, where
        if "--json" in command and done.out:
            json.loads(done.out, parse_constant=pytest.fail)
