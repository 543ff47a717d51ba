"""Rows are found in a large object without holding it, and nothing else passes for one."""

import io
import json
import tracemalloc
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skill_agent.privacy.json_rows import NotRows, rows

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)
LISTS = st.lists(st.dictionaries(st.text(), VALUES, max_size=4), max_size=6)


class Dripping(io.RawIOBase):
    """Bytes that come a few at a time, whatever is asked for."""

    def __init__(self, data: bytes, step: int) -> None:
        self._data, self._step, self._at = data, step, 0

    def read(self, size: int = -1) -> bytes:
        self._at, before = self._at + self._step, self._at
        return self._data[before : self._at]


def found(data: bytes, step: int = 2**20, most: int = 10**6) -> list[tuple[str, Any]]:
    stream: Any = Dripping(data, step)
    return [(key, json.loads(raw)) for key, raw in rows(stream, ("a", "b"), most=most)]


@given(a=LISTS, b=LISTS, beside=VALUES, step=st.integers(1, 40), indent=st.sampled_from([None, 1]))
def test_what_was_written_is_found(
    a: list[Any], b: list[Any], beside: Any, step: int, indent: int | None
) -> None:
    plain = beside if not isinstance(beside, list) else {"of": beside}
    text = json.dumps({"x": plain, "a": a, "b": b}, indent=indent, ensure_ascii=False)
    told = [("a", one) for one in a] + [("b", one) for one in b]
    assert found(text.encode("utf-8", "surrogatepass"), step) == told


@pytest.mark.parametrize(
    "text",
    [
        "", "[]", "{", "null", '{"a":[]}', '{"a":[],"b":{}}', '{"a":[[]],"b":[]}',
        '{"a":[1],"b":[]}', '{"a":["x"],"b":[]}', '{"a":[{} {}],"b":[]}', '{"a":[{},],"b":[]}',
        '{"a":[{},1],"b":[]}', '{"a":[],"b":[],"c":[]}', '{"a":[],"b":[],"a":[]}',
        '{"a":[],"b":[]} x', '{"a":[],"b":[]}{}', '{"a":[{"x":"', '{"a":[],"b":[]',
        '{"a":[{"x":' + "[" * 100, '{"a":[{"x":[' + "[]," * 9_000 + "[]]}]",
        '{"a":[{"x":"' + "y" * 2_000_000 + '"}],"b":[]}',
    ],
)  # fmt: skip
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(NotRows):
        found(text.encode())


def test_no_more_is_held_than_a_row() -> None:
    """Of a file of any size: what it unpacks to is never there at once."""
    row = b'{"x":"' + b"y" * 100_000 + b'"}'
    pieces = iter([b'{"a":[' + row, *[b"," + row] * 200, b'],"b":[]}'])

    class Unpacked(io.RawIOBase):
        def read(self, size: int = -1) -> bytes:
            return next(pieces, b"")

    stream: Any = Unpacked()
    tracemalloc.start()
    try:
        assert sum(len(raw) for _, raw in rows(stream, ("a", "b"), most=10**6)) > 20_000_000
        assert tracemalloc.get_traced_memory()[1] < 2_000_000
    finally:
        tracemalloc.stop()
