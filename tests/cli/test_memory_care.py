"""Erasing, taking along, rating, reading and tidying up, from the command line."""

import json
import zipfile
from datetime import timedelta
from pathlib import Path

import pytest
from command_line import Ska, Terminal
from fakes import obliging

from skill_agent.errors import ModelUnavailable
from skill_agent.files.home import Home
from skill_agent.models.scripted import ScriptedModel

MARK = "xylophone-4711"


def add(ska: Ska, text: str, *more: str) -> str:
    done = ska("memory", "add", text, *more)
    assert done.code == 0, done.err
    return done.out.strip()


def bytes_of(home: Home) -> bytes:
    files = (file for file in home.root.rglob("*") if file.is_file())
    return b"".join(file.read_bytes() for file in files)


@pytest.mark.deep
def test_a_purge_tells_asks_and_erases(ska: Ska, home: Home) -> None:
    secret = add(ska, f"My locker opens with {MARK}")
    kept = add(ska, "The cat is called Miso")
    assert MARK.encode() in bytes_of(home)
    declined = ska("memory", "forget", secret, "--purge", person=Terminal(["n"]))
    assert (declined.code, "kept" in declined.err) == (1, True)
    unasked = ska("memory", "forget", secret, "--purge")
    assert (unasked.code, "--yes" in unasked.err) == (1, True)
    done = ska("memory", "forget", secret[:13], "--purge", "--yes", "--json")
    assert done.json["erased"] == [secret]
    assert done.json["problems"] == []
    assert MARK.encode() not in bytes_of(home)
    assert ska("memory", "verify").code == 0
    assert ska("memory", "show", secret).code == 2
    assert ska("memory", "search", "cat", "--json").json[0]["id"] == kept


def test_a_purge_leaves_nothing_of_a_sentence_that_held_two_facts(ska: Ska, home: Home) -> None:
    ska("ask", f"My name is Rosalind and I'm allergic to {MARK}.")
    (secret,) = [m for m in ska("memory", "list", "--json").json if MARK in m["content"]]
    done = ska("memory", "forget", secret["id"], "--purge", "--yes", "--json")
    assert done.json["problems"] == []
    assert MARK.encode() not in bytes_of(home)
    assert ska("memory", "verify").code == 0
    assert any("Rosalind" in m["content"] for m in ska("memory", "list", "--json").json)


def test_what_every_conversation_is_told_says_so_in_its_story(ska: Ska) -> None:
    memory = add(ska, "The user is called Rosalind", "-t", "user_profile")
    ska("ask", "hello there, what is new?")
    kinds = [row["kind"] for row in ska("memory", "log", memory, "--json").json]
    assert kinds[:2] == ["memory.created", "recalled"]
    assert "into a prompt of session" in ska("memory", "log", memory).out


def test_a_purge_reaches_what_was_exported(ska: Ska, tmp_path: Path) -> None:
    secret = add(ska, f"My locker opens with {MARK}")
    add(ska, "The cat is called Miso")
    ska("memory", "export", "--output", str(tmp_path / "out.jsonl"))
    ska("memory", "forget", secret, "--purge", "--yes")
    rows = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert [row["content"] for row in rows] == ["The cat is called Miso"]


