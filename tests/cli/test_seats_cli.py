"""`ska sessions agents|handoff|back`, and the same within `ska chat`."""

import pytest
from command_line import Ska


@pytest.fixture
def talk(ska: Ska) -> str:
    """A conversation with Kyra; its id."""
    ska.model.add("On Friday.")
    return ska("ask", "--json", "when do I deploy").json["session"]


def here(seats: list[dict[str, str | None]]) -> list[str | None]:
    return [one["id"] for one in seats if one["left_at"] is None]


def test_agents_are_shown_brought_in_and_taken_out(ska: Ska, talk: str) -> None:
    assert here(ska("sessions", "agents", "--json").json) == ["kyra"]
    found = ska("sessions", "agents", talk, "--add", "luke", "--add", "Ada", "--json").json
    assert here(found) == ["kyra", "luke", "ada"]
    found = ska("sessions", "agents", talk, "--remove", "luke", "--json").json
    assert here(found) == ["kyra", "ada"]
    out = ska("sessions", "agents").out
    assert "kyra" in out and "primary" in out and "invited" in out


def test_handing_over_and_back(ska: Ska, talk: str) -> None:
    done = ska("sessions", "handoff", "latest", "luke", "--reason", "about code")
    assert (done.code, done.out.strip()) == (0, talk)
    assert "kyra hands over to luke: about code" in done.err
    ska.model.add("Luke here.")
    assert ska("ask", "--json", "-c", "who is it").json["agent"] == "luke"
    back = ska("sessions", "back", talk, "--json").json
    assert (back["id"], back["from_agent"], back["to_agent"]) == (talk, "luke", "kyra")
    shown = ska("sessions", "show", talk).out
    first, last = shown.index("*kyra hands over to luke: about code*"), shown.index("who is it")
    assert shown.index("On Friday.") < first < last < shown.index("*luke hands over to kyra")


def test_what_cannot_be_done_says_what_to_do(ska: Ska, talk: str) -> None:
    done = ska("sessions", "back", talk)
    assert done.code == 2 and "nobody it goes back to" in done.err
    assert "ska sessions handoff" in done.err
    done = ska("sessions", "agents", talk, "--add", "luke", "--remove", "luke")
    assert done.code == 2 and "both name luke" in done.err
    assert ska("sessions", "handoff", talk, "nobody").code == 2


def test_words_hand_over_too_and_the_answer_names_who_gives_it(ska: Ska, talk: str) -> None:
    ska.model.add("Luke here.", "Kyra again.")
    done = ska("ask", "-c", "Hand this over to Luke")
    assert "kyra hands over to luke" in done.err and done.out == "Luke here.\n"
    assert ska("ask", "--json", "-c", "Back to Kyra please").json["agent"] == "kyra"


def test_in_a_chat(ska: Ska) -> None:
    ska.model.add("One.", "Two.", "Three.")
    lines = [
        "/handoff luke", "Hello", "/invite ada", "/handoff luke about code", "And you?", "/back",
        "/leave ada", "/agent max", "/back",
    ]  # fmt: skip
    done = ska("chat", stdin=("\n".join(lines) + "\n").encode())
    assert done.code == 0
    for told in (
        "there is no conversation yet", "ada was invited", "kyra hands over to luke: about code",
        "luke hands over to kyra", "ada left", "nobody it goes back to",
    ):  # fmt: skip
        assert told in done.err, told
    found = ska("sessions", "agents", "--json").json
    assert here(found) == ["max"]
