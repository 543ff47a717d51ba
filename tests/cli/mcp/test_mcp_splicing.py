"""One member put into a JSON text, or taken out, and everything else left as it was."""

import pytest
from client_files import (
    CLAUDE,
    CURSOR,
    GEMINI,
    OPENCODE_2,
    VSCODE,
    ZED,
    jsonc_texts,
    read_jsonc,
    tokens,
)
from hypothesis import example, given
from hypothesis import strategies as st
from skill_agent.cli.mcp.clients.jsonc import MOST_NESTED, NotJson, parsed, value_of
from skill_agent.cli.mcp.clients.splicing import (
    NoObject,
    Unchangeable,
    is_bare,
    with_member,
    without_member,
)

ENTRY = {"command": "/opt/ä ska", "args": ["mcp", "serve", "--as", 'a"b']}
PATH = ("mcpServers", "ska")


@given(jsonc_texts())
def test_what_is_read_is_what_stands_there(text: str) -> None:
    assert value_of(text) == read_jsonc(text)


@given(jsonc_texts())
@example('{"a": 1 // c\n}')
@example('{"mcpServers": {"a": 1,/* , } */}}')
@example('{"mcpServers": {\n// c\n"a": 1 // d\n}, "b": 2}')
def test_what_is_put_in_is_there_and_all_else_as_it_was(text: str) -> None:
    before = read_jsonc(text)
    made = with_member(text, PATH, ENTRY)
    after = read_jsonc(made)
    assert after["mcpServers"].pop("ska") == ENTRY
    assert after == {**before, "mcpServers": before.get("mcpServers", {})}
    assert list(after) == list({**before, "mcpServers": 0})
    left = iter(made)
    assert all(char in left for char in text), "something that stood there is gone"


@given(jsonc_texts())
@example('{"a": 1 // c\n}')
@example('{// c\n"mcpServers": {}}')
def test_what_was_put_in_is_taken_out_again(text: str) -> None:
    back = without_member(with_member(text, PATH, ENTRY), PATH)
    if "mcpServers" not in read_jsonc(text):
        assert is_bare(back, PATH[:1])
        back = without_member(back, PATH[:1])
    assert tokens(back) == tokens(text)


@given(jsonc_texts(), st.data())
def test_any_member_can_be_taken_out_and_comments_stay(text: str, data: st.DataObject) -> None:
    before = read_jsonc(text)
    if not before:
        return
    name = data.draw(st.sampled_from(sorted(before)))
    made = without_member(text, (name,))
    assert read_jsonc(made) == {key: one for key, one in before.items() if key != name}
    outside = _comments_outside(text, name)
    assert [one for one in tokens(made) if one.startswith(("//", "/*"))] == outside


def _comments_outside(text: str, name: str) -> list[str]:
    """The comments that do not stand between a name and the comma behind its value."""
    node = parsed(text)
    member = node.member(name) if node else None
    assert member is not None
    rest = [text[: member.start], text[member.end :]]
    return [one for part in rest for one in tokens(part) if one.startswith(("//", "/*"))]


@given(jsonc_texts())
def test_one_value_is_replaced_and_its_neighbours_are_not_touched(text: str) -> None:
    made = with_member(with_member(text, PATH, {"old": [1, {"x": None}]}), PATH, ENTRY)
    assert made == with_member(text, PATH, ENTRY) or read_jsonc(made)["mcpServers"]["ska"] == ENTRY
    assert [one for one in tokens(made) if one.startswith(("//", "/*"))] == [
        one for one in tokens(text) if one.startswith(("//", "/*"))
    ]


