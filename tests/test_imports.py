"""The architecture as tests: who may import whom, what stays unloaded, how big things get."""

import ast
import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SIBLINGS = ("cli", "tui", "store", "scheduler", "bots")
FOLDERS = ("skill_agent", *SIBLINGS)
HEAVY = (
    "litellm", "torch", "sentence_transformers", "lancedb", "telegram", "xllamacpp", "onnxruntime",
)  # fmt: skip
BANNED_NAMES = {
    "utils",
    "util",
    "helpers",
    "helper",
    "manager",
    "service",
    "base",
    "common",
    "misc",
}
MAX_FILE_LINES = 500
MAX_FUNCTION_LINES = 60
OPEN_HOME = ("skill_agent/__init__.py", "skill_agent.cli.opening.home")
"""The one arrow against the star: `skill_agent.open_home` is a lazy alias."""

SOURCES = sorted(
    path.relative_to(ROOT).as_posix() for name in FOLDERS for path in (ROOT / name).rglob("*.py")
)


def imported(path: str) -> Iterator[tuple[int, str]]:
    """Every module a file imports, relative ones resolved as if installed."""
    parts = path.removesuffix(".py").split("/")
    package = parts[:-1] if parts[0] == "skill_agent" else ["skill_agent", *parts[:-1]]
    for node in ast.walk(ast.parse((ROOT / path).read_text(encoding="utf-8"))):
        match node:
            case ast.Import(names=names):
                yield from ((node.lineno, name.name) for name in names)
            case ast.ImportFrom(level=0, module=module):
                yield node.lineno, module or ""
            case ast.ImportFrom(level=level, module=module, names=names):
                above = package[: len(package) - level + 1]
                whole = [*above, *([module] if module else [])]
                # `from .. import store` names the module in the list of names.
                tails = [name.name for name in names] if not module else [""]
                yield from (
                    (node.lineno, ".".join([*whole, *([tail] if tail else [])])) for tail in tails
                )


def sibling_of(module: str) -> str:
    """The sibling folder an installed module lies in; empty for the core and everything else."""
    parts = module.split(".")
    return parts[1] if parts[0] == "skill_agent" and parts[1:2] and parts[1] in SIBLINGS else ""


@pytest.mark.parametrize("path", SOURCES)
def test_star(path: str) -> None:
    home = path.split("/")[0]
    for line, module in imported(path):
        assert module.split(".")[0] not in SIBLINGS, f"{path}:{line} bare import {module}"
        target = sibling_of(module)
        if not target or target == home or (path, module) == OPEN_HOME:
            continue
        assert home == "cli", f"{path}:{line} {home} imports {module}"


@pytest.mark.parametrize("path", [path for path in SOURCES if path.startswith("cli/")])
def test_siblings_are_imported_relatively(path: str) -> None:
    for node in ast.walk(ast.parse((ROOT / path).read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level == 0:
            assert not sibling_of(node.module or ""), f"{path}:{node.lineno} {node.module}"


def test_the_star_test_sees_what_it_forbids() -> None:
    names = {module for _, module in imported("cli/opening/hosting.py")}
    assert "skill_agent.store.lock" in names
    assert sibling_of("skill_agent.store.lock") == "store"
    assert sibling_of("skill_agent.storefront") == ""


@pytest.mark.parametrize(
    "code",
    [
        "from skill_agent.cli.main import run; run(['--help'])",
        "import skill_agent.host.runtime",
        "import skill_agent.tui.app",
        "import skill_agent.cli.opening.home",
        "from skill_agent.cli.main import run; run(['memory', '--help'])",
        "from skill_agent.cli.main import run; run(['doctor', '--help'])",
    ],
)
def test_nothing_heavy_is_imported(code: str) -> None:
    assert heavy_after(code) == []


def test_help_imports_none_of_the_commands() -> None:
    loaded = loaded_after("from skill_agent.cli.main import run; run(['--help'])")
    ours = {name for name in loaded if name.startswith("skill_agent.")}
    assert ours <= {
        "skill_agent.cli", "skill_agent.cli.main", "skill_agent.cli.lazy",
        "skill_agent.cli.plain_parameters", "skill_agent.cli.surroundings",
    }  # fmt: skip
    assert not {"rich", "pydantic", "asyncio"} & loaded


def heavy_after(code: str) -> list[str]:
    return sorted(loaded_after(code) & set(HEAVY))


def loaded_after(code: str) -> set[str]:
    """Names in `sys.modules` of a fresh interpreter that ran the code."""
    script = f"{code}\nimport json, sys; print('\\n' + json.dumps(sorted(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=120,
        stdin=subprocess.DEVNULL, env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
    )  # fmt: skip
    return set(json.loads(done.stdout.splitlines()[-1]))


@pytest.mark.parametrize("path", SOURCES)
def test_size_and_name(path: str) -> None:
    text = (ROOT / path).read_text(encoding="utf-8")
    assert len(text.splitlines()) <= MAX_FILE_LINES, f"{path} is too long: split it along ideas"
    assert Path(path).stem not in BANNED_NAMES, f"{path}: name it by what it is"
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1 - _docstring_lines(node)
            assert length <= MAX_FUNCTION_LINES, f"{path}:{node.lineno} {node.name}: {length} lines"


@pytest.mark.parametrize("path", SOURCES)
def test_modules_say_what_they_are(path: str) -> None:
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    assert not tree.body or ast.get_docstring(tree), f"{path} has no docstring"


def _docstring_lines(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    first = node.body[0]
    if ast.get_docstring(node) is None:
        return 0
    return (first.end_lineno or first.lineno) - first.lineno + 1


def test_the_wheel_has_one_name(tmp_path: Path) -> None:
    pytest.importorskip("build", reason="the package `build` is not installed")
    pytest.importorskip("hatchling", reason="hatchling is not installed")
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "-o", str(tmp_path), "."],
        cwd=ROOT, check=True, capture_output=True, timeout=180,
    )  # fmt: skip
    (wheel,) = tmp_path.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    tops = {name.split("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"skill_agent"}
    assert {"skill_agent/cli/main.py", "skill_agent/bundled/agents.toml"} <= set(names)
