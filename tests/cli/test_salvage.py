"""`ska doctor --salvage` and `--accept-loss`: a damaged home opens again with what was left."""

import shutil
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
from command_line import Ska

UPGRADE = Path(__file__).parent.parent / "upgrade"
Damage = Callable[[Path], None]


@pytest.fixture
def filled(ska: Ska) -> Ska:
    ska("memory", "add", "The staging server is called heron")
    ska("ask", "When do I deploy?")
    ska("ask", "And from where?", "--session", "latest")
    ska("memory", "search", "heron")
    return ska


def flipped(ledger: Path) -> None:
    content = bytearray(ledger.read_bytes())
    content[12_288 + 262_144 + 5_000] ^= 0xFF
    ledger.write_bytes(content)


def every_block_flipped(ledger: Path) -> None:
    content = bytearray(ledger.read_bytes())
    for place in range(12_288 + 5_000, len(content), 262_144):
        content[place] ^= 0xFF
    ledger.write_bytes(content)


def cut(ledger: Path) -> None:
    content = ledger.read_bytes()
    ledger.write_bytes(content[:400_000])


def zeroed(ledger: Path) -> None:
    ledger.write_bytes(bytes(12_288) + ledger.read_bytes()[12_288:])


def missing(ledger: Path) -> None:
    ledger.unlink()


def contents(ska: Ska) -> set[str]:
    memories = ska("memory", "list", "--json").json
    return {one["content"] for one in memories}


@pytest.mark.deep
@pytest.mark.parametrize("damage", [every_block_flipped, cut, zeroed, missing])
def test_what_the_ledger_lost_comes_from_the_index(filled: Ska, damage: Damage) -> None:
    damage(filled.home.ledger)
    for command in (("memory", "list"), ("ask", "hello"), ("memory", "verify")):
        done = filled(*command)
        assert done.code == 1, command
        assert "ska backup restore" in done.err
        assert "unexpected" not in done.err
    told = filled("doctor")
    assert told.code == 1
    mend = [line for line in told.out.splitlines() if "mend it" in line]
    assert not any("ska doctor" in line for line in mend), "it is not its own cure"

    done = filled("doctor", "--salvage", "--yes")
    assert done.code == 0, done.err
    assert "the home opens again" in done.err
    assert contents(filled) == {"The staging server is called heron"}
    shown = filled("sessions", "show", "latest").out
    for said in ("When do I deploy?", "And from where?", "All right."):
        assert said in shown
    assert "no problems" in filled("memory", "verify").err
    assert "heron" in filled("memory", "search", "heron").out
    kept = {one.name for one in filled.home.root.glob("*.damaged-*")}
    assert kept, "nothing that was damaged is thrown away"
    assert "kept aside" in filled("doctor").out
    assert "kept aside" in filled("memory", "verify").err
    (row,) = [one for one in _log(filled) if one["kind"] == "ledger.salvaged"]
    assert set(row["new"]["tables"]) >= {"memories", "messages", "log rows"}


def _log(ska: Ska) -> list[dict]:
    import json

    import duckdb

    with duckdb.connect(str(ska.home.ledger), read_only=True) as connection:
        rows = connection.execute("SELECT kind, payload FROM log ORDER BY seq").fetchall()
    return [{"kind": kind, "new": json.loads(told or "{}").get("new")} for kind, told in rows]


def test_one_flipped_block_is_opened_or_salvaged(filled: Ska) -> None:
    flipped(filled.home.ledger)
    done = filled("memory", "verify")
    if done.code:
        assert filled("doctor", "--salvage", "--yes").code == 0
    assert contents(filled) == {"The staging server is called heron"}


def test_nothing_is_changed_unasked(filled: Ska) -> None:
    cut(filled.home.ledger)
    before = {file: file.read_bytes() for file in filled.home.root.glob("ledger*")}
    done = filled("doctor", "--salvage")
    assert done.code == 1
    assert "--yes" in done.err
    assert "memories" in done.out
    assert {file: file.read_bytes() for file in filled.home.root.glob("ledger*")} == before


def test_a_whole_ledger_is_left_alone(filled: Ska) -> None:
    before = filled.home.ledger.read_bytes()
    for option in ("--salvage", "--accept-loss"):
        done = filled("doctor", option, "--yes")
        assert (done.code, "is whole" in done.err) == (0, True), done.err
    assert filled.home.ledger.read_bytes() == before
    assert filled("doctor", "--salvage", "--accept-loss").code == 2


def test_a_loss_can_be_accepted(filled: Ska) -> None:
    missing(filled.home.ledger)
    done = filled("doctor", "--accept-loss")
    assert (done.code, "--yes" in done.err) == (1, True)
    assert not filled.home.ledger.exists()
    assert filled("doctor", "--accept-loss", "--yes").code == 0
    assert contents(filled) == set()
    assert "no problems" in filled("memory", "verify").err
    kept = [file.name for file in filled.home.root.glob("*.damaged-*.index")]
    assert len(kept) == 1, "the index has what the ledger lost"


def test_nothing_left_is_said(filled: Ska) -> None:
    zeroed(filled.home.ledger)
    shutil.rmtree(filled.home.index)
    done = filled("doctor", "--salvage", "--yes")
    assert done.code == 1
    assert "nothing can be read" in done.err
    assert "ska backup list" in done.err


def test_an_older_ledger_is_salvaged_too(ska: Ska) -> None:
    ska("memory", "list")
    with tarfile.open(UPGRADE / "home-0.1.tar.xz") as archive:
        archive.extractall(ska.home.root, filter="data")
    assert ska("migrate", "status", "--json").json["needed"] is True
    assert "is whole" in ska("doctor", "--salvage", "--yes").err, "an older one is not damaged"
    every_block_flipped(ska.home.ledger)
    done = ska("doctor", "--salvage", "--yes")
    assert done.code == 0, done.err
    assert "The staging server is called heron" in contents(ska)


def test_where_a_migration_stands(filled: Ska) -> None:
    told = filled("migrate", "status", "--json").json
    assert (told["schema"], told["needed"], told["problem"]) == (told["newest"], False, "")
    assert [one["id"] for one in told["steps"]] == list(range(1, told["newest"] + 1))
    assert all(one["what"] and one["done"] for one in told["steps"])
    assert "what it does" in filled("migrate", "status").out
    zeroed(filled.home.ledger)
    told = filled("migrate", "status", "--json").json
    assert told["schema"] is None
    assert "not a ledger" in told["problem"]
