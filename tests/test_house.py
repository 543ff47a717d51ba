"""The rooms of the house as tests: which folder may know which, no circles, how big things get.

Each is one test that lists every offence. Exceptions stand here by name with their reason, and one
that is no longer needed is an offence too.
"""

import ast
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import PurePosixPath

import pytest
from house import MODULES, SIBLINGS, SOURCES, arrows, circles, text_of, told, tree_of

LEVELS = {
    name: level
    for level, names in enumerate([
        ("errors", "identifiers", "route", "__init__"),
        ("values",),
        ("text",),
        ("events", "ports"),
        ("files", "traces"),
        ("settings", "skills", "conversations", "questions", "programs"),
        ("agents",),
        ("models",),
        ("memory",),
        ("tools", "privacy"),
        ("turns", "backups", "imports", "webhooks", "mcp_client"),
        ("team", "delivery", "bridges", "acp_client", "evaluation", "health", "federation"),
        ("jobs",),
        ("workflows",),
        ("workstation",),
        ("access",),
        ("mcp_server", "acp_agent"),
        ("attach", "api"),
        ("host",),
    ])
    for name in names
}  # fmt: skip
"""A folder of the core imports what lies on lower levels, and itself. The workstation stands above
all that offers operations: their interfaces lie in the folders of their ideas."""

_GROUND = {name for name, level in LEVELS.items() if level <= LEVELS["files"]}
_SEEN = _GROUND - {"ports"} | {"conversations", "workstation", "agents"}
KNOWN = {
    "tui": _SEEN,
    "bots": _SEEN | {"bridges"},
    "store": {name for name, level in LEVELS.items() if level <= LEVELS["memory"]},
    "scheduler": _GROUND,
    "cli": {*LEVELS},
}
"""What of the core a folder beside it knows."""

INSIDE = {
    "skill_agent.memory": (
        ("words",), ("recall",), ("",), ("contradictions",), ("extraction", "summaries"),
        ("care",),
    ),
    "skill_agent.api": (("door",), ("answers",), ("routes",), ("",)),
    "skill_agent.store": (
        ("ledger", "embedding", "lock"),
        ("duckdb_ledger", "duckdb_tables", "lance_index", "embedders"),
    ),
    "skill_agent.tui": (
        ("frame",),
        (
            "memory", "team", "inbox", "work", "jobs", "skills", "usage", "logs", "settings",
            "agents",
        ),
        ("talk",), ("places",), ("app",),
    ),
}  # fmt: skip
"""The order of the folders inside a folder, the lowest first; `""` is what lies in it directly."""

FLAT_ALLOWED = frozenset({"__init__", "errors", "identifiers", "route"})
"""The modules that lie in the core outside any folder."""

EXCEPTIONS: dict[tuple[str, str], str] = {}
"""Arrows that run up or across, as (module, imported module): why."""

OPEN_HOME = ("skill_agent", "skill_agent.cli.opening.home")
"""`skill_agent.open_home` is a lazy alias: the one arrow against the star."""

MAX_MODULES = 25
MAX_FUNCTION_LINES = 60
LONG_FILE, MAX_FILE_LINES = 400, 700
BANNED_NAMES = frozenset({
    "utils", "util", "helpers", "helper", "manager", "service", "base", "common", "misc",
})  # fmt: skip


def room_of(module: str) -> str:
    """The folder of the core or the sibling a module lies in; `errors` stands for itself."""
    return [*module.split("."), "__init__"][1]


def is_flat(module: str) -> bool:
    """Whether it lies in the core outside any folder."""
    path = MODULES[module]
    return path.startswith("skill_agent/") and path.count("/") == 1


def may_know(room: str, other: str) -> bool:
    if room == other:
        return True
    if room in KNOWN:
        return other in KNOWN[room] or room == "cli"
    return LEVELS[other] < LEVELS[room] if {room, other} <= LEVELS.keys() else False


def test_every_folder_knows_lower_ones_only() -> None:
    offences, excused = list[str](), set[tuple[str, str]]()
    for module, targets in arrows().items():
        for target, line in targets.items():
            if (module, target) == OPEN_HOME:
                continue
            if may_know(room_of(module), room_of(target)):
                continue
            if (module, target) in EXCEPTIONS:
                excused.add((module, target))
            else:
                offences.append(f"{MODULES[module]}:{line} imports {target}")
    offences += [f"no longer an exception: {one}" for one in EXCEPTIONS.keys() - excused]
    assert not offences, told(offences)


