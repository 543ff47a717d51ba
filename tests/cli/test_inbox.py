"""`ska inbox` from the outside, and where else what waits there is told."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import pytest
from command_line import Ska
from fakes import HashEmbedder, StepClock
from in_process import open_in_process

from skill_agent.files.home import Home
from skill_agent.models.scripted import ScriptedGateway, ScriptedModel
from skill_agent.values import Dispatch, InboxItem

DAILY = Dispatch(
    title="The day \x1b[31m", text="Two things are open.", sort="summary", agent="kyra"
)


def told(home: Home, *dispatches: Dispatch) -> Sequence[InboxItem]:
    """What a job would leave."""

    async def tell() -> list[InboxItem]:
        gateway = ScriptedGateway(ScriptedModel(otherwise="Yes."))
        async with open_in_process(
            home.root, create=True, gateway=gateway, embedder=HashEmbedder(), clock=StepClock()
        ) as runtime:
            return [await runtime._automation.delivers.deliver(one) for one in dispatches]

    return asyncio.run(tell())


def test_bare_it_lists_what_was_not_read(ska: Ska, home: Home) -> None:
    assert "nothing unread" in ska("inbox").err
    first, second = told(home, DAILY, replace(DAILY, title="Another"))
    assert [one["title"] for one in ska("inbox", "--json").json] == ["Another", "The day \x1b[31m"]
    listed = ska("inbox").out
    assert first.id in listed and "summary" in listed and "\x1b" not in listed
    shown = ska("inbox", "show", second.id[:-4])
    assert "Two things are open." in shown.out and shown.code == 0
    assert [one["id"] for one in ska("inbox", "list", "--unread", "--json").json] == [first.id]
    assert len(ska("inbox", "list", "--json").json) == 2
    assert ska("inbox", "read", "--all").code == 0
    assert ska("inbox", "--json").json == []
    ska("inbox", "read", first.id, "--unread")
    assert len(ska("inbox", "--json").json) == 1


def test_putting_away_and_back(ska: Ska, home: Home) -> None:
    (item,) = told(home, DAILY)
    assert ska("inbox", "archive", "latest").code == 0
    assert ska("inbox", "list", "--json").json == []
    assert [one["id"] for one in ska("inbox", "list", "--archived", "--json").json] == [item.id]
    assert ska("inbox", "archive", item.id, "--undo").code == 0
    assert len(ska("inbox", "list", "--json").json) == 1


@pytest.mark.parametrize(
    "line",
    [
        ("show", "nothing"), ("archive", "0000000000"), ("deliver", "latest"), ("read",),
        ("read", "--all", "latest"), ("list", "--unread", "--archived"), ("reply", "nothing", "x"),
        ("reply", "latest", " "), ("--unread", "list"),
    ],
)  # fmt: skip
def test_what_means_nothing_ends_with_2_and_a_hint(
    ska: Ska, home: Home, line: tuple[str, ...]
) -> None:
    told(home, DAILY)
    done = ska("inbox", *line)
    assert done.code == 2 and done.err.startswith("error:") and "hint:" in done.err, done.err


def test_a_reply_goes_on_where_it_came_from(ska: Ska, home: Home) -> None:
    ska("ask", "What is open?")
    session = ska("sessions", "list", "--json").json[0]["id"]
    told(home, replace(DAILY, session=session))
    assert ska("inbox", "reply", "latest", "the", "second", "one").out.strip() == "All right."
    messages = ska("sessions", "show", session, "--json").json["messages"]
    assert [one["content"] for one in messages][-2:] == ["the second one", "All right."]
    assert ska("inbox", "--json").json == []


def test_a_reply_to_what_came_from_nowhere_has_it_beside(ska: Ska, home: Home) -> None:
    told(home, replace(DAILY, agent="luke", origins=("web",)))
    done = ska("inbox", "reply", "latest", "why?", "--json").json
    assert done["agent"] == "luke" and len(ska("sessions", "list", "--json").json) == 1
    assert "Two things are open." in str(ska.model.requests[-1])


def test_what_is_given_up_is_told_by_doctor_and_delivered_again(ska: Ska, home: Home) -> None:
    (item,) = told(home, replace(DAILY, targets=("apprise:phone",)))
    done = ska("inbox", "deliver", item.id)
    assert done.code == 1 and "apprise:phone: given up" in done.out
    status = ska("status", "--json").json
    assert (status["inbox_unread"], status["not_delivered"]) == (2, 1)
    found = {one["id"]: one for one in ska("doctor", "--json").json}
    lost = found["delivery apprise:phone"]
    assert "no URL named phone" in lost["detail"] and item.id in lost["fix"]
    assert "2 in the inbox not read" in ska("chat", stdin=b"/quit\n").err
