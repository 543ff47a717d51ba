"""`docs/security.md`: each promise names tests that prove it, and these are there."""

import ast
import re
from functools import cache
from itertools import pairwise
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "security.md"
PROOF = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")


def promising(page: str) -> list[str]:
    """The lines of the part that promises."""
    return page.partition("\n## What is promised\n")[2].partition("\n## ")[0].splitlines()


def promises(page: str) -> dict[str, list[tuple[str, str]]]:
    """Each promise, a row of a table, with its proofs: a file and a test's name."""
    rows = [line for line in promising(page) if line.startswith("|")]
    cells = [row.split("|") for row in rows if not row.startswith(("| promise |", "|---"))]
    return {promise.strip(): PROOF.findall("".join(proofs)) for _, promise, *proofs in cells}


@cache
def names_of_tests(file: str) -> frozenset[str]:
    """What pytest would collect of a file, read without running it."""
    path = ROOT / file
    tree = ast.parse(path.read_text("utf-8")) if path.is_file() else ast.Module([], [])
    return frozenset(
        one.name
        for one in tree.body
        if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef) and one.name.startswith("test_")
    )


def missing(page: str) -> list[str]:
    """Proofs anywhere on the page that are no test, and promises without a proof."""
    lost = [
        f"{file}::{name}" for file, name in PROOF.findall(page) if name not in names_of_tests(file)
    ]
    return [*lost, *(promise for promise, proofs in promises(page).items() if not proofs)]


def test_each_promise_has_a_proof_that_is_there() -> None:
    page = PAGE.read_text("utf-8")
    assert len(promises(page)) > 30
    assert missing(page) == []


def test_no_promise_stands_outside_the_tables() -> None:
    """A list, or a table of another form, would not be seen."""
    lines = promising(PAGE.read_text("utf-8"))
    assert not [line for line in lines if re.match(r"\s*(?:[-*+]|\d+\.) ", line)]
    heads = [one for one, below in pairwise(lines) if below.startswith("|---")]
    assert set(heads) == {"| promise | proof |"}


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ("| It holds. | `tests/test_house.py::test_functions_are_short` |", []),
        ("| It holds. | nobody knows |", ["It holds."]),
        ("| It holds. | |", ["It holds."]),
        ("| It holds. | `tests/none.py::test_x` |", ["tests/none.py::test_x"]),
        ("| It holds. | `tests/test_house.py::test_none` |", ["tests/test_house.py::test_none"]),
        ("| It holds. | `tests/test_house.py::source` |", ["tests/test_house.py::source"]),
    ],
)
def test_what_is_not_proven_is_seen(row: str, told: list[str]) -> None:
    page = f"# S\n\n## What is promised\n\n| promise | proof |\n|---|---|\n{row}\n\n## Not\n\n| a |"
    assert missing(page) == told


def test_the_pages_it_leads_to_are_there() -> None:
    for link in re.findall(r"\]\(([\w./-]+)\)", PAGE.read_text("utf-8")):
        assert (PAGE.parent / link).is_file(), link
