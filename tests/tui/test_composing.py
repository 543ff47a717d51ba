"""Steering, the queue one by one, what was sent before, pictures, the person's own editor."""

import asyncio
import stat
import sys
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from skill_agent.tui.talk.foot.drafts import NEW, Draft, DraftBook, Queued
from skill_agent.tui.talk.foot.editor import EditedFile, editor_of
from skill_agent.tui.talk.foot.past_words import PastWords
from skill_agent.tui.talk.foot.suggestions import Suggestions
from skill_agent.tui.talk.foot.unsent import UnsentList
from skill_agent.tui.talk.session_list import SessionList
from skill_agent.tui.talk.shown.blocks import UserBlock
from stage import StageRuntime, Stop
from textual.events import Key, Paste
from textual.notifications import Notification, Notifications
from textual.widgets import Input
from textual.widgets._toast import Toast, ToastRack

from skill_agent.errors import UsageError
from skill_agent.models.scripted import Gate, ScriptedModel
from skill_agent.values import Attachment, Image

SMALL = (60, 18)
PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 4_000
LONG = Attachment("\n".join("abcdefghijklmn"), origin="paste")


def told(seat) -> list[str]:
    return [f"{one.title} {one.message}" for one in seat.app._notifications]


def waiting(seat) -> str:
    box = seat.talk.query_one("#waiting")
    return str(box.render()) if box.display else ""


def said(seat) -> list[str]:
    return [one.source for one in seat.talk.query(UserBlock)]


# -- steering --------------------------------------------------------------------------------


@pytest.mark.parametrize("key", ["alt+s", pytest.param("ctrl+enter", marks=pytest.mark.deep)])
async def test_a_reply_that_runs_is_told_at_once(sit, key: str) -> None:
    gate = asyncio.Event()
    runtime = StageRuntime([["one ", Stop(gate), "two"]])
    async with sit(runtime, size=SMALL) as seat:
        await seat.say("first")
        await seat.until(lambda: "one" in seat.shown())
        await seat.press(*"tests")
        seat.app.post_message(Key(key, "s" if key == "alt+s" else None))  # as a terminal tells it
        await seat.until(lambda: runtime.told == ["tests"])
        await seat.until(lambda: said(seat) == ["first", "tests"])
        assert waiting(seat) == "" and seat.talk.composer.text == ""
        gate.set()
        await seat.until(lambda: seat.talk.figures.written)
        assert len(runtime.submitted) == 1
        assert seat.shown().index("one") < seat.shown().index("tests") < seat.shown().index("two")
        await seat.press("ctrl+n")
        await seat.press("ctrl+s")
        await seat.at(SessionList)
        await seat.press("enter")
        await seat.until(lambda: said(seat) == ["first", "tests"])


async def test_what_it_hears_no_more_waits_for_its_end(sit) -> None:
    gate = asyncio.Event()
    runtime = StageRuntime([["one ", Stop(gate)]])
    runtime.hears_no_more = True
    async with sit(runtime) as seat:
        await seat.say("first")
        await seat.until(lambda: "one" in seat.shown())
        await seat.press(*"more", "alt+s")
        await seat.until(lambda: "more" in waiting(seat))
        assert any("hear no more" in one for one in told(seat))
        gate.set()
        await seat.until(lambda: len(runtime.submitted) == 2)
        assert runtime.submitted[1][0] == "more" and runtime.told == []


@pytest.mark.deep
async def test_without_a_reply_it_is_sent_like_any_other(sit) -> None:
    runtime = StageRuntime()
    async with sit(runtime) as seat:
        await seat.press(*"hi", "alt+s")
        await seat.until(lambda: runtime.submitted)
        assert runtime.told == []


# -- what is not sent yet --------------------------------------------------------------------


async def test_what_waits_is_edited_and_taken_out_one_by_one(sit, drafts: Path) -> None:
    gate = asyncio.Event()
    runtime = StageRuntime([[Stop(gate)]])
    async with sit(runtime, size=SMALL) as seat:
        for text in ("first", "second", "third", "fourth"):
            await seat.say(text)
        await seat.until(lambda: "fourth" in waiting(seat))
        await seat.press("alt+w")
        await seat.at(UnsentList)
        await seat.press("down", "d", "up", "enter")
        await seat.until(lambda: seat.talk.composer.text == "second")
        assert "third" not in waiting(seat) and "fourth" in waiting(seat)
        await seat.press("!", "enter")
        gate.set()
        await seat.until(lambda: len(runtime.submitted) == 3)
        assert [one[0] for one in runtime.submitted] == ["first", "fourth", "second!"]