@pytest.mark.deep
def test_a_person_moves_to_another_home(
    ska: Ska, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    add(ska, "The cat is called Miso", "--pin")
    ska("ask", "Remember that I deploy on Fridays")
    file = tmp_path / "me.zip"
    done = ska("user", "export", str(file), "--json")
    assert (done.json["sessions"], done.json["memories"]) == (1, 2)
    assert "memories.json" in zipfile.ZipFile(file).namelist()
    assert ska("user", "export", str(file)).code == 2
    other = Ska(Home(tmp_path / "other"), capsys)
    there = ("--home", str(tmp_path / "other"), "user", "import", str(file))
    asked = other(*there)
    assert asked.code == 2 and "--dry-run" in asked.err
    plan = other(*there, "--dry-run", "--json").json
    assert (plan["sessions"], plan["pinned"], plan["signed"]) == (1, 2, "other")
    key = done.json["key"]
    wrong = other(*there, "--trust", "--yes")
    assert wrong.code == 2 and "this home's key" in wrong.err
    moved = other(*there, "--trust", "--key", key, "--yes", "--json")
    assert moved.json["added"]["memories"] == 2 and moved.json["plan"]["trusted"]
    kept = other("--home", str(tmp_path / "other"), "memory", "list", "--json").json
    assert all(one["pinned"] for one in kept)
    again = other(*there, "--trust", "--key", key, "--yes", "--json")
    assert again.json["added"]["memories"] == 0
    found = other("--home", str(tmp_path / "other"), "memory", "search", "deploy", "--json").json
    assert "Fridays" in found[0]["content"]


def test_a_foreign_file_is_refused(ska: Ska, tmp_path: Path) -> None:
    (tmp_path / "x.zip").write_bytes(b"no zip at all")
    done = ska("user", "import", str(tmp_path / "x.zip"))
    assert (done.code, bool(done.err)) == (2, True)
    assert ska("user", "import", str(tmp_path / "missing.zip")).code == 2


def test_everything_of_the_person_goes(ska: Ska, home: Home) -> None:
    add(ska, f"My locker opens with {MARK}")
    ska("ask", f"My other locker opens with {MARK}")
    add(ska, "I am Luke", "-t", "identity", "-a", "luke")
    assert ska("user", "purge").code == 1
    done = ska("user", "purge", "--yes", "--json")
    assert done.code == 0, done.err
    assert MARK.encode() not in bytes_of(home)
    assert [one["content"] for one in ska("memory", "list", "--json").json] == ["I am Luke"]
    assert ska("sessions", "list", "--json").json == []
    assert ska("memory", "verify").code == 0


def test_a_rating_moves_what_the_reply_was_based_on(ska: Ska) -> None:
    memory = add(ska, "Deploys happen on Fridays", "--importance", "3")
    ska("ask", "When do deploys happen?")
    down = ska("feedback", "latest", "down", "--comment", "wrong day", "--json").json
    assert down["memories"] == [{"id": memory, "old": 3, "new": 2}]
    assert down["flagged"] == [memory]
    assert [one["id"] for one in ska("memory", "list", "--review", "--json").json] == [memory]
    again = ska("feedback", "latest", "down")
    assert "rated down already" in again.err
    up = ska("feedback", down["id"][:18], "up")
    assert (up.code, "1 memory changed its weight" in up.err) == (0, True)
    assert ska("memory", "show", memory, "--json").json["importance"] == 4
    assert ska("memory", "list", "--review", "--json").json == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("feedback", "latest", "up"), "no reply yet"),
        (("feedback", "latest", "sideways"), "up, down"),
        (("memory", "extractions", "--retry", "nonsuch"), "nonsuch"),
        (("memory", "extractions", "--state", "faild"), 'did you mean "failed"'),
        (("memory", "extract", "nonsuch"), "nonsuch"),
        (("memory", "forget", "nonsuch", "--purge", "--yes"), "nonsuch"),
        (("sessions", "compact", "nonsuch"), "nonsuch"),
    ],
)
def test_wrong_usage(ska: Ska, arguments: tuple[str, ...], said: str) -> None:
    done = ska(*arguments)
    assert (done.code, done.out) == (2, "")
    assert said in done.err


def test_what_was_said_in_passing_is_read_by_the_rules(ska: Ska) -> None:
    ska("ask", "Hi, my name is Rosalind and I live in Lisbon.")
    kept = ska("memory", "list", "--json").json
    assert any("Rosalind" in one["content"] for one in kept)
    assert all(one["source"]["message_ids"] for one in kept)
    assert {one["source_type"] for one in kept} == {"extraction"}
    read = ska("memory", "extract", "--json")
    assert [job["state"] for job in read.json] == ["done"]
    assert "known already" in read.err
    assert ska("memory", "extract").err.strip().endswith("nothing to read")
    listed = ska("memory", "extractions", "--json").json
    assert [job["trigger"] for job in listed] == ["asked"]
    assert "done" in ska("memory", "extractions").out


def test_contradictions_are_listed_and_settled(ska: Ska) -> None:
    add(ska, "I own a boat")
    right = add(ska, "I don't own a boat")
    ska("memory", "search", "boat")
    (dispute,) = ska("memory", "disputes", "--json").json
    assert {one["status"] for one in dispute["memories"]} == {"disputed"}
    assert "1 disputes" in ska("memory", "disputes").err
    assert ska("status", "--json").json["disputes"] == 1
    assert ska("memory", "resolve", right).out.strip() == right
    assert ska("memory", "disputes", "--json").json == []
    assert [one["id"] for one in ska("memory", "list", "--json").json if
            one["status"] == "active"] == [right]  # fmt: skip


def test_a_newer_word_replaces_the_older(ska: Ska) -> None:
    old = add(ska, "I deploy on Fridays", "--pin")
    told = add(ska, "From now on I deploy on Mondays instead of Fridays", "--pin")
    found = ska("memory", "search", "when do I deploy", "--json").json
    assert [one["id"] for one in found] == [told, old]
    new = add(ska, "I deploy on Tuesdays instead", "--pin")
    found = ska("memory", "search", "when do I deploy", "--json").json
    assert found[0]["id"] == new and old not in {one["id"] for one in found}


