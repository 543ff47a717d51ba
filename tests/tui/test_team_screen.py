"""The team screen and the lines of team work in a conversation, driven by keys and events."""

from dataclasses import replace

from scenes import ASKED
from skill_agent.tui.frame.dialogs import ConfirmDialog, LineDialog
from skill_agent.tui.talk.shown.asides import WorkBlock
from skill_agent.tui.team.screen import EMPTY, TeamScreen
from stage import Ids, StageRuntime, opener, refuser
from stage_work import at_work, task
from textual.widget import Widget
from textual.widgets import Static

from skill_agent.errors import StoreError
from skill_agent.events import ApprovalAsked, CollaborationChanged, TaskChanged, TurnStarted


def busy() -> StageRuntime:
    stage = StageRuntime()
    at_work(stage.given, stage.together)
    stage.say("t1", "turn-1", "user", "Look at roots", "luke")
    stage.say("t1", "turn-1", "assistant", "Shallow roots, I think.", "luke")
    return stage


async def opened(seat, rows: int = 4) -> TeamScreen:
    await seat.press("f7")
    screen = await seat.at(TeamScreen)
    await seat.until(lambda: len(screen.listing.branches) >= rows)
    return screen


def told(screen: TeamScreen) -> str:
    return " ".join(" ".join(str(one.render()) for one in screen.pane.query(Widget)).split())


def changed(seat, name: str, **more) -> TaskChanged:
    one = seat.app.runtime.given.known[name]
    return TaskChanged(
        session=one.conversation or "", turn=one.parent_turn or "", agent=one.assigned_to,
        task=name, title=one.title, status=one.status, created_by="person", depth=1,
        problem=one.error, **more,
    )  # fmt: skip


async def test_a_tree_a_transcript_and_back(sit) -> None:
    async with sit(busy()) as seat:
        await seat.until(lambda: seat.talk.figures.at_work == 1)
        screen = await opened(seat)
        assert [one.id for one in screen.listing.branches] == ["tree", "t1", "t2", "t3"]
        await seat.press("down")
        await seat.until(lambda: "an apple on a weak stock" in told(screen))
        await seat.press("enter")
        await seat.until(lambda: "Shallow roots, I think." in told(screen))
        assert screen.pane.has_focus and screen.pane.opened
        await seat.press("escape")
        await seat.until(lambda: screen.listing.has_focus and not screen.pane.opened)
        await seat.press("escape")
        await seat.until(lambda: seat.app.screen is seat.talk)


async def test_one_is_stopped_written_to_and_begun_anew(sit) -> None:
    stage = busy()
    async with sit(stage) as seat:
        screen = await opened(seat)
        await seat.press("down", "down", "w")
        await seat.at(LineDialog)
        await seat.press(*"faster", "enter")
        await seat.until(lambda: stage.given.said == [("t2", "faster")])
        await seat.at(TeamScreen)
        await seat.until(lambda: not screen._doing)
        await seat.press("c")
        await seat.until(lambda: stage.given.known["t2"].status == "cancelled")
        await seat.until(lambda: not screen._doing and screen.listing.branches[2].ended)
        await seat.press("c")
        assert stage.given.known["t2"].status == "cancelled", "what has ended stays"
        await seat.press("down", "r")
        await seat.until(lambda: stage.given.known["t3"].status == "pending")
        await seat.until(lambda: not screen._doing)
        await seat.press("C")
        await seat.at(ConfirmDialog)
        await seat.press("escape")
        await seat.at(TeamScreen)
        assert stage.together.known["tree"].status == "active"
        await seat.until(lambda: not screen._doing)
        await seat.press("C")
        await seat.at(ConfirmDialog)
        await seat.press("enter")
        await seat.until(lambda: stage.together.known["tree"].status == "cancelled")
        await seat.until(lambda: stage.given.known["t3"].status == "cancelled")


async def test_what_is_refused_is_told_and_ends_nothing(sit) -> None:
    stage = busy()
    async with sit(stage) as seat:
        screen = await opened(seat)
        await seat.press("down", "r")
        await seat.until(lambda: not screen._doing)
        await seat.until(lambda: any("was done" in one.title for one in seat.app._notifications))
        stage.given.problem = StoreError("the ledger cannot be read", hint="ska doctor")
        stage.tell(changed(seat, "t2"))
        await seat.until(lambda: screen.has_class("-bad"))
        assert "ska doctor" in str(screen.query_one("#page-none", Static).render())
        stage.given.problem = None
        stage.tell(changed(seat, "t2"))
        await seat.until(lambda: len(screen.listing.branches) == 4)


