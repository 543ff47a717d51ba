"""What is done with a message, what is seen of work, and where what was remembered is told."""

import asyncio
import json
import stat
from pathlib import Path

import pytest
from scenes import ASKED, RECALLED
from skill_agent.tui.memory.pane import MemoryPane, Recalled
from skill_agent.tui.talk.export_dialog import ExportDialog
from skill_agent.tui.talk.foot.throbber import Throbber
from skill_agent.tui.talk.running_turns import Pace
from skill_agent.tui.talk.shown.asides import WorkBlock
from skill_agent.tui.talk.shown.blocks import ToolBlock, UserBlock
from skill_agent.tui.talk.shown.head import Head, fitting
from skill_agent.tui.talk.shown.reply import ReplyBlock
from stage import StageRuntime, Stop, make
from stage_book import shelf
from stage_work import task
from textual.widgets import Input, OptionList, Static

from skill_agent.errors import ModelFailed
from skill_agent.events import Notice, TaskChanged, ToolFinished, ToolStarted

CODE = "First:\n\n```bash\nmake\n```\n\nthen\n\n```python\nx = 1\ny = 2\n```\n\n    indented\n"


def throbber(seat) -> str:
    return str(seat.talk.query_one(Throbber).render())


def problem(seat) -> str:
    return str(seat.app.screen.query_one(".problem", Static).render())


@pytest.mark.parametrize(
    ("width", "left"),
    [
        (39, "95% cached · 420 tokens · 9.1 s · 09:02"), (38, "420 tokens · 9.1 s · 09:02"),
        (26, "420 tokens · 9.1 s · 09:02"), (20, "9.1 s · 09:02"), (5, "09:02"), (4, ""),
    ],
)  # fmt: skip
def test_the_least_telling_goes_first(width: int, left: str) -> None:
    assert fitting(("95% cached", "420 tokens", "9.1 s", "09:02"), width) == left


def test_a_pace_says_nothing_before_it_is_known() -> None:
    pace = Pace(begun=0.0)
    pace.wrote("word", 10.0)
    assert pace.speed == 0
    for at in range(1, 20):
        pace.wrote("word", 10 + at / 10)
    assert 9 < pace.speed < 12


# -- what goes on -------------------------------------------------------------------------------


async def test_what_goes_on_is_told_in_one_row_and_nothing_of_it_stays(sit) -> None:
    now, read, write = [0.0], asyncio.Event(), asyncio.Event()
    progress = make(Notice, level="info", text="reading (20 %)")
    runtime = StageRuntime([[progress, Stop(read), "Hel", "lo ", Stop(write), "there."]])
    async with sit(runtime, seconds=lambda: now[0]) as seat:
        row = seat.talk.query_one(Throbber)
        assert row.idle and row.size.height == 1
        place = seat.talk.query_one("#writing").region
        await seat.say("hi")
        await seat.until(lambda: "reading (20 %)" in throbber(seat))
        now[0] = 12.4
        assert throbber(seat) == "• Kyra · reading (20 %) · 12 s · Esc stops"
        read.set()
        await seat.until(lambda: "writes" in throbber(seat))
        assert seat.talk.query_one("#writing").region == place, "it takes no room"
        write.set()
        await seat.until(lambda: seat.talk.figures.written)
        await seat.settled()
        assert row.idle and throbber(seat) == "", "and costs nothing"
        assert "reading" not in seat.shown() and "Thinking" not in seat.shown()


@pytest.mark.deep
async def test_it_turns_only_where_things_may_move(sit) -> None:
    gate = asyncio.Event()
    async with sit(StageRuntime([["a", Stop(gate)]])) as seat:
        await seat.say("hi")
        await seat.until(lambda: "writes" in throbber(seat))
        assert throbber(seat).startswith("• ")
        seat.app.animation_level = "full"
        assert not throbber(seat).startswith("• ")
        await seat.press("ctrl+n")
        await seat.until(lambda: seat.talk.query_one(Throbber).idle)


