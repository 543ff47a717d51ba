"""Key path -> line, over every way TOML has to write a key."""

import string
import tomllib
from typing import Any

import pytest
import tomlkit
from hypothesis import given
from hypothesis import strategies as st

from skill_agent.settings.toml_places import KeyPath, find_places, line_of

EVERY_FORM = '''\
top = 1
"quoted key" = 'x'
dotted.inner.leaf = true   # a comment = here
text = """
[not.a.header]
key = "no key" \\
"""
after_text = 2
literal = \'\'\'
more = \'\'\'
list = [
  "a", # first
  [1, 2],
  { name = "x", deep.er = 1 },
]
inline = { a = 1, b = { c = "}" } }
when = 2026-01-01 10:00:00
empty = []

[table]
key = 1
[table."dot.ted".sub]
key = 1

[[many]]
name = "one"
[many.part]
key = 1
[[many.inner]]
x = 1
[[many]]
name = "two"
[[many.inner]]
x = 2
[[many.inner]]
x = 3
'''

PLACES: list[tuple[KeyPath, int]] = [
    (("top",), 1),
    (("quoted key",), 2),
    (("dotted", "inner", "leaf"), 3),
    (("dotted", "inner"), 3),
    (("text",), 4),
    (("after_text",), 8),
    (("literal",), 9),
    (("list",), 11),
    (("list", 0), 12),
    (("list", 1), 13),
    (("list", 1, 1), 13),
    (("list", 2, "deep", "er"), 14),
    (("inline", "b", "c"), 16),
    (("when",), 17),
    (("table",), 20),
    (("table", "key"), 21),
    (("table", "dot.ted", "sub", "key"), 23),
    (("many", 0, "name"), 26),
    (("many", 0, "part", "key"), 28),
    (("many", 0, "inner", 0, "x"), 30),
    (("many", 1), 31),
    (("many", 1, "inner", 1, "x"), 36),
]


@pytest.mark.parametrize(("path", "line"), PLACES)
def test_every_form_of_key_has_its_line(path: KeyPath, line: int) -> None:
    tomllib.loads(EVERY_FORM)
    assert find_places(EVERY_FORM)[path] == line


def test_windows_line_ends_count_once() -> None:
    assert find_places("a = 1\r\n\r\nb = [\r\n  2,\r\n]\r\n")[("b", 0)] == 4


def test_an_unknown_key_falls_back_to_the_table_around_it() -> None:
    places = find_places("[a]\nb = 1\n\n[c]\n")
    assert line_of(places, ("c", "missing", "deep")) == 4
    assert line_of(places, ("nowhere",)) == 0


def test_text_that_is_not_toml_gives_what_was_found_before() -> None:
    assert find_places("a = 1\n= = =") == {("a",): 1}


names = st.text(string.ascii_letters + ' ."\\é', min_size=1, max_size=6)
scalars = st.integers() | st.booleans() | st.text(max_size=12)
documents = st.dictionaries(
    names,
    st.recursive(
        scalars,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
        max_leaves=8,
    ),
    max_size=4,
)


def _paths(value: Any, path: KeyPath = ()) -> list[KeyPath]:
    items = value.items() if isinstance(value, dict) else enumerate(value)
    found: list[KeyPath] = []
    for key, inner in items:
        found.append((*path, key))
        if isinstance(inner, dict | list):
            found += _paths(inner, (*path, key))
    return found


@given(documents)
def test_every_key_of_any_document_is_found(document: dict[str, Any]) -> None:
    text = tomlkit.dumps(document)
    try:
        read = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return  # tomlkit's own slip, not ours
    places = find_places(text)
    lines = text.count("\n") + 1
    missing = [path for path in _paths(read) if path not in places]
    assert not missing
    assert all(1 <= line <= lines for line in places.values())
