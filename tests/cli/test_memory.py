"""`ska memory`: one memory at a time."""

import re

import pytest
from command_line import Ska, Terminal

MEMORY_KEYS = {
    "id", "content", "memory_type", "subject", "importance", "agent", "status", "tier", "score",
    "source",
}  # fmt: skip


def add(ska: Ska, text: str, *more: str) -> str:
    done = ska("memory", "add", text, *more)
    assert done.code == 0, done.err
    return done.out.strip()


def test_add_prints_the_id_alone(ska: Ska) -> None:
    done = ska("memory", "add", "Deploys", "happen", "on Fridays")
    assert re.fullmatch(r"[0-9a-f-]{36}\n", done.out)
    assert "remembered as semantic" in done.err
    shown = ska("memory", "show", done.out.strip()[:13], "--json").json
    assert shown["content"] == "Deploys happen on Fridays"
    assert shown["importance"] == 8


def test_add_with_everything(ska: Ska) -> None:
    memory = ska(
        "memory", "add", "Lint before a review", "-a", "luke", "-t", "procedural",
        "--subject", "review.lint", "--importance", "9", "--pin", "--json",
    ).json  # fmt: skip
    assert set(memory) >= MEMORY_KEYS
    assert (memory["agent"], memory["memory_type"], memory["subject"], memory["pinned"]) == (
        "luke", "procedural", "review.lint", True,
    )  # fmt: skip
    assert (memory["tier"], memory["importance"]) == ("hot", 9)
    assert memory["created_at"].endswith("Z")
    assert set(memory["source"]) == {"session", "message_ids"}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("add", "  "), "content"),
        (("add", "x", "--importance", "11"), "--importance"),
        (("add", "x", "-t", "semantics"), 'did you mean "semantic"'),
        (("add", "x", "-t", "identity"), "needs an agent"),
        (("add", "x", "-a", "kira"), "kyra"),
        (("show", "nonsuch"), "nonsuch"),
        (("search", " "), "empty"),
        (("search", "x", "--kind", "turns"), "turn"),
        (("list", "--status", "gone"), "active, superseded"),
        (("at", "yesterday-ish"), "ISO 8601"),
        (("forget", "nonsuch"), "nonsuch"),
    ],
)
def test_wrong_usage(ska: Ska, arguments: tuple[str, ...], said: str) -> None:
    done = ska("memory", *arguments)
    assert (done.code, done.out) == (2, "")
    assert said in done.err


def test_search_ranks_and_explains(ska: Ska) -> None:
    wanted = add(ska, "The deployment day is Friday")
    add(ska, "Coffee is bought on Mondays")
    found = ska("memory", "search", "deployment", "day", "--json").json
    assert found[0]["id"] == wanted
    assert set(found[0]) >= MEMORY_KEYS | {"signals", "reason", "kind"}
    assert 0 < found[0]["score"] <= 1
    explained = ska("memory", "search", "deployment day", "--explain", "-n", "1")
    assert "signals" in explained.out
    assert wanted in explained.out
    plain = ska("memory", "search", "deployment day")
    assert plain.out.splitlines()[1].startswith(wanted)


def test_search_finds_turns_with_their_source(ska: Ska) -> None:
    told = ska("ask", "--json", "our release branch is called trunk").json
    (turn, *_) = ska("memory", "search", "release branch trunk", "--kind", "turn", "--json").json
    assert turn["kind"] == "turn"
    assert turn["source"] == {"session": told["session"], "message_ids": [turn["id"]]}


def test_an_agents_private_memory_is_its_own(ska: Ska) -> None:
    secret = add(ska, "The plan is called Bluebird", "-a", "luke", "-t", "agent_private")
    kyra = ska("memory", "search", "plan Bluebird", "-a", "kyra", "--json").json
    luke = ska("memory", "search", "plan Bluebird", "-a", "luke", "--json").json
    assert secret not in [one["id"] for one in kyra]
    assert secret in [one["id"] for one in luke]


def test_nothing_found(ska: Ska) -> None:
    done = ska("memory", "search", "anything", "--json")
    assert (done.code, done.json) == (0, [])


def test_list_filters(ska: Ska) -> None:
    pinned = add(ska, "one", "--pin")
    add(ska, "two", "-t", "episodic")
    assert len(ska("memory", "list", "--json").json) == 2
    assert [one["id"] for one in ska("memory", "list", "--pinned", "--json").json] == [pinned]
    (other,) = ska("memory", "list", "-t", "episodic", "--json").json
    assert other["content"] == "two"
    assert len(ska("memory", "list", "-n", "1", "--json").json) == 1
    assert "two" in ska("memory", "list", "--unpinned").out


