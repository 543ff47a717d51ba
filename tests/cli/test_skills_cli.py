"""`ska skills` from the outside."""

from pathlib import Path

import pytest
from command_line import Ska

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