def place_in(folder: str, module: str) -> str | None:
    """The part of a folder a module lies in; None outside of it."""
    if module != folder and not module.startswith(f"{folder}."):
        return None
    part = module.removeprefix(folder).removeprefix(".").split(".")[0]
    named = {one for level in INSIDE[folder] for one in level}
    return part if part in named else ""


def test_the_folders_inside_a_folder_know_lower_ones_only() -> None:
    offences: list[str] = []
    for folder, levels in INSIDE.items():
        level_of = {part: level for level, parts in enumerate(levels) for part in parts}
        for module, targets in arrows().items():
            part = place_in(folder, module)
            for target, line in targets.items():
                other = place_in(folder, target)
                if part is None or other is None or part == other:
                    continue
                if level_of.get(other, -1) >= level_of.get(part, -1):
                    offences.append(f"{MODULES[module]}:{line} imports {target}")
    assert not offences, told(offences)


def test_every_folder_has_a_level() -> None:
    rooms = {room_of(module) for module in MODULES}
    flat = {room_of(module) for module in MODULES if is_flat(module)}
    strays = sorted(flat - FLAT_ALLOWED)
    assert sorted(rooms - LEVELS.keys() - {*SIBLINGS}) == []
    assert strays == [], "put them into the folder of their idea"


def test_no_module_imports_itself_by_way_of_others() -> None:
    graph = {module: dict(targets) for module, targets in arrows().items()}
    graph.get(OPEN_HOME[0], {}).pop(OPEN_HOME[1], None)
    offences = [" – ".join(ring) for ring in circles(graph)]
    assert not offences, told(offences)


def test_a_circle_is_seen() -> None:
    graph = {"a": {"b": 1}, "b": {"c": 1}, "c": {"b": 1, "d": 1}, "d": {}}
    assert circles(graph) == [["b", "c"]]


def test_no_folder_has_more_modules_than_one_can_overlook() -> None:
    counts = Counter(
        str(PurePosixPath(path).parent) for path in SOURCES if not path.endswith("/__init__.py")
    )
    offences = [
        f"{folder}: {count} modules" for folder, count in counts.items() if count > MAX_MODULES
    ]
    assert not offences, told(offences)


def functions(path: str) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def length_of(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines without the docstring."""
    whole = (node.end_lineno or node.lineno) - node.lineno + 1
    first = node.body[0]
    if ast.get_docstring(node) is not None:
        whole -= (first.end_lineno or first.lineno) - first.lineno + 1
    return whole


def test_functions_are_short() -> None:
    offences = [
        f"{path}:{node.lineno} {node.name}: {length_of(node)} lines"
        for path in SOURCES
        for node in functions(path)
        if length_of(node) > MAX_FUNCTION_LINES
    ]
    assert not offences, told(offences)


def test_files_are_no_longer_than_their_idea(
    record_property: Callable[[str, object], None],
) -> None:
    lengths = {path: len(text_of(path).splitlines()) for path in SOURCES}
    for path, lines in lengths.items():
        if lines > LONG_FILE:
            record_property("remark", f"{path} has {lines} lines")
    offences = [f"{path}: {lines}" for path, lines in lengths.items() if lines > MAX_FILE_LINES]
    assert not offences, told(offences)


def test_modules_say_what_they_are() -> None:
    offences = [
        path for path in SOURCES if tree_of(path).body and not ast.get_docstring(tree_of(path))
    ]
    assert not offences, told(offences)


def test_modules_are_named_by_what_they_are() -> None:
    offences = [path for path in SOURCES if PurePosixPath(path).stem in BANNED_NAMES]
    assert not offences, told(offences)


@pytest.mark.parametrize(
    ("room", "other", "allowed"),
    [
        ("memory", "values", True), ("values", "memory", False), ("memory", "memory", True),
        ("tools", "privacy", False), ("tui", "turns", False), ("store", "memory", True),
        ("store", "tui", False), ("cli", "tui", True), ("cli", "turns", True),
    ],
)  # fmt: skip
def test_the_level_test_sees_what_it_forbids(room: str, other: str, allowed: bool) -> None:
    assert may_know(room, other) is allowed
