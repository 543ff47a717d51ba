"""`ska config` from the outside: origins, mistakes, schema, path."""

import pytest
from command_line import Ska

from skill_agent.files.bundled import bundled_agents_path
from skill_agent.files.home import Home


@pytest.fixture
def made(home: Home) -> Home:
    home.root.mkdir()
    home.config.write_text('[models]\n\ndefault = "a/b"\n', encoding="utf-8")
    home.agents.write_bytes(bundled_agents_path().read_bytes())
    return home


def test_show_gives_each_value_with_its_origin(
    ska: Ska, made: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SKILL_AGENT_GENERAL_USER", "sam")
    done = ska("config", "show", "--json")
    assert (done.code, done.err) == (0, "")
    found = {setting["id"]: setting for setting in done.json}
    assert found["models.default"]["value"] == "a/b"
    assert found["models.default"]["origin"] == f"{made.config}:3"
    assert found["general.user"]["origin"] == "env SKILL_AGENT_GENERAL_USER"
    assert (found["tui.theme"]["origin"], found["tui.theme"]["kind"]) == ("default", "default")
    assert "env SKILL_AGENT_GENERAL_USER" in ska("config", "show").out


def test_one_key_is_one_object_and_a_section_an_array(ska: Ska, made: Home) -> None:
    assert ska("config", "show", "models.default", "--json").json["value"] == "a/b"
    assert len(ska("config", "show", "models.roles", "--json").json) == 6
    done = ska("config", "show", "models.defalt")
    assert done.code == 2
    assert 'did you mean "models.default"?' in done.err


def test_passwords_in_urls_are_not_shown(ska: Ska, made: Home) -> None:
    made.config.write_text(
        '[models.api_base]\nopenai = "https://me:secret@example.org/v1"\n', encoding="utf-8"
    )
    done = ska("config", "show")
    assert "https://[redacted]@example.org/v1" in done.out
    assert "secret" not in done.out


def test_without_a_home_the_defaults_are_shown(ska: Ska, home: Home) -> None:
    done = ska("config", "show", "general.default_agent", "--json")
    assert done.json == {
        "id": "general.default_agent", "value": "kyra", "origin": "default", "kind": "default",
        "file": "", "line": 0, "variable": "",
    }  # fmt: skip
    assert "ska init" in done.err
    assert ska("config", "validate").code == 0
    assert not home.root.exists()


def test_validate_tells_the_mistakes_of_both_files(ska: Ska, made: Home) -> None:
    assert ska("config", "validate", "--json").json == []
    made.config.write_text("[models]\ndefualt = 1\n", encoding="utf-8")
    made.agents.write_text("[agents.kyra]\nstatus = 'asleep'\n", encoding="utf-8")
    done = ska("config", "validate", "--json")
    assert done.code == 2
    assert [(found["file"], found["line"]) for found in done.json] == [
        (str(made.config), 2), (str(made.agents), 2),
    ]  # fmt: skip
    assert "2 mistakes" in done.err


def test_validate_knows_the_agents(ska: Ska, made: Home) -> None:
    made.config.write_text('[general]\ndefault_agent = "kira"\n', encoding="utf-8")
    (found,) = ska("config", "validate", "--json").json
    assert (found["line"], found["key"]) == (2, "general.default_agent")
    assert 'did you mean "kyra"?' in found["message"]


def test_a_mistaken_setting_stops_show(ska: Ska, made: Home) -> None:
    made.config.write_text("[models\n", encoding="utf-8")
    done = ska("config", "show", "--json")
    assert (done.code, done.out) == (2, "")
    assert f"{made.config}:1: not valid TOML" in done.err


def test_schema_and_path(ska: Ska, made: Home) -> None:
    assert "models" in ska("config", "schema").json["properties"]
    assert "AgentDNA" in ska("config", "schema", "agents").json["$defs"]
    assert ska("config", "schema", "nothing").code == 2
    assert ska("config", "path").out == f"{made.config}\n"
    assert ska("config", "path", "--json").json["exists"] is True


# -- one setting at a time ---------------------------------------------------------------------


def test_set_get_and_unset(ska: Ska, made: Home) -> None:
    done = ska("config", "set", "models.fallback", "a/b,c/d")
    assert (done.code, done.out) == (0, "") and "started again" in done.err
    assert ska("config", "get", "models.fallback").out == '["a/b", "c/d"]\n'
    assert ska("config", "get", "models.default").out == "a/b\n"
    assert ska("config", "get", "tui.bell").out == "true\n"
    assert ska("config", "get", "models.default", "--json").json == {
        "id": "models.default", "value": "a/b", "origin": "file",
        "default": "embedded/qwen2.5-coder-1.5b",
    }  # fmt: skip
    assert ska("config", "unset", "models.fallback").code == 0
    assert ska("config", "get", "models.fallback").out == "[]\n"
    assert made.config.read_text().startswith('[models]\n\ndefault = "a/b"\n')


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("set", "tui.motion", "redused"), 'did you mean "reduced"?'),
        (("set", "models.defalt", "x"), 'did you mean "models.default"?'),
        (("set", "general.default_agent", "lukee"), 'did you mean "luke"?'),
        (("set", "tui.keys.talk.nw", "f12"), 'did you mean "talk.new"?'),
        (("set", "tui.keys.talk.new", "ctlr+n"), 'no key is called "ctlr+n"'),
        (("get", "models"), "ska config show models"),
        (("get", "tui.keys.talk.new"), "does not stand under tui.keys"),
        (("unset", "nothing"), "ska config show"),
    ],
)
def test_what_is_wrong_is_named_and_changes_nothing(
    ska: Ska, made: Home, arguments: tuple[str, ...], told: str
) -> None:
    before = made.config.read_text()
    done = ska("config", *arguments)
    assert (done.code, done.out) == (2, "") and told in done.err
    assert made.config.read_text() == before


def test_keys_are_listed_with_ones_own(ska: Ska, made: Home) -> None:
    done = ska("config", "set", "tui.keys.talk.new", "ctrl+q")
    assert done.code == 0 and '"app.quit" has no key left' in done.err
    listed = ska("config", "keys", "--json").json
    found = {one["id"]: one for one in listed}
    assert (found["talk.new"]["keys"], found["talk.new"]["own"]) == ("ctrl+n", "ctrl+q")
    assert not found["write.send"]["changeable"] and found["go.usage"]["changeable"]
    plain = ska("config", "keys")
    assert "Ctrl+N" in plain.out and '"app.quit" has no key left' in plain.err
