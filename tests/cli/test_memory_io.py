"""`ska memory import|export|verify|rebuild`: many memories at once."""

import json
import shutil
from pathlib import Path

import pytest
from command_line import Ska, Terminal

GOOD = [
    {"content": "Deploys happen on Fridays", "memory_type": "semantic", "importance": 9},
    {"content": "Mia likes tea", "agent": "kyra", "speaker": "Mia", "metadata": {"from": "notes"}},
    {"content": "Standup at nine", "created_at": "2026-01-05T09:00:00+01:00", "session": "s-1"},
]


def lines(rows: list) -> bytes:
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "notes.jsonl"
    path.write_bytes(lines(GOOD))
    return path


def test_import_and_again(ska: Ska, file: Path) -> None:
    first = ska("memory", "import", str(file), "--yes", "--json")
    assert first.code == 0, first.err
    assert (first.json["added"], first.json["skipped"], first.json["read"]) == (3, 0, 3)
    again = ska("memory", "import", str(file), "--yes", "--json")
    assert (again.code, again.json["added"], again.json["skipped"]) == (0, 0, 3)
    found = ska("memory", "search", "standup", "--json").json[0]
    assert found["created_at"] == "2026-01-05T08:00:00.000000Z"
    assert found["source"]["session"] == "s-1"


def test_import_from_stdin(ska: Ska) -> None:
    done = ska("memory", "import", "-", "--yes", stdin=lines(GOOD))
    assert (done.code, done.out) == (0, "")
    assert "3 added" in done.err


def test_wrong_lines_are_named_and_the_others_kept(ska: Ska, file: Path) -> None:
    bad = [
        b"{not json}\n",
        b'["a list"]\n',
        b'{"text": "no content"}\n',
        b'{"content": "x", "memory_type": "semantics"}\n',
        b'{"content": "x", "importance": 11}\n',
        b'{"content": "x", "created_at": "yesterday"}\n',
        b'{"content": "x", "metadata": 5}\n',
        b'{"content": "x", "confidence": "high"}\n',
        b'{"content": "x", "source": "a book"}\n',
        b'{"content": "x", "related_to": 7}\n',
        b'{"content": "x", "metadata": {"a": 1e999}}\n',
        b'{"content": "x", "origins": ["person"]}\n',
        b"\xff\xfe\n",
        b'{"content": "x", "metadata": {"n": ' + b"9" * 5_000 + b"}}\n",
        b'{"content": "x", "importance": ' + b"9" * 4_000 + b"}\n",
        b'{"content": "x", "metadata": ' + b"[" * 100_000 + b"]" * 100_000 + b"}\n",
        b'{"content": "x", "metadata": ' + b'{"a":' * 40 + b"1" + b"}" * 40 + b"}\n",
        b'{"content": "x", "metadata": {"a": NaN}}\n',
        b'{"content": "x", "confidence": -Infinity}\n',
        b'{"content": "x", "metadata": []}\n',
        b'{"content": "x", "status": 0}\n',
        b'{"content": "x", "tier": false}\n',
        b'{"content": "x", "id": true}\n',
        b'{"content": "x", "id": "' + b"i" * 300 + b'"}\n',
        b'{"content": "x", "id": " "}\n',
        b'{"content": "x", "expires_at": "0001-01-01T00:00:00+14:00"}\n',
        b'{"content": "x", "created_at": 5}\n',
        b'{"content": "\\ud83d"}\n',
        b'{"content": "a\0b"}\n',
        b'\xef\xbb\xbf{"content": "x"}\n',
        b"\xef\xbb\xbf\n",
        b'{"content": "x", "content": "y"}\n',
        b'{"content": "x", "metadata": {"a": 1, "a": 2}}\n',
        b'{"content": "' + b"x" * 1_100_000 + b'"}\n',
        b'"a text"\n',
        b"7\n",
        b'{"content": "x"} {"content": "y"}\n',
        b'{"content": "x"\n',
    ]
    file.write_bytes(lines(GOOD[:1]) + b"\n" + b"".join(bad) + lines(GOOD[1:]))
    done = ska("memory", "import", str(file), "--yes", "--json")
    assert done.code == 1
    assert done.json["added"] == 3
    assert [one["line"] for one in done.json["errors"]] == list(range(3, 3 + len(bad)))
    assert f"{file}:3: not JSON" in done.err
    for key in ("content", "memory_type", "importance", "created_at", "metadata"):
        assert f": {key}: " in done.err


