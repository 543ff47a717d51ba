"""Keys and passwords on their way out: exports mask them, and say so."""

import json
import zipfile
from pathlib import Path

import pytest
from command_line import Ska

KEY = "ghp_" + "q7Rw" * 9
MASK = "[GitHub token …q7Rw]"


@pytest.fixture
def told(ska: Ska) -> Ska:
    """A home in which a key was told."""
    assert ska("ask", f"What is {KEY} good for?").code == 0
    return ska


def zipped(file: Path) -> str:
    archive = zipfile.ZipFile(file)
    return "\n".join(archive.read(name).decode() for name in archive.namelist())


def test_an_export_of_everything(told: Ska, tmp_path: Path) -> None:
    masked, whole = tmp_path / "masked.zip", tmp_path / "whole.zip"
    done = told("user", "export", str(masked))
    assert done.code == 0 and "1 key or password was masked; --secrets" in done.err
    assert KEY not in zipped(masked) and MASK in zipped(masked)
    kept = told("user", "export", str(whole), "--secrets", "--json")
    assert kept.json["masked"] == 0 and "masked" not in kept.err
    assert KEY in zipped(whole)


def test_an_export_of_everything_can_be_brought_in(
    told: Ska, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "me.zip"
    assert told("user", "export", str(file), "--json").json["masked"] == 1
    elsewhere = ("--home", str(tmp_path / "other"))
    assert (
        told(*elsewhere, "user", "import", str(file), "--yes", "--json").json["added"]["messages"]
        == 2
    )
    assert MASK in told(*elsewhere, "sessions", "show", "latest").out


@pytest.mark.parametrize("form", ["md", "json"])
def test_an_export_of_a_conversation(told: Ska, form: str) -> None:
    done = told("sessions", "export", "latest", "--format", form)
    assert KEY not in done.out and MASK in done.out
    assert "masked" in done.err
    assert KEY in told("sessions", "show", "latest").out, "the conversation itself is as it was"


def test_an_export_of_memories(ska: Ska, tmp_path: Path) -> None:
    added = ska("memory", "add", f"The deploy token is {KEY}")
    assert "1 key or password was masked" in added.err
    assert ska("memory", "export").lines[0]["content"] == f"The deploy token is {MASK}"


def test_a_correction_and_an_import_say_so(ska: Ska, tmp_path: Path) -> None:
    memory = ska("memory", "add", "The deploy token is lost").out.strip()
    corrected = ska("memory", "correct", memory, f"The deploy token is {KEY}")
    assert corrected.code == 0 and "1 key or password was masked" in corrected.err
    rows = tmp_path / "rows.jsonl"
    rows.write_text(json.dumps({"content": f"token: {KEY}"}) + "\n")
    done = ska("memory", "import", str(rows), "--yes")
    assert done.code == 0 and "1 key or password was masked" in done.err
    assert KEY not in ska("memory", "list", "--json").out


def test_a_page_of_an_agent(told: Ska, tmp_path: Path) -> None:
    made = told("agents", "new", "vera", "--tagline", f"pushes with {KEY}")
    assert made.code == 0, made.err
    assert told("agents", "export", "vera", "--to", str(tmp_path)).code == 0
    page = (tmp_path / "vera.md").read_text()
    assert KEY not in page and MASK in page