async def test_a_card_says_how_long_it_waits(sit) -> None:
    now = [0.0]
    async with sit(StageRuntime([[ASKED, "ok"]]), seconds=lambda: now[0]) as seat:
        await seat.say("look")
        await seat.until(lambda: seat.talk.approvals.pending)
        left = seat.talk.query_one("#approval-left", Static)
        head = str(seat.talk.query_one("#approval-head", Static).render())
        assert head == "Kyra wants to read status.example.org"
        assert str(left.render()) == "denied in 5:00"
        now[0] = 28.0
        await seat.until(lambda: str(left.render()) == "denied in 4:32")
        assert "waits for you: F2" in throbber(seat)


# -- blocks -------------------------------------------------------------------------------------


@pytest.mark.deep
async def test_why_a_tool_failed_is_seen_without_a_key(sit) -> None:
    why = "there is no such file; " + "nearest: notes.md, " * 8
    events = [
        make(ToolStarted, call="c", tool="read_file", arguments={"path": "x"}),
        make(ToolFinished, call="c", tool="read_file", ok=False, result=why, seconds=0.1),
    ]
    async with sit(StageRuntime([[*events, "Sorry."]])) as seat:
        await seat.say("read")
        await seat.until(lambda: seat.talk.figures.written)
        assert seat.talk.query_one(ToolBlock).open
        assert why.strip() in seat.shown()


@pytest.mark.deep
async def test_work_of_others_opens_to_what_came_of_it(sit) -> None:
    told = make(
        TaskChanged, task="t1", title="Count", status="completed", created_by="kyra", depth=1
    )
    runtime = StageRuntime([[told, "Done."]])
    runtime.given.put([task("t1", "ada", "Count", "completed", result="There are **nine** hens.")])
    async with sit(runtime) as seat:
        await seat.say("count")
        await seat.until(lambda: seat.talk.figures.written)
        assert "nine" not in seat.shown()
        seat.talk.set_focus(seat.talk.query_one(WorkBlock))
        await seat.press("enter")
        await seat.until(lambda: "There are **nine** hens." in seat.shown())


# -- what was remembered ------------------------------------------------------------------------


async def test_the_chip_opens_what_was_remembered_and_s_closes_it(sit) -> None:
    runtime = StageRuntime([[RECALLED, "On Fridays."]])
    async with sit(runtime, size=(120, 40)) as seat:
        pane = seat.talk.query_one(MemoryPane)
        await seat.say("When?")
        await seat.until(lambda: seat.talk.figures.written)
        head = list(seat.talk.query(Head))[-1]
        at = str(head.render()).index("◆ 3 remembered")
        assert not pane.display, "closed until somebody asks"
        await seat.pilot.click(head, offset=(at + 2, 0))
        await seat.until(lambda: pane.display)
        shown = str(seat.talk.query(Recalled).first().render())
        assert "A fact, 2026-11-13: same words: deploy, release; pinned." in shown
        assert "0.91" not in shown
        await seat.press("alt+up", "s")
        await seat.until(lambda: not pane.display)


@pytest.mark.deep
async def test_it_is_found_again_in_a_talk_that_is_reopened(sit) -> None:
    runtime = StageRuntime(memory=shelf())
    kept = runtime.book.memories[0]
    runtime.add_session("Hens", "kyra")
    runtime.say("session-0", "t", "user", "How many?", "kyra", recalled=(kept.id, "gone"))
    runtime.say("session-0", "t", "assistant", "Nine.", "kyra")
    async with sit(runtime, session="session-0") as seat:
        await seat.until(lambda: "Nine." in seat.shown())
        await seat.settled()
        assert "◆ 2 remembered" in seat.shown()
        await seat.press("alt+up", "s")
        await seat.until(lambda: seat.talk.query(Recalled))
        assert kept.content in str(seat.talk.query_one(Recalled).render())


