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
        ("errors", "identifiers", "__init__"),
        ("values",),
        ("events", "ports", "text", "files"),
        ("settings", "skills", "conversations", "traces"),
        ("agents", "models"),
        ("memory",),
        ("tools", "privacy", "access", "workstation"),
        ("turns", "attach"),
        ("team", "jobs", "evaluation", "health", "federation", "api"),
        ("workflows", "host"),
    ])
    for name in names
}  # fmt: skip
"""A folder of the core imports what lies on lower levels, and itself."""

_GROUND = {name for name, level in LEVELS.items() if level <= 2}
_SEEN = _GROUND - {"ports"} | {"conversations", "workstation", "agents"}
KNOWN = {
    "tui": _SEEN,
    "bots": _SEEN,
    "store": {name for name, level in LEVELS.items() if level <= LEVELS["memory"]},
    "scheduler": _GROUND | {"jobs"},
    "cli": {*LEVELS},
}
"""What of the core a folder beside it knows."""

FLAT_ALLOWED: frozenset[str] | None = None
"""The modules that may lie in the core outside any folder; None while the others still move in.
In the end: `frozenset({"__init__", "errors", "identifiers"})`."""

EXCEPTIONS: dict[tuple[str, str], str] = {
    ("skill_agent.tui.shelf", "skill_agent.ports"): "`MemoryFilter` is a value and becomes one",
    ("skill_agent.tui.erase_dialog", "skill_agent.privacy.erasure_plan"): (
        "what would be erased is a value of the privacy folder to come"
    ),
}
"""Arrows that run up or across, as (module, imported module): why."""

OPEN_HOME = ("skill_agent", "skill_agent.cli.opening.home")
"""`skill_agent.open_home` is a lazy alias: the one arrow against the star."""

CIRCLES_LEFT: dict[tuple[str, str], str] = {
    ("skill_agent.ports", "skill_agent.values.person_data"): "`ImportResult` becomes a value",
    ("skill_agent.cli.surroundings", "skill_agent.cli.elsewhere"): "opening a home gets a module",
    ("skill_agent.cli.surroundings", "skill_agent.cli.init"): "opening a home gets a module",
    ("skill_agent.cli.memory_reading", "skill_agent.cli.memory"): "`choice` goes to the options",
    ("skill_agent.memory.statements", "skill_agent.memory.floor"): "`Statement` becomes a value",
    ("skill_agent.memory.statements", "skill_agent.memory.grounding"): "words get a module",
    ("skill_agent.tui.courier", "skill_agent.tui.desk"): "the desk is known by a protocol",
    ("skill_agent.tui.hearing", "skill_agent.tui.desk"): "the desk is known by a protocol",
}
"""Arrows that close a circle of modules, as (module, imported module): why."""

MAX_MODULES = 25
TOO_FULL = {"skill_agent": 54, "cli": 53, "skill_agent/memory": 52, "tui": 40, "store": 32,
            "skill_agent/api": 30}  # fmt: skip
"""Folders with more, and how many they may have until they are parted: the number only falls."""

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


def has_no_room_yet(module: str) -> bool:
    return FLAT_ALLOWED is None and is_flat(module) and room_of(module) not in LEVELS


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
            if has_no_room_yet(module) or has_no_room_yet(target) or (module, target) == OPEN_HOME:
                continue
            if may_know(room_of(module), room_of(target)):
                continue
            if (module, target) in EXCEPTIONS:
                excused.add((module, target))
            else:
                offences.append(f"{MODULES[module]}:{line} imports {target}")
    offences += [f"no longer an exception: {one}" for one in EXCEPTIONS.keys() - excused]
    assert not offences, told(offences)


def test_every_folder_has_a_level() -> None:
    rooms = {room_of(module) for module in MODULES if not has_no_room_yet(module)}
    flat = {room_of(module) for module in MODULES if is_flat(module)}
    strays = sorted(flat - FLAT_ALLOWED) if FLAT_ALLOWED is not None else []
    assert sorted(rooms - LEVELS.keys() - {*SIBLINGS}) == []
    assert strays == [], "put them into the folder of their idea"


def test_no_module_imports_itself_by_way_of_others() -> None:
    graph = {module: dict(targets) for module, targets in arrows().items()}
    stale = [one for one in CIRCLES_LEFT if one[1] not in graph.get(one[0], {})]
    for module, target in [OPEN_HOME, *CIRCLES_LEFT]:
        graph.get(module, {}).pop(target, None)
    found = [" – ".join(ring) for ring in circles(graph)]
    offences = found + [f"no longer an exception: {one}" for one in stale]
    assert not offences, told(offences)


def test_a_circle_is_seen() -> None:
    graph = {"a": {"b": 1}, "b": {"c": 1}, "c": {"b": 1, "d": 1}, "d": {}}
    assert circles(graph) == [["b", "c"]]


def test_no_folder_has_more_modules_than_one_can_overlook() -> None:
    counts = Counter(
        str(PurePosixPath(path).parent) for path in SOURCES if not path.endswith("/__init__.py")
    )
    offences = [
        f"{folder}: {count} modules"
        for folder, count in counts.items()
        if count > TOO_FULL.get(folder, MAX_MODULES)
    ]
    offences += [
        f"{folder} is no longer too full" for folder in TOO_FULL if counts[folder] <= MAX_MODULES
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
