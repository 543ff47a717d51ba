"""`ska memory import` of other programs' exports, `imports`, `confirm`, and taking it back."""

from pathlib import Path

import pytest
from command_line import Ska, Terminal
from exports import GARDEN, chatgpt, written, zipped


@pytest.fixture
def export(tmp_path: Path) -> Path:
    return zipped(tmp_path / "export.zip", {"conversations.json": [chatgpt(), {"mapping": 1}]})


def test_looked_at_brought_in_vouched_for_and_taken_back(ska: Ska, export: Path) -> None:
    plan = ska("memory", "import", str(export), "--dry-run", "--json")
    assert plan.code == 0 and "comes from chatgpt" in plan.err
    told = plan.json
    assert (told["source"], told["conversations"], told["titles"]) == ("chatgpt", 1, ["Garden"])
    assert told["left_out"] == {"conversations that cannot be read": 1}
    assert told["languages"] == {"en": 1} and told["first"].startswith("2023-11-14")
    looked = ska("memory", "import", str(export), "--dry-run")
    assert (looked.code, looked.out) == (0, "")
    assert "left out: 1 conversations that cannot be read" in looked.err
    assert "conversations.json, conversation 2: it has no mapping" in looked.err
    refused = ska("memory", "import", str(export))
    assert refused.code == 2 and "--yes" in refused.err
    assert ska("memory", "imports", "--json").json == []

    done = ska("memory", "import", str(export), "--agent", "luke", "--yes", "--json")
    assert (done.code, done.json["conversations"], done.json["messages"]) == (0, 1, 3)
    batch = done.json["id"]
    assert ska("sessions", "list", "--json").json[0]["agent"] == "luke"
    assert "tomatoes" in ska("memory", "search", "tomatoes", "--json").json[0]["content"]
    assert [one["trigger"] for one in ska("memory", "extractions", "--json").json] == ["import"]
    again = ska("memory", "import", str(export), "--yes")
    assert (again.code, again.out) == (0, "") and "nothing of it is new" in again.err
    listed = ska("memory", "imports")
    assert batch in listed.out and "0 of 1" in listed.out and "--undo" in listed.err

    nobody = ska("memory", "confirm", batch, "--json")
    assert nobody.json == {"id": batch, "confirmed": 0}
    asked = ska("memory", "import", "--undo", batch, person=Terminal(["n"]))
    assert (asked.code, "1 conversations with 3 messages" in asked.err) == (1, True)
    gone = ska("memory", "import", "--undo", batch, "--yes", "--json")
    assert (gone.code, gone.json["messages"]) == (0, 3)
    assert ska("memory", "imports", "--json").json[0]["state"] == "undone"


def test_a_person_sees_what_they_vouch_for(ska: Ska, tmp_path: Path) -> None:
    path = written(tmp_path / "all.json", {"results": [{"id": "m", "memory": "Likes rye"}]})
    batch = ska("memory", "import", str(path), "--yes").out.strip()
    assert ska("memory", "confirm", batch).code == 2
    left = ska("memory", "confirm", batch, person=Terminal(["n"]))
    assert left.code == 1 and "Likes rye" in left.err
    assert ska("memory", "list", "--json").json[0]["origins"] == ["import"]
    done = ska("memory", "confirm", batch, person=Terminal(["y"]))
    assert done.code == 0 and "1 vouched for" in done.err
    assert ska("memory", "list", "--json").json[0]["origins"] == []


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "what is to be imported"),
        (["x.zip", "--undo", "0198f2"], "without a path"),
        (["--undo", "0198f2", "--yes"], "no import '0198f2'"),
        (["nowhere.zip", "--yes"], "there is no nowhere.zip"),
        (["nowhere.zip", "--from", "chatgtp"], "chatgpt"),
        (["EMPTY", "--yes"], "cannot tell"),
        (["EMPTY", "--from", "obsidian", "--yes"], "nothing of obsidian"),
        (["EXPORT", "--agent", "nobody", "--yes"], "nobody"),
        (["EXPORT", "--from", "claude", "--yes"], "left out: 2 conversations"),
    ],
)
def test_mistakes_are_told(
    ska: Ska, tmp_path: Path, export: Path, words: list[str], said: str
) -> None:
    (tmp_path / "empty").mkdir()
    names = {"EMPTY": str(tmp_path / "empty"), "EXPORT": str(export)}
    done = ska("memory", "import", *(names.get(one, one) for one in words))
    assert said in done.err and GARDEN[0] not in done.err
    assert ska("memory", "imports", "--json").json == []


def test_nothing_is_read_unasked_with_no_read(ska: Ska, export: Path) -> None:
    ska("memory", "import", str(export), "--no-read", "--yes")
    assert "nothing to read" in ska("memory", "extract").err
    assert ska("memory", "list", "--json").json == []


def test_json_lines_are_a_batch_too(ska: Ska, tmp_path: Path) -> None:
    path = written(tmp_path / "notes.jsonl", '{"content": "Likes rye"}\n{"content": "Has a cat"}\n')
    done = ska("memory", "import", str(path), "--yes", "--json")
    (batch,) = ska("memory", "imports", "--json").json
    assert (batch["id"], batch["source"], batch["memories"]) == (done.json["batch"], "jsonl", 2)
    again = ska("memory", "import", str(path), "--yes", "--json")
    assert again.json["batch"] == "" and len(ska("memory", "imports", "--json").json) == 1
    gone = ska("memory", "import", "--undo", batch["id"], "--yes", "--json")
    assert (gone.code, gone.json["memories"]) == (0, 2)
    assert ska("memory", "list", "--json").json == []