async def test_a_narrow_window_never_hides_the_talk(sit) -> None:
    async with sit(StageRuntime([[RECALLED, "On Fridays."]]), size=(120, 36)) as seat:
        pane, talk = seat.talk.query_one(MemoryPane), seat.talk.query_one("#talk")
        await seat.press("f3")
        await seat.until(lambda: pane.display)
        await seat.pilot.resize_terminal(60, 18)
        await seat.until(lambda: not pane.display and talk.size.width > 50)
        await seat.press("f3")
        await seat.until(lambda: pane.display)
        await seat.settled()
        assert talk.size.height >= 4 and talk.size.width > 50 and pane.size.height >= 4
        await seat.press("f3")
        await seat.pilot.resize_terminal(120, 36)
        await seat.settled()
        assert not pane.display, "what the person closed stays closed"


# -- asking again -------------------------------------------------------------------------------


async def test_quoting_keeps_what_was_written(sit) -> None:
    async with sit(StageRuntime([["One.\n\nTwo."]])) as seat:
        await seat.say("hi")
        await seat.until(lambda: seat.talk.figures.written)
        seat.talk.composer.put("So:")
        await seat.press("alt+up", "q")
        assert seat.talk.composer.text == "So:\n\n> One.\n>\n> Two.\n\n"
        assert seat.talk.focused is seat.talk.composer


@pytest.mark.deep
async def test_asking_again_keeps_the_draft(sit) -> None:
    runtime = StageRuntime([["One."], [ModelFailed("boom", hint="later")], ["Three."]])
    async with sit(runtime) as seat:
        await seat.say("How?")
        await seat.until(lambda: seat.talk.figures.written)
        seat.talk.composer.put("half a")
        await seat.press("alt+up", "r")
        await seat.until(lambda: "boom" in seat.shown())
        assert seat.talk.composer.text == "half a"
        assert seat.talk._outbox.draft("session-0").text == "half a", "it is on disk"
        await seat.press("alt+up", "r")
        await seat.until(lambda: "Three." in seat.shown())
        assert [one[0] for one in runtime.submitted] == ["How?", "How?", "How?"]


@pytest.mark.deep
async def test_the_same_one_is_asked_again(sit) -> None:
    runtime = StageRuntime()
    runtime.add_session("Rows", "kyra", "Why?", "Off by one.")
    async with sit(runtime, session="session-0") as seat:
        await seat.until(lambda: "Off by one." in seat.shown())
        await seat.settled()
        await seat.press("tab", "alt+up", "r")
        await seat.until(lambda: runtime.submitted)
        assert runtime.submitted[0][0] == "@kyra Why?"


async def test_editing_a_question_goes_to_a_branch_without_it(sit) -> None:
    runtime = StageRuntime([["One."], ["Two."], ["Other."]])
    async with sit(runtime) as seat:
        for text, reply in (("first", "One."), ("second", "Two.")):
            await seat.say(text)
            await seat.until(lambda: reply in seat.shown())  # noqa: B023
            await seat.until(lambda: not seat.talk.turns.of("session-0"))
        await seat.press("alt+up", "e")
        await seat.until(lambda: seat.talk.session_id == "session-0-branch")
        await seat.until(lambda: seat.talk.composer.text == "second")
        assert [one.text for one in seat.talk.query(UserBlock)] == ["first"]
        await seat.press("end", "!", "enter")
        await seat.until(lambda: "Other." in seat.shown())
        assert runtime.submitted[-1][:2] == ("second!", "session-0-branch")
        assert [one.content for one in runtime.said["session-0"]][-1] == "Two."


@pytest.mark.deep
async def test_editing_the_first_question_begins_anew(sit) -> None:
    async with sit(StageRuntime([["One."]])) as seat:
        await seat.say("first")
        await seat.until(lambda: seat.talk.figures.written)
        await seat.press("alt+up", "alt+up", "e")
        await seat.until(lambda: seat.talk.session_id is None)
        await seat.until(lambda: seat.talk.composer.text == "first")


