"""The documents are true: every command and file in them is one, what is made from the code is what
the code says, and the tutorial runs as it stands.
"""

import importlib.util
import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main
from model_files import minilm_dir, qwen_path
from skill_agent.cli.main import app

from skill_agent.agents.parsing import parse_agents
from skill_agent.settings.schema import Settings

ROOT = Path(__file__).parent.parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
ENDS = {"|", "||", "&&", ";", "<", ">", ">>", "&", "(", ")", ">&", "|&"}


def blocks(page: Path, language: str) -> Iterator[str]:
    text = page.read_text("utf-8")
    yield from re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def command_lines(block: str) -> Iterator[list[str]]:
    """The words of each call of ska in a block of shell."""
    for line in block.replace("\\\n", " ").splitlines():
        lexer = shlex.shlex(line, posix=True, punctuation_chars="|&;<>()")
        lexer.commenters, lexer.whitespace_split = "#", True
        try:
            words = [*lexer]
        except ValueError:
            continue  # a text over several lines
        yield from calls(words)


def calls(words: list[str]) -> Iterator[list[str]]:
    for at, word in enumerate(words):
        if inner := re.search(r"\$\((ska .*)\)$", word):
            yield shlex.split(inner[1])[1:]
        begins = at == 0 or words[at - 1] in ENDS or "=" in words[at - 1]
        if word == "ska" and begins:
            rest = words[at + 1 :]
            end = next((n for n, one in enumerate(rest) if one in ENDS), len(rest))
            yield rest[:end]


def parse(words: list[str]) -> None:
    """Reads the words as ska would, and does nothing."""
    command: Any = typer.main.get_command(app)
    context = command.make_context("ska", [*words] or ["--help"], resilient_parsing=not words)
    while hasattr(command, "commands"):
        left = words_left(context)
        if not left and command.invoke_without_command:
            return
        _, command, words = command.resolve_command(context, left)
        if hasattr(command, "commands"):
            context = command.make_context(command.name, [*words], parent=context)
        else:
            command.make_context(command.name, [*words], parent=context)


def words_left(context: Any) -> list[str]:
    return [*getattr(context, "_protected_args", ()), *context.args]


LINES = [
    pytest.param(words, id=f"{page.relative_to(ROOT)}: ska {' '.join(words)}"[:90])
    for page in PAGES
    for block in blocks(page, "sh")
    for words in command_lines(block)
    if words and "--help" not in words and "…" not in words
]


def test_there_are_examples() -> None:
    assert len(LINES) > 300


@pytest.mark.parametrize("words", LINES)
def test_an_example_is_a_command(words: list[str]) -> None:
    parse(words)


def test_a_command_there_is_not_is_seen() -> None:
    for words in (["memory", "serach"], ["ask", "--modle", "x"], ["sessions", "rename"]):
        with pytest.raises(typer.TyperException):
            parse(words)


def test_files_in_the_guides_are_valid() -> None:
    (table,) = blocks(ROOT / "docs" / "own-agent.md", "toml")
    bundled = (ROOT / "agents.toml").read_text("utf-8")
    team = parse_agents(f"{bundled}\n{table}", "agents.toml")
    assert "nora" in [one.slug for one in team.agents]
    (roles,) = blocks(ROOT / "docs" / "models.md", "toml")
    assert Settings.model_validate(tomllib.loads(roles)).models.roles.powerful


def made_by(script: str) -> Any:
    spec = importlib.util.spec_from_file_location(script, ROOT / "docs" / f"{script}.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_reference_is_what_the_code_says() -> None:
    for path, text in made_by("make_reference").pages().items():
        assert path.read_text("utf-8") == text, "run: python docs/make_reference.py"


def test_every_page_is_in_the_site_and_every_entry_is_a_page() -> None:
    named = set(re.findall(r'"([\w/-]+\.md)"', (ROOT / "zensical.toml").read_text("utf-8")))
    there = {
        str(page.relative_to(ROOT / "docs"))
        for page in PAGES[1:]
        if "contributing" not in page.parts
    }
    assert named == there


@pytest.mark.deep
def test_the_site_is_built_without_a_remark(tmp_path: Path) -> None:
    zensical = Path(sys.executable).with_name("zensical")
    if not zensical.exists():
        pytest.skip("zensical is not installed: pip install 'skill-agent[docs]'")
    shutil.copytree(ROOT / "docs", tmp_path / "docs")
    shutil.copy(ROOT / "zensical.toml", tmp_path)
    done = subprocess.run(
        [zensical, "build", "--strict"], cwd=tmp_path, capture_output=True, text=True, check=False,
        timeout=240,
    )  # fmt: skip
    assert done.returncode == 0 and "No issues found" in done.stdout + done.stderr, done.stderr
    assert (tmp_path / "site" / "tutorial" / "index.html").is_file()


@pytest.mark.slow
def test_the_tutorial_runs_as_it_stands(tmp_path: Path) -> None:
    """In bash, with the real program and the real model; only fetching is done beforehand."""
    models = minilm_dir().parent
    assert qwen_path().is_relative_to(models)
    home = tmp_path / "share" / "skill-agent"
    home.mkdir(parents=True)
    (home / "models").symlink_to(models)
    script = "set -euo pipefail\n" + "\n".join(blocks(ROOT / "docs" / "tutorial.md", "sh"))
    environ = {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "HOME": str(tmp_path),
        "XDG_DATA_HOME": str(tmp_path / "share"), "LANG": "C.UTF-8",
    }  # fmt: skip
    done = subprocess.run(
        ["bash", "-c", script], env=environ, stdin=subprocess.DEVNULL, capture_output=True,
        text=True, check=False, timeout=1500,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    assert "Norway" in done.stdout and "Monday" in done.stdout