def test_pin_unpin_forget_and_the_log_of_it(ska: Ska) -> None:
    memory = add(ska, "Deploys happen on Fridays")
    assert ska("memory", "pin", memory).out.strip() == memory
    assert ska("memory", "show", memory, "--json").json["pinned"]
    assert not ska("memory", "unpin", memory, "--json").json["pinned"]
    gone = ska("memory", "forget", memory, "--reason", "moved", "--json").json
    assert (gone["status"], gone["tier"]) == ("archived", "cold")
    assert ska("memory", "search", "Fridays", "--json").json == []
    assert ska("memory", "search", "Fridays", "--cold", "--json").json[0]["id"] == memory
    log = ska("memory", "log", memory, "--json").json
    assert [entry["kind"] for entry in log] == [
        "memory.created", "memory.pinned", "memory.unpinned", "memory.archived",
    ]  # fmt: skip
    assert log[-1]["reason"] == "moved"
    assert all(entry["id"] and entry["hash"] and entry["at"].endswith("Z") for entry in log)
    assert "memory.archived" in ska("memory", "log", memory).out


def test_forgetting_asks_a_person(ska: Ska) -> None:
    memory = add(ska, "Deploys happen on Fridays")
    person = Terminal(["n"])
    assert ska("memory", "forget", memory, person=person).code == 1
    assert "Fridays" in person.asked[0]
    assert ska("memory", "show", memory, "--json").json["status"] == "active"
    assert ska("memory", "forget", memory, person=Terminal(["y"])).code == 0
    assert ska("memory", "forget", add(ska, "x"), "--yes", person=Terminal([])).code == 0


def test_at_a_moment(ska: Ska) -> None:
    first = add(ska, "before")
    moment = ska("memory", "log", first, "--json").json[-1]["at"]
    add(ska, "after")
    assert [one["id"] for one in ska("memory", "at", moment, "--json").json] == [first]
    assert ska("memory", "at", "2001-01-01", "--json").json == []


def test_show_for_a_person(ska: Ska) -> None:
    out = ska("memory", "show", add(ska, "Deploys happen on Fridays")).out
    assert "Deploys happen on Fridays" in out
    assert "importance" in out
    assert "metadata" not in out


def test_a_correction_makes_a_version_and_the_story_tells_it(ska: Ska) -> None:
    old = add(ska, "Deploys happen on Fridays")
    done = ska("memory", "correct", old, "Deploys", "happen on Mondays", "--reason", "moved")
    new = done.out.strip()
    assert (new != old, "version 2" in done.err) == (True, True)
    rows = ska("memory", "log", new[:13], "--json").json
    assert [(row["kind"], row["entity"]) for row in rows] == [
        ("memory.created", old), ("memory.created", new), ("memory.superseded", old),
    ]  # fmt: skip
    told = ska("memory", "log", old).out
    assert "version 1 (superseded" in told
    assert "→" in told
    assert "moved" in told
    again = ska("memory", "correct", old, "Deploys happen on Sundays")
    assert (again.code, new in again.err) == (2, True)
    assert [one["id"] for one in ska("memory", "search", "deploys", "--json").json] == [new]


def test_a_procedure_without_an_owner_is_the_default_agents(ska: Ska) -> None:
    done = ska("memory", "add", "To deploy, push a tag", "-t", "procedural", "--json")
    assert (done.json["agent"], "kept for kyra" in done.err) == ("kyra", True)


def test_forgotten_can_be_restored(ska: Ska) -> None:
    memory = add(ska, "The cat is called Miso")
    ska("memory", "forget", memory, "--yes")
    assert ska("memory", "search", "cat", "--json").json == []
    assert ska("memory", "restore", memory).out.strip() == memory
    assert ska("memory", "search", "cat", "--json").json[0]["id"] == memory


def test_two_moments_are_compared(ska: Ska) -> None:
    memory = add(ska, "The cat is called Miso")
    ska("memory", "pin", memory)
    before, after = (row["at"] for row in ska("memory", "log", memory, "--json").json)
    (one,) = ska("memory", "at", after, "--diff", before, "--json").json
    assert (one["change"], one["fields"]["pinned"]) == (
        "changed", {"before": False, "after": True},
    )  # fmt: skip
    assert ska("memory", "at", before, "--diff", before).err.strip() == "nothing changed"
    assert "pinned: False → True" in ska("memory", "at", before, "--diff", after).out


def test_nothing_is_disputed(ska: Ska) -> None:
    memory = add(ska, "The cat is called Miso")
    assert ska("memory", "disputes", "--json").json == []
    done = ska("memory", "resolve", memory)
    assert (done.code, "not disputed" in done.err) == (2, True)