async def test_a_branch_goes_on_from_here(sit) -> None:
    async with sit(StageRuntime([["One."], ["Two."]])) as seat:
        for text, reply in (("first", "One."), ("second", "Two.")):
            await seat.say(text)
            await seat.until(lambda: reply in seat.shown())  # noqa: B023
            await seat.until(lambda: not seat.talk.turns.of("session-0"))
        seat.talk.set_focus(seat.talk.query(ReplyBlock).first())
        await seat.press("b")
        await seat.until(lambda: seat.talk.session_id == "session-0-branch")
        await seat.until(lambda: "One." in seat.shown() and "Two." not in seat.shown())


# -- code ---------------------------------------------------------------------------------------


# -- export -------------------------------------------------------------------------------------

NASTY = 'Put <script>alert("x")</script> and ![pic](https://evil.invalid/x.png) in.'


def private_text(path: Path) -> str:
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    return path.read_text("utf-8")


async def exported(seat, form: str, path: Path, *keys: str) -> str:
    await seat.press("escape", "alt+up", "x")
    await seat.at(ExportDialog)
    listing = seat.app.screen.query_one(OptionList)
    box = seat.app.screen.query_one(Input)
    listing.highlighted = ["md", "html", "json", "svg"].index(form)
    await seat.until(lambda: box.value == f"a-talk-of-hens.{form}")
    box.value = str(path)
    await seat.press("enter", *keys)
    await seat.until(lambda: seat.app.screen is seat.talk)
    return private_text(path)


async def test_a_talk_is_exported_in_four_forms(sit, tmp_path: Path) -> None:
    runtime = StageRuntime()
    runtime.add_session("A talk of hens!", "kyra", "How many?", NASTY)
    async with sit(runtime, session="session-0") as seat:
        await seat.until(lambda: "Put" in seat.shown())
        await seat.settled()
        assert NASTY in await exported(seat, "md", tmp_path / "a.md")
        page = await exported(seat, "html", tmp_path / "a.html")
        assert "<script" not in page and "<img" not in page and "&lt;script&gt;" in page
        whole = json.loads(await exported(seat, "json", tmp_path / "a.json"))
        assert [one["content"] for one in whole["messages"]] == ["How many?", NASTY]
        picture = await exported(seat, "svg", tmp_path / "a.svg")
        assert picture.startswith("<svg") and "<script" not in picture
        assert "url(http" not in picture and 'url("http' not in picture
        assert [kind for _, kind in runtime.personal.written] == ["sessions"] * 4
        told = [one.message for one in seat.app._notifications]
        assert any("2 messages written to" in one and "a.svg" in one for one in told)


async def test_nothing_is_replaced_unasked(sit, tmp_path: Path) -> None:
    runtime, path = StageRuntime(), tmp_path / "a.md"
    runtime.add_session("A talk of hens!", "kyra", "How many?", "Nine.")
    path.write_text("mine")
    async with sit(runtime, session="session-0") as seat:
        await seat.until(lambda: "Nine." in seat.shown())
        await seat.settled()
        await seat.press("alt+up", "x")
        await seat.at(ExportDialog)
        await seat.until(lambda: seat.app.screen.query_one(Input).value)
        seat.app.screen.query_one(Input).value = str(path)
        await seat.press("enter")
        await seat.until(lambda: "such a file" in problem(seat))
        assert path.read_text() == "mine"
        await seat.press("enter")
        await seat.until(lambda: seat.app.screen is seat.talk)
        assert "Nine." in path.read_text()


@pytest.mark.deep
async def test_a_folder_that_is_not_there_is_told(sit, tmp_path: Path) -> None:
    runtime = StageRuntime()
    runtime.add_session("A talk of hens!", "kyra", "How many?", "Nine.")
    async with sit(runtime, session="session-0") as seat:
        await seat.until(lambda: "Nine." in seat.shown())
        await seat.settled()
        await seat.press("alt+up", "x")
        await seat.at(ExportDialog)
        seat.app.screen.query_one(Input).value = str(tmp_path / "no" / "a.md")
        await seat.press("enter")
        await seat.until(lambda: "cannot write" in problem(seat))
        await seat.press("escape")
        await seat.until(lambda: seat.app.screen is seat.talk)