@pytest.mark.deep
async def test_what_lies_beside_the_words_is_looked_into_and_any_taken_out(sit) -> None:
    async with sit(StageRuntime(), size=SMALL) as seat:
        for text in (LONG.text, "y" * 2_000):
            seat.app.post_message(Paste(text))
        await seat.until(lambda: len(seat.talk.composer.attachments) == 2)
        await seat.press("alt+w")
        dialog = await seat.at(UnsentList)
        await seat.until(lambda: "a\nb\nc" in str(dialog.query_one("#unsent-text Static").render()))
        await seat.press("d")
        await seat.until(lambda: len(seat.talk.composer.attachments) == 1)
        assert seat.talk.composer.attachments[0].text == "y" * 2_000
        await seat.press("d")
        await seat.until(lambda: seat.app.screen is seat.talk)
        assert seat.talk.composer.attachments == ()


# -- what was sent before --------------------------------------------------------------------


@pytest.mark.parametrize("size", [SMALL, pytest.param((140, 40), marks=pytest.mark.deep)])
async def test_what_was_sent_is_searched_here_first(sit, size) -> None:
    runtime = StageRuntime()
    runtime.add_session("Old", "ada", "water the roses", "Done.")
    async with sit(runtime, size=size) as seat:
        await seat.say("cut the roses")
        await seat.until(lambda: seat.talk.figures.written)
        await seat.press("ctrl+r")
        dialog = await seat.at(PastWords)
        assert dialog.query_one(Input).has_focus
        await seat.press(*"roses")
        await seat.until(lambda: len(dialog._shown) == 2)
        assert dialog._shown == ["cut the roses", "water the roses"]
        await seat.press("down", "enter")
        await seat.until(lambda: seat.talk.composer.text == "water the roses")


async def test_what_is_sent_is_seen_until_it_is_taken(sit) -> None:
    """A home that is busy takes its time; the words are somewhere all the while."""
    runtime = StageRuntime()
    runtime.hesitates = asyncio.Event()
    async with sit(runtime) as seat:
        await seat.say("water the roses")
        await seat.until(lambda: "being sent" in waiting(seat))
        assert "▸ water the roses" in waiting(seat)
        await seat.say("and the tulips")
        await seat.until(lambda: "◦ and the tulips" in waiting(seat))
        assert "▸ water the roses" in waiting(seat)
        runtime.hesitates.set()
        await seat.until(lambda: said(seat) == ["water the roses", "and the tulips"])
        await seat.until(lambda: not waiting(seat))


async def test_a_search_that_has_not_begun_has_not_failed(sit) -> None:
    async with sit(StageRuntime()) as seat:
        await seat.press("ctrl+r")
        dialog = await seat.at(PastWords)
        assert "Type what you remember" in str(dialog.query_one("#past-none").render())
        await seat.press(*"zzz")
        await seat.until(lambda: "holds that" in str(dialog.query_one("#past-none").render()))


# -- pictures --------------------------------------------------------------------------------


@pytest.mark.parametrize("sees", [True, pytest.param(False, marks=pytest.mark.deep)])
async def test_a_picture_goes_where_the_model_reads_it(sit, tmp_path: Path, sees: bool) -> None:
    (tmp_path / "cat.png").write_bytes(PNG)
    runtime = StageRuntime()
    runtime.sees = sees
    async with sit(runtime, folder=str(tmp_path)) as seat:
        await seat.press(*"see @cat")
        await seat.until(lambda: seat.talk.query_one(Suggestions).offered)
        await seat.press("enter")
        if not sees:
            await seat.until(lambda: any("reads no images" in one for one in told(seat)))
            assert seat.talk.composer.attachments == ()
            return
        await seat.until(lambda: seat.talk.composer.attachments)
        assert "[Image PNG, 4 kB]" in str(seat.talk.query_one("#pasted").render())
        await seat.press("enter")
        await seat.until(lambda: runtime.shown)
    assert runtime.shown[0][0].media_type == "image/png" and runtime.attached == [()]


def test_pictures_are_kept_in_drafts(drafts: Path) -> None:
    picture = Image(data="aGk=", media_type="image/png")
    draft = Draft("t", (Queued("q", attachments=(picture,)),), (picture, LONG))
    book = DraftBook(drafts)
    book.save(NEW, draft)
    book.close()
    assert DraftBook(drafts).load(NEW) == draft