async def test_it_follows_events_and_keeps_what_is_chosen(sit) -> None:
    stage = busy()
    async with sit(stage) as seat:
        screen = await opened(seat)
        await seat.press("down", "down")
        stage.given.put([replace(stage.given.known["t2"], status="failed", error="no price")])
        stage.given.put([task("t4", "max", "Write a text", "in_progress")])
        stage.tell(changed(seat, "t4"))
        await seat.until(lambda: "t4" in [one.id for one in screen.listing.branches])
        assert screen.listing.chosen and screen.listing.chosen.id == "t2"
        await seat.until(lambda: "no price" in told(screen))


async def test_nobody_works_the_team_wakes_or_the_home_does_not_open(sit) -> None:
    async with sit(StageRuntime()) as seat:
        await seat.press("f7")
        screen = await seat.at(TeamScreen)
        await seat.until(lambda: EMPTY in str(screen.query_one("#page-none", Static).render()))
        await seat.press("c", "w", "r", "enter", "tab")
    stage = busy()
    busy_home = StoreError("another process has it", hint="ska status")
    broken = refuser(busy_home, then=stage)
    async with sit(broken, ready=False) as seat:
        await seat.press("f7")
        screen = await seat.at(TeamScreen)
        none = screen.query_one("#page-none", Static)
        await seat.until(lambda: "another process has it" in str(none.render()))
        assert TeamScreen.WAKING not in str(none.render())


async def test_a_conversation_has_one_line_for_each_task_now_and_later(sit) -> None:
    stage = busy()
    session = stage.add_session("Trees", "kyra", "Ask Luke about roots", "He says: shallow.")
    turn = stage.said[session.id][0].turn
    given = task("t9", "luke", "Look at roots", "in_progress")
    given = replace(given, conversation=session.id, parent_turn=turn)
    async with sit(opener(stage), session="Trees") as seat:
        stage.given.put([given])
        for status in ("pending", "in_progress", "completed"):
            stage.given.put([replace(given, status=status)])
            stage.tell(changed(seat, "t9"))
        inner = changed(seat, "t9", parent_task="t8")
        stage.tell(replace(inner, task="t10", title="Not of this turn"))
        await seat.until(lambda: "Luke: Look at roots · completed" in seat.shown())
        assert len(seat.talk.query(WorkBlock)) == 1
        live = str(seat.talk.query_one(WorkBlock)._headline())
        await seat.talk._opened().listener.reload()
        await seat.until(lambda: seat.talk.query(WorkBlock))
        assert str(seat.talk.query_one(WorkBlock)._headline()) == live
        assert "Not of this turn" not in seat.shown()
        stage.given.put([replace(given, status="failed", error="asked anew")])
        stage.tell(changed(seat, "t9"))
        await seat.until(lambda: "failed (asked anew)" in seat.shown())
        assert len(seat.talk.query(WorkBlock)) == 1, "a line that was read goes on"


async def test_the_result_of_a_collaboration_comes_into_its_conversation(sit) -> None:
    stage = busy()
    session = stage.add_session("Trees", "kyra", "Which tree?")
    async with sit(opener(stage), session="Trees") as seat:
        stage.say(session.id, f"{session.id}-turn-0", "assistant", "An apple tree.", "kyra")
        stage.tell(
            CollaborationChanged(
                session=session.id, turn="tree", agent="kyra", collaboration="tree",
                pattern="pipeline", goal="Which tree?", status="completed",
            )
        )  # fmt: skip
        await seat.until(lambda: "An apple tree." in seat.shown())


async def test_a_question_of_a_worker_names_the_chain_and_is_asked_here(sit) -> None:
    chain = ("Kyra", "Luke: look at the change\u202e")
    stage = busy()
    async with sit(stage) as seat:
        ids: Ids = {"session": "t2", "turn": "x", "agent": "luke"}
        stage.tell(TurnStarted(**ids, message_id="m", text="Look at it", model="scripted"))
        stage.tell(ApprovalAsked(**ids, **ASKED.fields, chain=chain))
        await seat.until(lambda: seat.talk.approvals.pending)
        asked = " ".join(str(one.render()) for one in seat.talk.approvals.query(Static))
        assert "asked for by Kyra → Luke: look at the change‹U+202E›" in asked
