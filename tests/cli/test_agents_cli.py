"""`ska agents` from the outside: streams, exit codes, and the file it leaves."""

import stat
from pathlib import Path

import pytest
from command_line import Ska

from skill_agent.files.bundled import bundled_agents_path
from skill_agent.files.home import Home


@pytest.fixture
def team(home: Home) -> Home:
    """A home with the seed team."""
    home.root.mkdir()
    home.config.write_text("", encoding="utf-8")
    home.agents.write_bytes(bundled_agents_path().read_bytes())
    return home


def test_a_listing_is_one_array_of_objects_with_ids(ska: Ska, team: Home) -> None:
    done = ska("agents", "list", "--json")
    assert (done.code, done.err) == (0, "")
    assert [agent["id"] for agent in done.json] == ["kyra", "luke", "ada", "max"]
    assert done.json[1]["effective_skills"] == ["world-clock", "code-review"]
    assert done.json[0]["created_at"].endswith("Z")


def test_without_a_home_the_seed_team_is_shown_and_said_so(ska: Ska, home: Home) -> None:
    done = ska("agents", "list")
    assert done.code == 0
    assert done.out.splitlines()[0].split() == ["agent", "name", "status", "model", "tagline"]
    assert "\x1b" not in done.out
    assert "ska init" in done.err
    assert not home.root.exists()


@pytest.mark.parametrize(
    "command",
    [("new", "zoe"), ("clone", "kyra", "zoe"), ("pause", "kyra"), ("archive", "max")],
)
def test_without_a_home_edits_ask_for_one(ska: Ska, home: Home, command: tuple[str, ...]) -> None:
    done = ska("agents", *command)
    assert (done.code, done.out) == (2, "")
    assert "hint: ska init" in done.err
    assert not home.root.exists()


def test_one_agent_is_one_object_and_its_prompt_is_text(ska: Ska, team: Home) -> None:
    assert ska("agents", "show", "Luke", "--json").json["id"] == "luke"
    assert "escalates to" in ska("agents", "show", "luke").out
    assert ska("agents", "show", "luke", "--prompt").out.startswith("You are Luke")


@pytest.mark.parametrize("command", [("validate",), ("show", "zoe")])
def test_an_agent_says_neither_where_its_model_is_nor_its_key(
    ska: Ska, team: Home, command: tuple[str, ...]
) -> None:
    text = team.agents.read_text(encoding="utf-8")
    overrides = 'api_base = "http://198.51.100.1/v1"\napi_key = "hidden-away"\ntop_k = 3\n'
    team.agents.write_text(
        f"{text}\n[agents.zoe.model.provider_overrides]\n{overrides}", encoding="utf-8"
    )
    done = ska("agents", *command)
    assert done.code == 2
    said = done.out + done.err
    assert "provider_overrides.api_base" in said and "config.toml: [models] api_base" in said
    assert "provider_overrides.api_key" in said and "keys stand in the environment" in said
    assert "hidden-away" not in said and "top_k is" not in said


def test_one_mistaken_agent_leaves_the_others_to_talk_to(ska: Ska, team: Home) -> None:
    text = team.agents.read_text(encoding="utf-8").replace("[agents.luke]", "[agents.luke]\nx = 1")
    team.agents.write_text(text, encoding="utf-8")
    assert ska("ask", "@kyra hello").code == 0
    done = ska("ask", "@luke hello")
    assert done.code == 2 and "agents.luke.x: unknown key" in done.err
    done = ska("agents", "list", "--json")
    assert [one["id"] for one in done.json] == ["kyra", "ada", "max"]
    assert "warning" in done.err and "agents.luke.x: unknown key" in done.err
    done = ska("doctor", "--json")
    assert done.code == 1
    (told,) = [one for one in done.json if one["id"] == "agents.file"]
    assert "agents.luke.x: unknown key" in told["detail"]
    assert ska("agents", "validate").code == 2


@pytest.mark.parametrize("text", ["[agents", "", "agents = 3"])
def test_a_broken_file_of_agents_leaves_memory_and_conversations(
    ska: Ska, team: Home, text: str
) -> None:
    assert ska("ask", "remember that it rains").code == 0
    team.agents.write_text(text, encoding="utf-8")
    done = ska("memory", "list")
    assert "It rains" in done.out and done.err == ""
    assert ska("memory", "add", "it pours").code == 0
    assert len(ska("sessions", "list", "--json").json) == 1
    assert ska("status", "--json").json["agents"] == 0
    done = ska("ask", "hello")
    assert done.code == 2 and "agents.toml" in done.err
    found = {one["id"]: one["level"] for one in ska("doctor", "--json").json}
    assert found["agents"] == "error" and found["ledger"] == "ok"


def test_an_unknown_agent_is_wrong_usage_with_the_nearest(ska: Ska, team: Home) -> None:
    for command in (("show",), ("pause",), ("clone",)):
        done = ska("agents", *command, "lukas", *(["x"] if command == ("clone",) else []))
        assert (done.code, done.out) == (2, "")
        assert 'did you mean "luke"?' in done.err


