"""config.toml changed by command: what is around stays, what cannot be is refused whole."""

import asyncio
import tomllib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skill_agent.errors import ConfigErrors, Conflict, NotFound, StoreError, UsageError
from skill_agent.settings.config_file import ConfigFile, find
from skill_agent.settings.edits import with_value, without
from skill_agent.settings.template import default_config_text

LAID_OUT = """\
# mine
models.default = "a/b" # why

[tui]
bell = true   # rings

[tui.keys] # my keys
"talk.new" = "ctrl+t" # as before
"go.memory" = "f4"
"""
SHORT = "[models]\n# Which one.\n# default = 'a/b'\n\n[tui]\nbell = true\n"
TEXTS = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), max_size=40)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "config.toml"
    path.write_text(default_config_text(), encoding="utf-8")
    return path


def changed(before: str, after: str) -> list[str]:
    pairs = zip(before.split("\n"), after.split("\n"), strict=True)
    return [new for old, new in pairs if old != new]


def test_a_default_is_written_where_it_is_explained(file: Path) -> None:
    before = file.read_text()
    config = ConfigFile(file, {})
    assert config.write("models.fallback", "a/b, c/d").value == '["a/b", "c/d"]'
    assert changed(before, file.read_text()) == ['fallback = ["a/b", "c/d"]']
    config.write("models.fallback", None)
    assert file.read_text() == before
    assert file.stat().st_mode & 0o777 == 0o600


def test_what_is_noted_around_it_stays(file: Path) -> None:
    file.write_text(LAID_OUT)
    config = ConfigFile(file, {})
    config.write("tui.bell", "off")
    config.write("models.default", "x/y")
    config.write("tui.keys.talk.new", "f12")
    config.write("tui.keys.go.usage", "f3")
    config.write("tui.keys.go.memory", None)
    config.write("memory.history_messages", "7")
    text = file.read_text()
    for kept in ("# mine", "# why", "# rings", "[tui.keys] # my keys", "# as before"):
        assert kept in text
    assert tomllib.loads(text) == {
        "models": {"default": "x/y"},
        "tui": {"bell": False, "keys": {"talk.new": "f12", "go.usage": "f3"}},
        "memory": {"history_messages": 7},
    }


@pytest.mark.parametrize(
    ("key", "value", "told"),
    [
        ("tui.motion", "redused", 'did you mean "reduced"?'),
        ("memory.history_messages", "1", "a whole number of at least 2, got 1"),
        ("memory.history_messages", "many", "expected a whole number"),
        ("tui.bell", "perhaps", "expected true or false"),
        ("general.default_agent", "lukee", 'did you mean "luke"?'),
        ("jobs.quiet_hours", "at night", "22:00-07:00"),
        ("mcp.servers", "{ a = { comand = 'x' } }", 'did you mean "command"?'),
        ("models.fallback", "[1, ", "not valid TOML"),
        ("models.fallback", "[" * 5_000, "TOML"),
        ("models.api_base", "openai", "NAME=VALUE"),
        ("general.user", "\ud800", "half a character"),
        ("general.user", "x" * 30_000, "too long"),
        ("general.user", "a\0b", "NUL"),
    ],
)
def test_what_it_cannot_be_is_refused_in_words(file: Path, key: str, value: str, told: str) -> None:
    before = file.read_text()
    with pytest.raises(UsageError) as caught:
        ConfigFile(file, {}, slugs=lambda: ("kyra", "luke")).write(key, value)
    assert told in str(caught.value) and file.read_text() == before


@pytest.mark.parametrize(
    ("key", "hint"),
    [("tui.bel", "tui.bell"), ("tui", "ska config show tui"), ("", "ska config show"),
     ("acp.programs.x", "acp.programs"), ("\ud800", ""), ("models.default.x", "models.default")],
)  # fmt: skip
def test_what_is_no_setting(file: Path, key: str, hint: str) -> None:
    with pytest.raises(UsageError) as caught:
        ConfigFile(file, {}).write(key, "true")
    assert hint in caught.value.hint


def test_the_environment_and_other_windows_come_first(file: Path) -> None:
    config = ConfigFile(file, {"SKILL_AGENT_TUI_BELL": "off"})
    (bell,) = [one for one in config.read() if one.id == "tui.bell"]
    assert (bell.value, bell.origin, bell.variable) == ("false", "env", "SKILL_AGENT_TUI_BELL")
    with pytest.raises(UsageError, match="SKILL_AGENT_TUI_BELL"):
        config.write("tui.bell", "true")
    ConfigFile(file, {}).write("general.user", "ana")
    with pytest.raises(Conflict, match='"ana" now'):
        config.write("general.user", "ben", before='"me"')
    assert config.write("general.user", "ben", before='"ana"').value == '"ben"'


def test_many_at_once_lose_nothing(file: Path) -> None:
    async def all_of_them() -> None:
        await asyncio.gather(*(ConfigFile(file, {}).set(f"tui.keys.k{n}", "f4") for n in range(6)))

    asyncio.run(all_of_them())
    assert len(tomllib.loads(file.read_text())["tui"]["keys"]) == 6


def test_a_broken_file_and_a_protected_one_stay_as_they_are(file: Path) -> None:
    file.chmod(0o400)
    with pytest.raises(StoreError, match="write-protected"):
        ConfigFile(file, {}).write("tui.bell", "false")
    file.chmod(0o600)
    file.write_text("[tui\n")
    with pytest.raises(ConfigErrors) as caught:
        ConfigFile(file, {}).write("tui.bell", "false")
    assert "was not changed" in caught.value.hint and file.read_text() == "[tui\n"
    with pytest.raises(NotFound, match="no home"):
        ConfigFile(file.parent / "none" / "config.toml", {}).write("tui.bell", "false")


def test_passwords_are_not_told(file: Path) -> None:
    config = ConfigFile(file, {})
    new = config.write("models.api_base.openai", "https://me:hunter2@example.org/v1")
    assert new.hidden and "hunter2" not in new.value
    assert "hunter2" in file.read_text()


@pytest.mark.parametrize("before", [SHORT, LAID_OUT, ""])
@given(text=TEXTS)
@settings(max_examples=60)
def test_any_text_comes_back(before: str, text: str) -> None:
    text += "\x7f"
    new = with_value(before, ("models", "default"), text)
    assert tomllib.loads(new)["models"]["default"] == text
    back = tomllib.loads(without(new, ("models", "default"), "x"))
    assert back.get("models", {}) == {}
    assert back.get("tui") == tomllib.loads(before).get("tui")


def test_every_setting_is_found() -> None:
    for one in ConfigFile(Path("nowhere", "config.toml"), {}).read():
        path, name, node = find(one.id)
        assert ".".join(map(str, path)) == one.id and name == "" and node
