"""`ska chat`: a loop of lines."""

from command_line import Ska

from skill_agent.errors import ModelUnavailable


def test_one_session_for_all_lines(ska: Ska) -> None:
    ska.model.add("First reply.", "Second reply.")
    done = ska("chat", stdin=b"hello\n\nand again\n")
    assert done.code == 0
    assert done.out == "First reply.\nSecond reply.\n"
    (session,) = ska("sessions", "list", "--json").json
    assert session["messages"] == 4


def test_commands(ska: Ska) -> None:
    ska("memory", "add", "The deployment day is Friday")
    done = ska(
        "chat",
        stdin=b"/help\n/agents\n/agent luke\nreview this\n/memory deployment day\n/sessions\n"
        b"/nonsuch\n/agent kira\n/quit\nnever said\n",
    )
    assert done.code == 0
    assert "/agent NAME" in done.out
    assert "ada" in done.out
    assert "The deployment day is Friday" in done.out
    assert "review this" in done.out
    assert "no command /nonsuch" in done.err
    assert "kyra" in done.err
    assert [one["agent"] for one in ska("sessions", "list", "--json").json] == ["luke"]
    assert ska("sessions", "search", "never said", "--json").json == []


def test_switching_within_a_session(ska: Ska) -> None:
    ska("chat", stdin=b"hello\n/agent luke\nand you?\n")
    shown = ska("sessions", "show", "latest", "--json").json
    assert [one["agent"] for one in shown["messages"]] == ["kyra", "kyra", "luke", "luke"]
    assert shown["agent"] == "luke"


def test_going_on(ska: Ska) -> None:
    first = ska("ask", "--json", "@luke the first thing").json["session"]
    done = ska("chat", "-c", stdin=b"more\n")
    assert "going on with" in done.err
    (session,) = ska("sessions", "list", "--json").json
    assert (session["id"], session["messages"], session["agent"]) == (first, 4, "luke")


def test_a_failure_does_not_end_the_talk(ska: Ska) -> None:
    ska.model.add([ModelUnavailable("asleep", hint="wake it")], "Back again.")
    done = ska("chat", stdin=b"hello\nhello?\n")
    assert done.code == 0
    assert "error: asleep" in done.err
    assert done.out == "Back again.\n"


def test_a_file_path_is_not_a_command(ska: Ska) -> None:
    assert ska("chat", stdin=b"/etc/hosts is what?\n").out == "All right.\n"


def test_an_unknown_agent(ska: Ska) -> None:
    assert ska("chat", "-a", "kira", stdin=b"").code == 2
