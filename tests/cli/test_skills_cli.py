"""`ska skills` from the outside."""

from pathlib import Path

import pytest
from command_line import Ska
from skill_files import put_skill

from skill_agent.files.bundled import bundled_skills_path
from skill_agent.files.home import Home

BUNDLED = {
    "code-review", "data-analysis", "recipe-finder", "research-assistant", "weather", "world-clock",
}  # fmt: skip


@pytest.fixture(autouse=True)
def _no_skills_of_the_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`~/.agents/skills` belongs to whoever runs the tests."""
    monkeypatch.setenv("HOME", str(tmp_path / "person"))


def put(root: Path, folder: str, text: str) -> Path:
    place = root / folder
    place.mkdir(parents=True)
    (place / "SKILL.md").write_text(text, encoding="utf-8")
    return place


def test_the_skills_of_the_product_are_there_without_a_home(ska: Ska) -> None:
    done = ska("skills", "list", "--json")
    assert done.code == 0
    assert {skill["id"] for skill in done.json} >= BUNDLED
    assert "no home at" in done.err


def test_what_was_refused_is_listed_with_its_reason(ska: Ska, home: Home) -> None:
    put(home.skills, "broken", "no head at all")
    put(home.skills, "odd", "---\nname: other\ndescription: Works.\n---\nB\n")
    home.config.write_text("", encoding="utf-8")
    done = ska("skills", "list", "--json")
    skills = {skill["name"]: skill for skill in done.json}
    assert skills["broken"]["loaded"] is False
    assert "no front matter" in skills["broken"]["reason"]
    assert skills["other"]["loaded"] is True
    assert skills["other"]["warnings"]
    assert len({skill["id"] for skill in done.json}) == len(done.json)
    assert "1 of 8 could not be loaded" in done.err
    assert "no front matter" in ska("skills", "list").out


def test_show_gives_what_an_agent_reads(ska: Ska) -> None:
    done = ska("skills", "show", "weather", "--json")
    assert done.json["id"] == "weather"
    assert done.json["content"].startswith('<skill_content name="weather">')
    assert done.json["files"] == ["references/wmo-codes.md"]
    assert "open-meteo" in ska("skills", "show", "weather").out
    assert "hail" in ska("skills", "show", "weather", "--file", "references/wmo-codes.md").out


def test_show_tells_what_is_wrong(ska: Ska) -> None:
    done = ska("skills", "show", "wether")
    assert (done.code, done.out) == (2, "")
    assert 'did you mean "weather"?' in done.err
    outside = ska("skills", "show", "weather", "--file", "../../pyproject.toml")
    assert (outside.code, outside.out) == (1, "")


def test_validate_takes_one_skill_or_many(ska: Ska) -> None:
    many = ska("skills", "validate", str(bundled_skills_path()), "--json")
    assert many.code == 0
    assert {skill["name"] for skill in many.json} == BUNDLED
    assert all(skill["loaded"] and not skill["violations"] for skill in many.json)
    for path in ("weather", "weather/SKILL.md"):
        one = ska("skills", "validate", str(bundled_skills_path() / path), "--json")
        assert [skill["name"] for skill in one.json] == ["weather"]


def test_validate_ends_with_1_if_one_does_not_load(ska: Ska, tmp_path: Path) -> None:
    put(tmp_path / "s", "good", "---\nname: good\ndescription: Works.\n---\nB\n")
    put(tmp_path / "s", "bad", "---\nname: bad\n---\nB\n")
    put(tmp_path / "s", "copy", "---\nname: good\ndescription: Works.\n---\nB\n")
    done = ska("skills", "validate", str(tmp_path / "s"), "--json")
    assert done.code == 1
    bad, copy, good = done.json
    assert (bad["loaded"], good["loaded"], copy["loaded"]) == (False, True, True)
    assert "no description" in bad["reason"]
    assert any("2 skills here are called good" in warning for warning in good["warnings"])
    assert {"id", "name", "path", "loaded", "warnings", "reason"} <= set(copy)
    assert "2 of 3 load" in done.err
    assert "refused" in ska("skills", "validate", str(tmp_path / "s")).out


def test_validate_of_nothing_is_wrong_usage(ska: Ska, tmp_path: Path) -> None:
    assert ska("skills", "validate", str(tmp_path)).code == 2
    assert ska("skills", "validate", str(tmp_path / "nowhere")).code == 2


def test_skills_shared_with_other_programs_are_found(ska: Ska, tmp_path: Path) -> None:
    shared = tmp_path / "person" / ".agents" / "skills"
    put(shared, "theirs", "---\nname: theirs\ndescription: Works.\n---\nB\n")
    assert ska("skills", "show", "theirs", "--json").json["loaded"] is True


def test_an_approval_is_for_the_folder_as_it_is(ska: Ska) -> None:
    ska("init", "--offline", "--yes", "--model", "openai/x")
    place = put_skill(ska.home, "recipes", "Stir.")
    assert trust_of(ska, "recipes") == "not approved"
    done = ska("skills", "approve", "recipes")
    digest = ska("skills", "show", "recipes", "--json").json["digest"]
    assert (done.code, done.out.strip()) == (0, f"* activate_skill:recipes@{digest}")
    assert trust_of(ska, "recipes") == "approved"
    (place / "SKILL.md").write_text("---\nname: recipes\ndescription: Other.\n---\nX\n")
    assert trust_of(ska, "recipes") == "changed"
    assert ska("skills", "approve", "recipes").code == 0
    rules = ska("approvals", "list", "--json").json
    assert len(rules) == 1, "the approval of what it was is gone"
    assert ska("skills", "revoke", "recipes").code == 0
    assert ska("approvals", "list", "--json").json == []
    assert ska("skills", "revoke", "recipes").code == 2


def test_an_approval_may_be_for_one_agent(ska: Ska) -> None:
    ska("init", "--offline", "--yes", "--model", "openai/x")
    put_skill(ska.home, "recipes")
    assert ska("skills", "approve", "recipes", "--agent", "Kyra").code == 0
    assert "approved (kyra)" in ska("skills", "list").out
    assert ska("skills", "revoke", "recipes", "--agent", "luke").code == 2
    assert ska("skills", "approve", "recipes", "--agent", "nobody").code == 2
    listed = ska("approvals", "list", "--json").json
    assert [rule["agent"] for rule in listed] == ["kyra"]
    assert ska("approvals", "revoke", *listed[0]["id"].split(" ")).code == 0
    assert trust_of(ska, "recipes") == "not approved"


def test_a_skill_becomes_a_tool_of_somebody(ska: Ska) -> None:
    ska("init", "--offline", "--yes", "--model", "openai/x")
    place = put_skill(ska.home, "recipes")
    refused = ska("skills", "activate", "recipes", "--for", "mcp-claude-code")
    assert (refused.code, refused.out) == (2, "") and "ska skills approve recipes" in refused.err
    ska("skills", "approve", "recipes", "--agent", "mcp-claude-code")
    assert ska("skills", "activate", "recipes", "--for", "luke").code == 2
    for _ in range(2):
        done = ska("skills", "activate", "recipes", "--for", "mcp-claude-code")
        assert (done.code, done.out) == (0, "skill_recipes\n")
    assert ska("skills", "activate", "weather", "--for", "Luke", "--json").json["agent"] == "luke"
    listed = ska("skills", "active", "--json").json
    assert [one["id"] for one in listed] == ["luke/weather", "mcp-claude-code/recipes"]
    assert [one["problem"] for one in listed] == ["", ""]
    (place / "more.md").write_text("Obey.")
    assert (
        "has changed since you approved it"
        in ska("skills", "active", "--for", "mcp-claude-code").out
    )
    assert ska("skills", "deactivate", "weather", "--for", "luke").code == 0
    done = ska("skills", "deactivate", "weather", "--for", "luke")
    assert done.code == 2 and "ska skills active" in done.err
    assert ska("skills", "active", "--for", "luke").out == ""
    assert ska("skills", "active", "--for", "nobody").code == 2
    assert ska("skills", "activate", "weather").code == 2


def test_what_cannot_or_need_not_be_approved(ska: Ska) -> None:
    assert "ska init" in ska("skills", "approve", "weather").err
    ska("init", "--offline", "--yes", "--model", "openai/x")
    assert "needs no approval" in ska("skills", "approve", "weather").err
    put(ska.home.skills, "broken", "no head")
    done = ska("skills", "approve", "broken")
    assert (done.code, "no front matter" in done.err) == (2, True)
    assert ska("skills", "approve", "nothing").code == 2
    assert ska("approvals", "list", "--json").json == []


def test_who_would_use_an_unapproved_skill_is_told(ska: Ska) -> None:
    ska("init", "--offline", "--yes", "--model", "openai/x")
    put_skill(ska.home, "recipes")
    ska.home.agents.write_text('[agents.kyra]\ncraft_skill_names = ["recipes"]\n')
    (warning,) = ska("agents", "validate", "--json").json
    assert "ska skills approve recipes" in warning["message"]
    assert "ska skills approve recipes" in ska("config", "validate").out
    found = {one["id"]: one for one in ska("doctor", "--json").json}
    assert found["skills.recipes.trust"]["fix"] == "ska skills approve recipes"
    ska("skills", "approve", "recipes")
    assert ska("agents", "validate", "--json").json == []
    assert "skills.recipes.trust" not in {one["id"] for one in ska("doctor", "--json").json}


def test_validate_names_tools_that_are_none_here(ska: Ska, tmp_path: Path) -> None:
    text = "---\nname: a\ndescription: d\nallowed-tools: Bash(git:*) http_get\n---\nB\n"
    put(tmp_path / "s", "a", text)
    (report,) = ska("skills", "validate", str(tmp_path / "s"), "--json").json
    assert report["warnings"] == ["allowed-tools names what is no tool here: Bash(git:*)"]
    assert "trust" not in report


def trust_of(ska: Ska, name: str) -> str:
    (skill,) = [one for one in ska("skills", "list", "--json").json if one["name"] == name]
    return skill["trust"]
