"""`ska diagnostics`: one file for whoever helps, with nothing in it that is the person's."""

import zipfile
from pathlib import Path

import pytest
from command_line import Ska

KEY = "sk-proj-" + "a1B2c3D4" * 5


@pytest.fixture
def lived_in(ska: Ska) -> Ska:
    assert ska("memory", "add", "The heron nests behind the mill").code == 0
    assert ska("ask", "Where does the kingfisher live?").code == 0
    home = ska.home
    with home.config.open("a") as file:
        file.write(f'\n[models.api_base]\nopenai = "https://me:{KEY}@example.org/v1"\n')
    home.logs.mkdir(exist_ok=True)
    (home.logs / "skill-agent.log").write_text(f"WARNING the key {KEY} in {Path.home()}/notes\n")
    return ska


def test_it_holds_what_helps_and_nothing_of_the_person(lived_in: Ska, tmp_path: Path) -> None:
    file = tmp_path / "out.zip"
    told = lived_in("diagnostics", "--output", str(file))
    assert told.code == 0 and told.out.strip() == str(file)
    assert file.stat().st_mode & 0o777 == 0o600
    with zipfile.ZipFile(file) as held:
        texts = {name: held.read(name).decode() for name in held.namelist()}
    assert {"versions.json", "doctor.json", "home.json", "config.toml", "agents.json"} <= {*texts}
    assert '"memories": 1' in texts["home.json"] and "duckdb" in texts["versions.json"]
    assert "WARNING the key" in texts["logs/skill-agent.log"]
    whole = "\n".join(texts.values())
    for word in ("heron", "kingfisher", KEY, str(Path.home()) + "/", "friendly companion"):
        assert word not in whole, word


def test_shown_is_what_would_be_written(lived_in: Ska) -> None:
    told = lived_in("diagnostics", "--show")
    assert told.code == 0 and "== doctor.json" in told.out
    assert KEY not in told.out and "heron" not in told.out


def test_nothing_is_overwritten(lived_in: Ska, tmp_path: Path) -> None:
    (tmp_path / "mine.zip").write_text("mine")
    told = lived_in("diagnostics", "-o", str(tmp_path / "mine.zip"))
    assert told.code == 2 and "there already" in told.err
    assert (tmp_path / "mine.zip").read_text() == "mine"
    told = lived_in("diagnostics", "-o", str(tmp_path / "no" / "where.zip"))
    assert told.code == 1 and "cannot be written" in told.err


def test_a_broken_home_is_told_of_all_the_same(ska: Ska) -> None:
    assert ska("memory", "add", "x").code == 0
    ska.home.config.write_text("[general\n")
    told = ska("diagnostics", "--show")
    assert told.code == 0 and "== versions.json" in told.out and "not to be had" in told.out
