"""One table put into a TOML text, or taken out, and everything else left as it was."""

import tomllib

import pytest
from client_files import CODEX
from hypothesis import example, given
from hypothesis import strategies as st
from skill_agent.cli.mcp.clients.toml_text import (
    NoTable,
    NotToml,
    value_of,
    with_member,
    without_member,
)

ENTRY = {"command": "/opt/ä ska", "args": ["mcp", "serve", "--as", 'a"b\\']}
PATH = ("mcp_servers", "ska")

_PARTS = st.sampled_from(
    [
        "# a comment\n", "\n", "[tui]\nnotifications = true # yes\n", "[mcp_servers.a]\nx = 1\n",
        "[mcp_servers.a.env]\nK = 'v'\n", "[[rules]]\nn = [\n  1, # one\n  2,\n]\n",
        '[projects."/a b"]\ntrust = """\n[mcp_servers.ska]\n"""\n', "[z]\n",
    ]
)  # fmt: skip


@st.composite
def texts(draw: st.DrawFn) -> str:
    """Tables in any order, each once, with keys before them."""
    parts = draw(st.lists(_PARTS, max_size=6, unique=True))
    head = draw(st.sampled_from(["", 'model = "x"\n', "a.b = 1\n", "\n# head\n"]))
    return head + "".join(parts)


@given(texts(), st.booleans())
@example("\n", False)
@example(CODEX, False)
@example(CODEX, True)
def test_it_comes_and_goes_and_the_rest_stays_byte_for_byte(text: str, crlf: bool) -> None:
    text = text.replace("\n", "\r\n") if crlf else text
    made = with_member(text, PATH, ENTRY)
    assert made.startswith(text)
    assert ("\n" in made.replace("\r\n", "")) is not ("\r\n" in made)
    after = tomllib.loads(made)
    assert after["mcp_servers"].pop("ska") == ENTRY
    before = tomllib.loads(text)
    assert after == {**before, "mcp_servers": before.get("mcp_servers", {})}
    assert without_member(made, PATH) == text


@given(texts())
def test_what_follows_our_table_stays_when_it_goes(text: str) -> None:
    made = with_member("", PATH, ENTRY) + "\n" + text.replace("a.b = 1\n", "")
    if text.startswith("model"):
        return  # it would belong to our table
    assert tomllib.loads(without_member(made, PATH)) == {
        name: one for name, one in tomllib.loads(made).items() if name != "mcp_servers"
    } | ({"mcp_servers": left} if (left := _others(made)) else {})


def _others(text: str) -> dict[str, object]:
    servers = tomllib.loads(text)["mcp_servers"]
    return {name: one for name, one in servers.items() if name != "ska"}


@pytest.mark.parametrize(
    "text",
    [
        'mcp_servers = { gh = { command = "x" } } # one line\n[z]\n',
        "[mcp_servers]\ngh = {command = 'x'}\n[z]\na = 1\n",
        "mcp_servers.gh.command = 'x'\n",
        "[mcp_servers]\n",
    ],
)
def test_servers_named_in_other_ways(text: str) -> None:
    made = with_member(text, PATH, ENTRY)
    assert tomllib.loads(made)["mcp_servers"]["ska"] == ENTRY
    assert without_member(made, PATH) == text


def test_one_there_is_changed_in_its_place_and_keeps_its_comments() -> None:
    text = CODEX.replace("context7", "ska")
    made = with_member(text, PATH, {**value_of(text)["mcp_servers"]["ska"], "command": "/x/ska"})
    assert made == text.replace('"npx"', '"/x/ska"')


def test_what_is_no_toml_or_no_table_is_told() -> None:
    with pytest.raises(NotToml) as told:
        with_member("a = 1\nb = = 2\n", PATH, ENTRY)
    assert (told.value.line, told.value.column) == (2, 5)
    with pytest.raises(NotToml) as told:
        with_member("a = 1\nb = [1,\n", PATH, ENTRY)
    assert told.value.line == 2
    for text in ("mcp_servers = 1\n", "[[mcp_servers]]\nx = 1\n"):
        with pytest.raises(NoTable):
            with_member(text, PATH, ENTRY)