# -- the person's own editor -----------------------------------------------------------------


def script(folder: Path, text: str) -> list[str]:
    file = folder / "editor.py"
    file.write_text(f"import os, pathlib, sys\nfile = pathlib.Path(sys.argv[1])\n{text}\n")
    return [sys.executable, str(file)]


def test_an_editor_gets_a_private_file_and_its_text_comes_back(tmp_path: Path) -> None:
    file = EditedFile("grüße\n")
    assert file._file.suffix == ".md" and stat.S_IMODE(file._file.stat().st_mode) == 0o600
    file.edit(script(tmp_path, "file.write_text(file.read_text() + 'more\\n')"))
    assert file.text() == "grüße\nmore"
    file.remove()
    assert not file._file.exists()


@pytest.mark.parametrize(("does", "kept"), [("", False), ("file.write_text('new')", True)])
def test_one_that_fails_loses_nothing(tmp_path: Path, does: str, kept: bool) -> None:
    file = EditedFile("text")
    with pytest.raises(UsageError, match="ended with 3") as refused:
        file.edit(script(tmp_path, f"{does}\nsys.exit(3)"))
    file.remove()
    assert file._file.exists() is kept and (str(file._file) in refused.value.hint) is kept
    file._file.unlink(missing_ok=True)


def test_which_editor() -> None:
    assert editor_of({"EDITOR": f"{sys.executable} -x", "VISUAL": " "}) == [sys.executable, "-x"]
    with pytest.raises(UsageError, match="no editor 'nowhere'"):
        editor_of({"VISUAL": "nowhere -w"})


@pytest.mark.deep
async def test_where_there_is_no_terminal_it_is_said_and_the_text_stays(sit) -> None:
    async with sit(StageRuntime()) as seat:
        await seat.press(*"text", "f12")
        await seat.until(lambda: any("editor" in one for one in told(seat)))
        assert seat.talk.composer.text == "text"


# -- who a message was for -------------------------------------------------------------------


async def test_a_mention_stays_visible(sit) -> None:
    """The ledger keeps the words without the name before them; who they were for is shown."""
    async with sit(StageRuntime()) as seat:
        await seat.say("first")
        await seat.until(lambda: seat.talk.figures.written)
        await seat.say("@luke second")
        await seat.until(lambda: len(said(seat)) == 2 and not seat.talk.turns.all())
        await seat.say("third")
        await seat.until(lambda: len(said(seat)) == 3 and not seat.talk.turns.all())
        for _ in range(2):  # as it is said, and as it is read again
            heads = [str(one.query(".who").first().render()) for one in seat.talk.query(UserBlock)]
            assert heads == ["You", "You → Luke", "You → Kyra"]
            await seat.press("ctrl+n")
            await seat.press("ctrl+s")
            await seat.at(SessionList)
            await seat.press("enter")
            await seat.until(lambda: len(said(seat)) == 3)


# -- over the real runtime -------------------------------------------------------------------


@pytest.mark.deep
@pytest.mark.parametrize("attached", [False, True])
async def test_a_model_reads_what_it_is_told(sit, open_runtime, join, attached: bool) -> None:
    gate = asyncio.Event()
    model = ScriptedModel([["half ", Gate(gate), "a reply."], "And tests."])
    async with AsyncExitStack() as stack:
        if attached:
            await stack.enter_async_context(open_runtime(model))
        opener = (lambda: join(ScriptedModel([]))) if attached else (lambda: open_runtime(model))
        seat = await stack.enter_async_context(sit(opener))
        await seat.say("write it")
        await seat.until(lambda: "half" in seat.shown())
        await seat.press(*"tests", "alt+s")
        await seat.until(lambda: said(seat) == ["write it", "tests"])
        gate.set()
        await seat.until(lambda: "And tests." in seat.shown())
        await seat.until(lambda: not seat.talk.turns.all())
        assert [one.content for one in model.requests[-1].messages][-1] == "tests"


async def test_what_is_told_in_passing_covers_no_word_one_types(sit) -> None:
    async with sit(StageRuntime(), size=(80, 24)) as seat:
        await seat.talk.mount(rack := ToastRack())
        told = Notifications()
        told.add(Notification("Copied.\nAnd two\nmore lines."))
        rack.show(told)
        await seat.settled()
        toast = rack.query_one(Toast).region
        assert toast.area and not toast.overlaps(seat.talk.query_one("#writing").region)