def test_housekeeping_tells_what_it_would_do_and_does_it(ska: Ska, tmp_path: Path) -> None:
    old = ska.clock.now - timedelta(days=60)
    rows = [
        {"content": f"went for walk number {n} by the river", "memory_type": "episodic",
         "importance": 3, "created_at": (old + timedelta(hours=n)).isoformat()}
        for n in range(4)
    ]  # fmt: skip
    (tmp_path / "rows.jsonl").write_text("\n".join(map(json.dumps, rows)))
    ska("memory", "import", str(tmp_path / "rows.jsonl"), "--yes")
    dry = ska("memory", "consolidate", "--dry-run", "--no-model", "--json").json
    assert (dry["dry_run"], dry["summarised"] + dry["merged"]) == (True, 4)
    assert len(ska("memory", "list", "--status", "active", "--json").json) == 4
    done = ska("memory", "consolidate", "--no-model")
    assert "summarised" in done.out
    assert len(ska("memory", "list", "--status", "active", "--json").json) == 1
    status = ska("memory", "consolidate", "--status", "--json").json
    assert (status["runs"], status["totals"]["summarised"]) == (1, 4)
    assert "nothing to tidy up" in ska("memory", "consolidate", "--no-model").err


def test_what_has_run_out_is_archived(ska: Ska, tmp_path: Path) -> None:
    row = {"content": "the fair is on", "expires_at": "2026-01-01T00:00:00Z"}
    (tmp_path / "rows.jsonl").write_text(json.dumps(row))
    ska("memory", "import", str(tmp_path / "rows.jsonl"), "--yes")
    assert ska("memory", "expire", "--dry-run", "--json").json["expired"] == 1
    (gone,) = ska("memory", "expire", "--json").json["memories"]
    assert gone["status"] == "archived"
    assert "0 memories archived" in ska("memory", "expire").err
    assert "runs" in ska("memory", "expire", "--status").out


@pytest.mark.deep
def test_a_long_talk_is_summed_up_on_request(ska: Ska) -> None:
    ska.model = ScriptedModel(otherwise=obliging)
    ska("ask", "My boat is called Marigold")
    for number in range(14):
        ska("ask", "-c", f"and thing number {number}")
    done = ska("sessions", "compact", "latest", "--json").json
    assert done["messages"] > 0
    assert "Marigold" in done["summary"]
    shown = ska("sessions", "show", "latest")
    assert "summed up" in shown.out
    assert "My boat is called Marigold" in shown.out
    assert len(ska("sessions", "show", "latest", "--json").json["compactions"]) == 1
    assert "nothing to sum up" in ska("sessions", "compact", "latest").err


def test_a_model_that_cannot_be_reached_leaves_a_failed_reading(ska: Ska) -> None:
    ska("ask", "The harbour master is called Ottoline, we met her by the pier.")
    ska.model = ScriptedModel(otherwise=[ModelUnavailable("no answer")])
    done = ska("memory", "extract")
    assert (done.code, "no answer" in done.err) == (1, True)
    (job,) = ska("memory", "extractions", "--state", "failed", "--json").json
    assert (job["attempts"], bool(job["next_try"])) == (1, True)
    assert ska("status", "--json").json["reading_failed"] == 1
    ska.model = ScriptedModel(otherwise=obliging)
    assert ska("memory", "extractions", "--retry", job["id"][:13]).code == 0


def test_languages_and_what_would_help(ska: Ska) -> None:
    found = {one["id"]: one for one in ska("memory", "languages", "--json").json}
    assert {"de", "en", "es", "fr", "it", "ja", "nl", "pt", "ru", "zh"} <= found.keys()
    assert set(found["de"]) == {
        "id", "messages", "share", "rules", "embedder", "model", "advice"
    }  # fmt: skip
    assert ska("ask", "@kyra Ich wohne seit drei Jahren in Graz, gleich neben dem Park").code == 0
    shown = ska("memory", "languages")
    line = next(line for line in shown.out.splitlines() if line.startswith("de"))
    assert "100%" in line and "yes" in line


def test_what_changed_is_listed_decided_and_taken_back(ska: Ska) -> None:
    assert "nothing waits" in ska("memory", "resolve").err
    old = add(ska, "My vet is Dr. Lamb")
    new = add(ska, "My vet is now Dr. Shaw")
    newer, older = ska("memory", "search", "who is my vet Dr. Lamb").out.splitlines()[1:]
    assert "Dr. Shaw" in newer and "was semantic" in older and "Dr. Lamb" in older
    told = ska("memory", "resolve", "--json").json
    assert told["disputes"] == []
    (one,) = told["updates"]
    assert (one["older"]["id"], one["newer"]["id"], one["state"], one["by"]) == (
        old, new, "updated", "code"
    )  # fmt: skip
    shown = ska("memory", "resolve")
    assert "Dr. Lamb" in shown.out and "1 to decide" in shown.err
    assert ska("memory", "resolve", new).out.strip() == new
    assert ska("memory", "resolve", "--json").json["updates"] == []
    back = ska("memory", "resolve", new, "--undo", "--json").json
    assert {row["id"]: row["status"] for row in back} == {old: "active", new: "active"}
    assert ska("memory", "resolve", new, "--undo").code == 2
    assert ska("memory", "resolve", "--both").code == 2