def test_status_goes_round_and_stays_private(ska: Ska, team: Home) -> None:
    for command, status in (("pause", "paused"), ("archive", "archived"), ("activate", "active")):
        done = ska("agents", command, "luke")
        assert (done.code, done.out) == (0, "luke\n")
        assert ska("agents", "show", "luke", "--json").json["status"] == status
    assert "was already active" in ska("agents", "activate", "luke").err
    assert stat.S_IMODE(team.agents.stat().st_mode) == 0o600
    assert "# -- Luke: reads code" in team.agents.read_text(encoding="utf-8")


def test_the_last_active_agent_is_mourned(ska: Ska, team: Home) -> None:
    for slug in ("kyra", "luke", "ada"):
        assert "no agent is active" not in ska("agents", "pause", slug).err
    assert "no agent is active" in ska("agents", "pause", "max").err


def test_a_new_agent_can_be_shown_at_once(ska: Ska, team: Home) -> None:
    done = ska("agents", "new", "Zoë Smith", "--tagline", "Plans", "--skill", "weather", "--json")
    assert (done.code, done.json["id"], done.json["name"]) == (0, "zoe-smith", "Zoë Smith")
    assert done.json["effective_skills"] == ["world-clock", "weather"]
    assert ska("agents", "new", "zoe-smith").code == 2
    assert ska("agents", "new", "日本").code == 2
    refused = ska("agents", "new", "tom", "--tone", "loud")
    assert refused.code == 2
    assert "was not changed" in refused.err
    assert ska("agents", "show", "tom").code == 2


def test_a_clone_is_another_agent_of_the_same_kind(ska: Ska, team: Home) -> None:
    assert ska("agents", "clone", "ada", "grace").out == "grace\n"
    copy, origin = (ska("agents", "show", who, "--json").json for who in ("grace", "ada"))
    assert copy["name"] == "Grace"
    assert copy["personality"] == origin["personality"]


def test_a_skill_that_is_not_there_warns_but_adds(ska: Ska, team: Home) -> None:
    done = ska("agents", "new", "zoe", "--skill", "wether")
    assert (done.code, done.out) == (0, "zoe\n")
    assert 'did you mean "weather"?' in done.err


def test_validate_tells_every_mistake_and_ends_with_2(ska: Ska, team: Home) -> None:
    assert ska("agents", "validate").code == 0
    assert ska("agents", "validate", "--json").json == []
    text = '[agents.a]\nnmae = "x"\n[agents.b.model]\ntemperature = 9\n'
    team.agents.write_text(text, encoding="utf-8")
    done = ska("agents", "validate", "--json")
    assert done.code == 2
    assert [(found["line"], found["key"], found["level"]) for found in done.json] == [
        (2, "agents.a.nmae", "error"), (4, "agents.b.model.temperature", "error"),
    ]  # fmt: skip
    assert len({found["id"] for found in done.json}) == 2


def test_with_a_mistake_nothing_else_runs(ska: Ska, team: Home) -> None:
    team.agents.write_text('[agents.a]\nnmae = "x"\nmodle = 3\n', encoding="utf-8")
    for command in (("list",), ("show", "a"), ("pause", "a")):
        done = ska("agents", *command)
        assert (done.code, done.out) == (2, "")
        assert ":2: agents.a.nmae" in done.err
        assert ":3: agents.a.modle" in done.err


def test_another_file_can_be_validated(ska: Ska, home: Home) -> None:
    assert ska("agents", "validate", str(bundled_agents_path())).code == 0
    assert ska("agents", "validate", str(home.root / "nowhere.toml")).code == 2


def test_agents_are_written_as_pages_that_follow(ska: Ska, team: Home, tmp_path: Path) -> None:
    folder = tmp_path / "team"
    done = ska("agents", "export", "luke", "kyra", "--format", "markdown", "--to", str(folder))
    assert done.out.split() == [str(folder / "luke.md"), str(folder / "kyra.md")]
    paused = ska("agents", "pause", "luke")
    assert f"{folder / 'luke.md'} written again" in paused.err
    assert "Status: paused" in (folder / "luke.md").read_text()
    (folder / "luke.md").write_text("mine")
    assert "left as it is" in ska("agents", "activate", "luke").err
    again = ska("agents", "export", "kyra", "--format", "markdown", "--to", str(folder), "--json")
    assert again.json == []


def test_an_export_names_what_is_wrong(ska: Ska, team: Home, tmp_path: Path) -> None:
    wrong = ska("agents", "export", "--format", "clode", "--to", str(tmp_path))
    assert (wrong.code, 'did you mean "claude"' in wrong.err) == (2, True)
    assert ska("agents", "export", "lukas", "--to", str(tmp_path)).code == 2
    (tmp_path / "luke.md").write_text("foreign")
    foreign = ska("agents", "export", "luke", "--to", str(tmp_path))
    assert (foreign.code, "--force" in foreign.err) == (2, True)
    assert ska("agents", "export", "luke", "--to", str(tmp_path), "--force").code == 0