def test_wrong_lines_are_told_of_a_trial_too(ska: Ska, file: Path) -> None:
    file.write_bytes(lines(GOOD[:1]) + b'{"content": 5}\n')
    done = ska("memory", "import", str(file), "--dry-run")
    assert done.code == 1
    assert f"{file}:2: content: " in done.err
    assert ska("memory", "list", "--json").json == []


def test_what_is_wrong_is_said_in_a_few_words(ska: Ska, file: Path) -> None:
    file.write_bytes(b'{"content": "x", "agent": ["' + b"y" * 900_000 + b'"]}\n')
    done = ska("memory", "import", str(file), "--yes")
    assert done.code == 1
    assert len(done.err) < 2_000


def test_an_unknown_key_is_told(ska: Ska) -> None:
    done = ska("memory", "import", "-", "--yes", stdin=lines([{"content": "x", "importence": 3}]))
    assert done.code == 0
    assert "'importence' ignored" in done.err
    assert 'did you mean "importance"' in done.err


def test_a_conflict_is_told(ska: Ska) -> None:
    ska("memory", "import", "-", "--yes", stdin=lines([{"id": "m-0001", "content": "one"}]))
    done = ska("memory", "import", "-", "--yes", stdin=lines([{"id": "m-0001", "content": "two"}]))
    assert done.code == 1
    assert "m-0001 is there already" in done.err


def test_a_missing_file(ska: Ska) -> None:
    done = ska("memory", "import", "nonsuch.jsonl")
    assert done.code == 2
    assert "nonsuch.jsonl" in done.err


def test_there_and_back(ska: Ska, file: Path, tmp_path: Path) -> None:
    ska("memory", "import", str(file), "--yes")
    ska("memory", "add", "pinned one", "--pin")
    target = tmp_path / "out.jsonl"
    done = ska("memory", "export", "--output", str(target))
    assert (done.code, done.out) == (0, "")
    assert target.stat().st_mode & 0o777 == 0o600
    rows = [json.loads(line) for line in target.read_text().splitlines()]
    assert len(rows) == 4
    assert ska("memory", "export").lines == rows
    key = done.err.split("signed as ")[1].split()[0]
    there = ("--home", str(tmp_path / "other"), "memory", "import", str(target))
    other = ska(*there, "--trust", "--key", key, "--yes", "--json")
    assert (other.code, other.json["added"]) == (0, 4), other.err
    assert "ignored" not in other.err
    back = ska("--home", str(tmp_path / "other"), "memory", "export").lines
    assert sorted(back, key=lambda row: row["id"]) == sorted(rows, key=lambda row: row["id"])


def test_an_export_that_fails_leaves_nothing(ska: Ska, tmp_path: Path) -> None:
    assert ska("memory", "export", "-o", str(tmp_path / "no" / "such.jsonl")).code == 2
    folder = tmp_path / "folder"
    folder.mkdir()
    assert ska("memory", "export", "-o", str(folder)).code != 0
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_verify(ska: Ska) -> None:
    ska("memory", "add", "one")
    done = ska("memory", "verify", "--json")
    assert done.code == 0
    assert (done.json["ok"], done.json["memories"], done.json["problems"]) == (True, 1, [])
    assert "no problems" in ska("memory", "verify").err


