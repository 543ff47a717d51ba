"""The inbox screen and its count in the status line, driven by keys and events."""

from dataclasses import replace

from skill_agent.tui.inbox.screen import EMPTY, InboxScreen
from stage import StageRuntime
from stage_inbox import full, item
from textual.widget import Widget
from textual.widgets import Static

from skill_agent.errors import StoreError
from skill_agent.events import InboxArrived, InboxChanged


def filled() -> StageRuntime:
    stage = StageRuntime()
    session = stage.add_session("The garden", "kyra", "What is open?", "Two things.")
    full(stage.post, session.id)
    return stage


async def opened(seat) -> InboxScreen:
    await seat.press("f8")
    screen = await seat.at(InboxScreen)
    await seat.until(lambda: len(screen.listing.things) == 3)
    return screen


def ids(screen: InboxScreen) -> list[str]:
    return [one.id for one in screen.listing.things]


def told(screen: InboxScreen) -> str:
    return " ".join(" ".join(str(one.render()) for one in screen.pane.query(Widget)).split())


async def test_read_marked_and_put_away(sit) -> None:
    stage = filled()
    async with sit(stage) as seat:
        await seat.until(lambda: seat.talk.figures.waiting == 2)
        screen = await opened(seat)
        assert [one.group for one in screen.listing.things] == ["failed", "new", "read"]
        await seat.press("down")
        await seat.until(lambda: "who waters the apple tree" in told(screen))
        assert "by Kyra" in told(screen), "a name, as everywhere"
        assert "telegram: pending" in told(screen) and "given up, 5 tries" in told(screen)
        await seat.press("enter")
        await seat.until(lambda: stage.post.known["i1"].read_at is not None)
        assert screen.pane.has_focus
        await seat.until(lambda: screen.listing.things[1].group == "read")
        await seat.press("escape", "up", "a")
        await seat.until(lambda: ids(screen) == ["item i1", "item i3"])
        await seat.press("down")
        await seat.until(lambda: "words of: web" in told(screen))
        assert "\x1b" not in told(screen)
        await seat.press("m")
        await seat.until(lambda: stage.post.known["i3"].read_at is None)
        await seat.press("escape")
        await seat.until(lambda: seat.app.screen is seat.talk)
        await seat.until(lambda: seat.talk.figures.waiting == 1)


async def test_its_conversation_is_gone_on_with_and_no_draft_is_lost(sit) -> None:
    stage = filled()
    async with sit(stage) as seat:
        await seat.press(*"half a word")
        await opened(seat)
        await seat.press("o")
        await seat.at(InboxScreen)  # it came from no conversation
        await seat.press("down", "o")
        await seat.until(lambda: seat.app.screen is seat.talk)
        await seat.until(lambda: seat.talk.session_id == "session-0")
        await seat.press("ctrl+n")
        await seat.until(lambda: seat.talk.session_id is None)
        await seat.until(lambda: seat.talk.composer.text == "half a word")


async def test_delivered_again_and_what_cannot_be_is_told(sit) -> None:
    stage = filled()
    async with sit(stage) as seat:
        await opened(seat)
        await seat.press("d")
        await seat.until(lambda: any("given up" in one.title for one in seat.app._notifications))
        await seat.press("down", "d")
        await seat.until(lambda: stage.post.again == ["i1"])


async def test_it_is_live_and_steals_no_place(sit) -> None:
    stage = filled()
    async with sit(stage) as seat:
        screen = await opened(seat)
        await seat.press("down", "down")
        stage.post.put(item("i4", "Just in", created_at=stage.post.known["i1"].created_at))
        stage.bus.publish(InboxArrived(item="i4", sort="result", title="Just in", rings=True))
        await seat.until(lambda: len(screen.listing.things) == 4)
        assert screen.listing.chosen is not None and screen.listing.chosen.id == "item i3"
        stage.post.put(replace(stage.post.known["i3"], title="Another name"))
        stage.bus.publish(InboxChanged(item="i3"))
        await seat.until(lambda: "Another name" in told(screen))
        await seat.until(lambda: seat.talk.figures.waiting == 3)


async def test_words_where_there_is_nothing_and_where_it_cannot_be_read(sit) -> None:
    stage = StageRuntime()
    async with sit(stage) as seat:
        await seat.press("f8")
        screen = await seat.at(InboxScreen)
        words = screen.query_one("#page-none", Static)
        await seat.until(lambda: str(words.render()) == EMPTY)
        stage.post.problem = StoreError("the disk is full", hint="make room")
        stage.bus.publish(InboxChanged(item="x"))
        await seat.until(lambda: "the disk is full" in str(words.render()))
        await seat.press("f8")
        await seat.until(lambda: seat.app.screen is seat.talk)
