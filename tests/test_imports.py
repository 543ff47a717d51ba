"""The star as tests: siblings do not know each other, what is heavy stays unloaded."""

import ast
import json
import subprocess
import sys
from collections.abc import Iterator

import pytest
from house import SIBLINGS, SOURCES, imported, told, tree_of

HEAVY = (
    "litellm", "torch", "sentence_transformers", "lancedb", "telegram", "xllamacpp", "onnxruntime",
    "mcp", "acp",
)  # fmt: skip
OPEN_HOME = ("skill_agent/__init__.py", "skill_agent.cli.opening.home")
"""The one arrow against the star: `skill_agent.open_home` is a lazy alias."""


def sibling_of(module: str) -> str:
    """The sibling folder an installed module lies in; empty for the core and everything else."""
    parts = module.split(".")
    return parts[1] if parts[0] == "skill_agent" and parts[1:2] and parts[1] in SIBLINGS else ""


def against_the_star(path: str) -> Iterator[str]:
    home = path.split("/")[0]
    for line, module in imported(path):
        target = sibling_of(module)
        if module.split(".")[0] in SIBLINGS:
            yield f"{path}:{line} bare import {module}"
        elif target and target != home and home != "cli" and (path, module) != OPEN_HOME:
            yield f"{path}:{line} {home} imports {module}"


def test_star() -> None:
    offences = [one for path in SOURCES for one in against_the_star(path)]
    assert not offences, told(offences)


def test_siblings_are_imported_relatively() -> None:
    offences = [
        f"{path}:{node.lineno} {node.module}"
        for path in SOURCES
        if path.startswith("cli/")
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.ImportFrom) and node.level == 0 and sibling_of(node.module or "")
    ]
    assert not offences, told(offences)


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
        "skill_agent.cli.latest", "skill_agent.cli.picking",
        "skill_agent.cli.plain_parameters", "skill_agent.cli.surroundings",
    }  # fmt: skip
    assert not {"rich", "pydantic", "asyncio"} & loaded


def test_the_screen_paints_without_what_a_home_is_told_in() -> None:
    """A hundred and sixty kinds of values take as long to make as Textual to load."""
    loaded = loaded_after("import skill_agent.tui.app")
    assert not {"skill_agent.values", "skill_agent.events"} & loaded


def heavy_after(code: str) -> list[str]:
    return sorted(loaded_after(code) & set(HEAVY))


def loaded_after(code: str) -> set[str]:
    """Names in `sys.modules` of a fresh interpreter that ran the code."""
    script = f"{code}\nimport json, sys; print('\\n' + json.dumps(sorted(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=120,
        stdin=subprocess.DEVNULL,
    )  # fmt: skip
    return set(json.loads(done.stdout.splitlines()[-1]))
