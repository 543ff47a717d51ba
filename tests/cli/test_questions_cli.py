"""`ska questions`, and questions and revisions answered where one talks."""

import asyncio
from typing import Any
from uuid import uuid4

import pytest
from command_line import Ska, Terminal
from fakes import OpenRuntime
from skill_agent.cli.surroundings import Surroundings
from skill_agent.cli.talk.approvals import asking
from skill_agent.cli.talk.questions import replying

from skill_agent.events import ApprovalAsked, QuestionAsked
from skill_agent.values import NewQuestion, ToolCall


@pytest.fixture
def question(ska: Ska, open_runtime: OpenRuntime) -> str:
    """One that waits in the home."""
    assert ska("memory", "list").code == 0
    key = str(uuid4())

    async def ask() -> None:
        async with open_runtime(ska.model) as runtime:
            new = NewQuestion(text="Send it?", detail="To: Anna\nAll of it", key=key)
            task = asyncio.create_task(runtime.asks.ask(new))
            while not await runtime.questions.list():  # noqa: ASYNC110
                await asyncio.sleep(0.01)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    asyncio.run(ask())
    return key


def test_listed_shown_and_answered(ska: Ska, question: str) -> None:
    (listed,) = ska("questions", "list", "--json").json
    assert (listed["id"], listed["state"], listed["default"]) == (question, "waiting", "cancel")
    assert "Send it?" in ska("questions", "list").out
    shown = ska("questions", "show", question[:10]).out
    assert "│ All of it" in shown and "then: cancel" in shown
    unclear = ska("questions", "answer", question, "know")
    assert unclear.code == 2 and "does not answer" in unclear.err and "revise" in unclear.err
    done = ska("questions", "answer", question[:10], "change", "the", "title", "to", "Spring")
    assert done.code == 0 and "answered: revise: change the title to Spring" in done.err
    again = ska("questions", "answer", question, "yes")
    assert again.code == 2 and "settled: revise" in again.err
    assert ska("questions", "list", "--json").json == []
    (kept,) = ska("questions", "list", "--all", "--json").json
    assert (kept["action"], kept["by"]) == ("revise", "the command line")
    assert ska("questions", "show", "nonsuch").code == 2


def test_the_words_are_listed(ska: Ska) -> None:
    ska("memory", "list")
    found = {one["id"]: one for one in ska("questions", "words", "--json").json}
    assert "weiter" in found["de"]["proceed"] and "y" in found["en"]["proceed"]
    assert "weiter" in ska("questions", "words").out


def test_a_call_is_revised_at_the_prompt(ska: Ska) -> None:
    call = ToolCall(id="c1", name="http_get", arguments={"url": "http://a.invalid/"})
    ska.model.add([call], "Then I shall ask Luke.")
    ska("memory", "list")
    person = Terminal(["r", "revise: ask Luke about it"])
    done = ska("ask", "look at the news for me", person=person)
    assert done.code == 0 and "Then I shall ask Luke." in done.out
    told = ska.model.requests[-1].messages[-1].content
    assert "the person wants something else instead: ask Luke about it" in told
    assert ska("approvals", "list", "--json").json == []


@pytest.mark.parametrize(
    ("said", "decided"),
    [
        ("R: less", ("deny", "less")),
        ("revise:  no: none", ("deny", "no: none")),
        ("o", ("once", "")),
    ],
)
def test_what_decides(said: str, decided: Any) -> None:
    event = ApprovalAsked(
        session="s", turn="t", agent="kyra", approval="a", tool="t", arguments={}, rule="kyra t",
        reason="", timeout_s=1,
    )  # fmt: skip
    assert asking(Surroundings(read_line=Terminal(["", "r:", said])))(event) == decided


def test_a_question_is_put_whole(capsys: pytest.CaptureFixture[str]) -> None:
    reply = replying(Surroundings(read_line=Terminal([" yes "])))
    assert (
        reply(QuestionAsked(question="q", text="Go\u202e on?", detail="a\nb", agent="x")) == "yes"
    )
    assert capsys.readouterr().err.splitlines() == ["x asks: Go‹U+202E› on?", "    │ a", "    │ b"]