@pytest.mark.parametrize(
    ("text", "path"),
    [
        (CLAUDE, PATH), (ZED, ("context_servers", "ska")), (VSCODE, ("servers", "ska")),
        (OPENCODE_2, ("mcp", "servers", "ska")), (CURSOR, PATH), (GEMINI, ("ui", "ska")),
        ("{}", ("ska",)), ("{}\n", ("ska",)), ('{"a":1}', PATH[1:]),
    ],
)  # fmt: skip
def test_files_as_people_have_them_come_back_byte_for_byte(
    text: str, path: tuple[str, ...]
) -> None:
    made = with_member(text, path, ENTRY)
    assert made != text
    assert without_member(made, path) == text


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ('{\n "a": 1, // c\n "ska": 1, // my\n "b": 2\n}', '{\n "a": 1, // c\n // my\n "b": 2\n}'),
        ('{"a": 1, "ska": 2, "b": 3}', '{"a": 1, "b": 3}'),
        ('{\n  // c\n  "ska": 1, "b": 2\n}', '{\n  // c\n  "b": 2\n}'),
        ('{\n  "a": 1,\n\n  "ska": 2\n}', '{\n  "a": 1\n\n}'),
        ('{ "a": 1, /* x */ "ska": 2 }', '{ "a": 1 /* x */ }'),
        ('{ "ska": 2 /* x */ }', '{ /* x */ }'),
    ],
)  # fmt: skip
def test_what_a_person_moved_is_taken_out_with_its_line(text: str, left: str) -> None:
    assert without_member(text, ("ska",)) == left


def test_it_is_written_as_the_file_is() -> None:
    made = with_member(VSCODE, ("servers", "ska"), ENTRY)
    assert "\n" not in made.replace("\r\n", "")
    assert '\r\n\t\t"ska": {\r\n\t\t\t"command": "/opt/ä ska",\r\n' in made
    made = with_member(ZED, ("context_servers", "ska"), ENTRY)
    assert '    /* more to come */\n    "ska": {\n      "command"' in made
    assert '},\n  },\n  "vim_mode"' in made, "a comma at the end is kept up"
    assert with_member(CURSOR, PATH, 1).endswith('/mcp" }, "ska": 1 } }')


@pytest.mark.parametrize("text", ["", "\n", "// nothing yet\n", "/* x */"])
def test_an_empty_file_gets_an_object(text: str) -> None:
    made = with_member(text, PATH, ENTRY)
    assert made.startswith(text)
    assert read_jsonc(made) == {"mcpServers": {"ska": ENTRY}}


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        ('{\n  "a": 1\n  "b": 2\n}', 3, 3), ('{"a": 01}', 1, 7), ("{'a': 1}", 1, 2),
        ('{"a": "x\n"}', 1, 7), ('{"a": 1} x', 1, 10), ('{"a": NaN}', 1, 7), ("[1,,2]", 1, 4),
        ('{"a": 1', 1, 8), ("/* x", 1, 1), ('{"a" 1}', 1, 6), ('{"a": tru}', 1, 7), ("{,}", 1, 2),
        ('{"a": "\\x"}', 1, 7),
    ],
)  # fmt: skip
def test_what_is_no_json_is_told_with_its_place(text: str, line: int, column: int) -> None:
    with pytest.raises(NotJson) as told:
        value_of(text)
    assert (told.value.line, told.value.column) == (line, column)
    with pytest.raises(NotJson):
        with_member(text, PATH, ENTRY)


def test_another_thing_in_the_way_is_told() -> None:
    for text in ('{"mcpServers": []}', '{"mcpServers": null}', "[]", "1"):
        with pytest.raises(NoObject):
            with_member(text, PATH, ENTRY)
        with pytest.raises(NoObject):
            without_member(text, PATH)


def test_what_is_nested_without_end_is_refused() -> None:
    for text in ("[" * 100_000, '{"a":' * 5_000, "[" * (MOST_NESTED + 1) + "]" * (MOST_NESTED + 1)):
        with pytest.raises(NotJson):
            with_member(text, PATH, ENTRY)


def test_a_name_that_stands_there_twice_is_not_half_taken_out() -> None:
    text = '{"mcpServers": {"ska": 1, "ska": 2}}'
    with pytest.raises(Unchangeable):
        without_member(text, PATH)