def test_verify_finds_an_edit(ska: Ska) -> None:
    import duckdb

    ska("memory", "add", "I deploy on Fridays")
    with duckdb.connect(str(ska.home.ledger)) as ledger:
        tables = {row[0] for row in ledger.execute("SHOW TABLES").fetchall()}
        assert "log" in tables
        ledger.execute("UPDATE log SET reason = 'edited' WHERE seq = (SELECT max(seq) FROM log)")
    done = ska("memory", "verify", "--json")
    assert (done.code, done.json["ok"]) == (1, False)
    assert done.json["problems"]


def test_rebuild(ska: Ska) -> None:
    ska("memory", "add", "The deployment day is Friday")
    shutil.rmtree(ska.home.index, ignore_errors=True)
    done = ska("memory", "rebuild", "--json")
    assert (done.code, done.json["items"]) == (0, 1)
    assert len(ska("memory", "search", "deployment", "--json").json) == 1


WHO = {"content": "I am Evil", "memory_type": "identity", "agent": "kyra", "pinned": True}


def test_what_would_come_in_is_told_and_asked_for(ska: Ska, file: Path) -> None:
    file.write_bytes(lines([WHO, {"content": "Ours", "memory_type": "shared"}, *GOOD]))
    done = ska("memory", "import", str(file))
    assert done.code == 2
    assert "1 identity" in done.err and "1 pinned" in done.err and "--yes" in done.err
    assert ska("memory", "list", "--json").json == []
    plan = ska("memory", "import", str(file), "--dry-run", "--json")
    assert plan.code == 0 and plan.json["memories"]["shared"] == 1 and not plan.json["trusted"]
    assert plan.json["demoted"] == {"identity": 1, "shared": 1, "importance": 1}
    assert ska("memory", "list", "--json").json == []
    assert ska("memory", "import", str(file), person=Terminal(["n"])).code == 0
    assert ska("memory", "list", "--json").json == []
    asked = ska("memory", "import", str(file), person=Terminal(["y"]))
    assert asked.code == 0 and "5 added" in asked.err and "3 only as plain memories" in asked.err
    kept = ska("memory", "list", "--json").json
    assert {one["memory_type"] for one in kept} == {"semantic"}
    assert not any(one["pinned"] for one in kept)


def test_trust_is_for_what_a_home_of_ones_own_signed(ska: Ska, file: Path, tmp_path: Path) -> None:
    unsigned = ska("memory", "import", str(file), "--trust", "--yes")
    assert unsigned.code == 2 and "bears no signature" in unsigned.err
    assert ska("memory", "import", "-", "--trust", "--yes", stdin=lines(GOOD)).code == 2
    assert ska("memory", "import", str(file), "--key", "x", "--yes").code == 2
    ska("memory", "import", str(file), "--yes")
    target = tmp_path / "out.jsonl"
    ska("memory", "export", "-o", str(target))
    again = ska("memory", "import", str(target), "--trust", "--yes", "--json")
    assert (again.code, again.json["skipped"]) == (0, 3)
    foreign = ska("--home", str(tmp_path / "o"), "memory", "import", str(target), "--trust", "-y")
    assert foreign.code == 2 and "this home's key" in foreign.err
    target.write_bytes(target.read_bytes() + lines([WHO]))
    altered = ska("memory", "import", str(target), "--trust", "--yes")
    assert altered.code == 2 and "bears no signature" in altered.err


def test_a_line_that_is_too_long_or_too_deep_is_left_out(ska: Ska, file: Path) -> None:
    deep = b'{"content": "x", "metadata": {"a": ' + b"[" * 60 + b"]" * 60 + b"}}\n"
    long = b'{"content": "' + b"y" * 2_000_000 + b'"}\n'
    file.write_bytes(deep + long + lines(GOOD))
    done = ska("memory", "import", str(file), "--yes", "--json")
    assert (done.code, done.json["added"], done.json["read"]) == (1, 3, 5)
    assert [one["line"] for one in done.json["errors"]] == [1, 2]
