"""The source tree as the tests of its architecture see it: modules, and who imports whom.

Every import counts, also the lazy ones inside functions and those for type checkers only.
"""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SIBLINGS = ("cli", "tui", "store", "scheduler", "bots")
FOLDERS = ("skill_agent", *SIBLINGS)
"""A new sibling is named here, in pyproject.toml (twice: wheel and sources) and in its pyright."""

SOURCES = sorted(
    path.relative_to(ROOT).as_posix() for name in FOLDERS for path in (ROOT / name).rglob("*.py")
)


@cache
def text_of(path: str) -> str:
    return (ROOT / path).read_text(encoding="utf-8")


@cache
def tree_of(path: str) -> ast.Module:
    return ast.parse(text_of(path))


def module_of(path: str) -> str:
    """The name a file has once it is installed; a package's `__init__` has the package's."""
    parts = path.removesuffix(".py").split("/")
    whole = parts if parts[0] == "skill_agent" else ["skill_agent", *parts]
    return ".".join(whole[:-1] if whole[-1] == "__init__" else whole)


MODULES = {module_of(path): path for path in SOURCES}


def imported(path: str) -> Iterator[tuple[int, str]]:
    """Lines and names of the modules a file imports, relative ones as if installed."""
    for line, whole, tail in _statements(path):
        # `from .. import store` and `from skill_agent.memory import life` name modules.
        named = f"{whole}.{tail}" if tail else whole
        yield line, named if named in MODULES else whole


def _statements(path: str) -> Iterator[tuple[int, str, str]]:
    package = module_of(path).split(".")
    if not path.endswith("/__init__.py"):
        package.pop()
    for node in ast.walk(tree_of(path)):
        match node:
            case ast.Import(names=names):
                yield from ((node.lineno, name.name, "") for name in names)
            case ast.ImportFrom(level=level, module=module, names=names):
                above = package[: len(package) - level + 1] if level else []
                whole = ".".join([*above, *([module] if module else [])])
                yield from ((node.lineno, whole, name.name) for name in names)


@cache
def arrows() -> dict[str, dict[str, int]]:
    """By module: the modules of ours it imports, with the line of the first import."""
    found: dict[str, dict[str, int]] = {}
    for module, path in MODULES.items():
        targets = found.setdefault(module, {})
        for line, target in imported(path):
            if target in MODULES and target != module:
                targets.setdefault(target, line)
    return found


def circles(graph: dict[str, dict[str, int]]) -> list[list[str]]:
    """The strongly connected components of more than one module (Tarjan)."""
    order: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found: list[list[str]] = []

    def visit(module: str) -> None:
        order[module] = low[module] = len(order)
        stack.append(module)
        for target in graph[module]:
            if target not in order:
                visit(target)
                low[module] = min(low[module], low[target])
            elif target in stack:
                low[module] = min(low[module], order[target])
        if low[module] == order[module]:
            ring = stack[stack.index(module) :]
            del stack[-len(ring) :]
            if len(ring) > 1:
                found.append(sorted(ring))

    for module in graph:
        if module not in order:
            visit(module)
    return sorted(found)


def told(offences: list[str]) -> str:
    """A list for the message of an assertion."""
    return "\n" + "\n".join(offences)
