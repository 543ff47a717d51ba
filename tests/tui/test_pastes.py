"""A long text that is pasted stands beside the words: nobody said it, and none of it is lost."""

import asyncio
import json
from pathlib import Path

import pytest
from skill_agent.tui.talk.foot.drafts import NEW, Draft, DraftBook, Queued
from skill_agent.tui.talk.session_list import SessionList
from skill_agent.tui.talk.shown.blocks import AttachedBlock, UserBlock
from stage import StageRuntime, Stop
from textual.events import Paste

from skill_agent.errors import UsageError
from skill_agent.values import Attachment

TEXT = "\n".join(f"line {number}" for number in range(500))
PASTED = Attachment(TEXT, origin="paste")
FILE = Attachment("one\ntwo", origin="file", name="notes.txt")


async def paste(seat, text: str = TEXT) -> None:
    seat.app.post_message(Paste(text))
    await seat.settled()


def chips(seat) -> str:
    box = seat.talk.query_one("#pasted")
    return str(box.render()) if box.display else ""


def waiting(seat) -> str:
    return str(seat.talk.query_one("#waiting").render())


async def test_a_long_paste_goes_beside_the_words(sit) -> None:
    runtime = StageRuntime()
    async with sit(runtime) as seat:
        await seat.press(*"why")
        await paste(seat, TEXT.replace("\n", "\r"))
        assert seat.talk.composer.text == "why"
        assert "[Pasted 500 lines]" in chips(seat)
        await seat.press("question_mark", "enter")
        await seat.until(lambda: runtime.submitted)
        assert chips(seat) == "" and seat.talk.composer.written.empty
    assert runtime.submitted[0][0] == "why?" and runtime.attached == [(PASTED,)]


@pytest.mark.deep
@pytest.mark.parametrize("end", ["\n", "\r", "\r\n"])
async def test_many_short_lines_are_a_long_paste_however_they_end(sit, end: str) -> None:
    async with sit(StageRuntime()) as seat:
        await paste(seat, end.join("abcdefghijklmn"))
        assert "[Pasted 14 lines]" in chips(seat)
        assert seat.talk.composer.attachments[0].text == "\n".join("abcdefghijklmn")


async def test_what_was_copied_here_is_pasted_like_anything_else(sit) -> None:
    async with sit(StageRuntime()) as seat:
        for text in ("short", TEXT):
            seat.app._clipboard = text
            await seat.press("ctrl+v")
        await seat.settled()
        assert seat.talk.composer.text == "short"
        assert seat.talk.composer.attachments == (PASTED,)


@pytest.mark.deep
@pytest.mark.parametrize("text", ["short", "a\nb\nc", "x" * 1000])
async def test_a_short_paste_is_text(sit, text: str) -> None:
    async with sit(StageRuntime()) as seat:
        await paste(seat, text)
        assert seat.talk.composer.text == text and chips(seat) == ""


@pytest.mark.deep
async def test_a_paste_alone_is_sent_and_shown_folded(sit) -> None:
    runtime = StageRuntime([["Read."]])
    async with sit(runtime) as seat:
        await paste(seat, "z" * 1001)
        await seat.press("enter")
        await seat.until(lambda: seat.talk.figures.written)
        for _ in range(2):  # as it is said, and as it is read again
            assert "[Pasted 1,001 characters]" in seat.shown() and "zzz" not in seat.shown()
            seat.talk.query_one(AttachedBlock).open = True
            await seat.settled()
            assert "zzz" in seat.shown()
            await seat.press("ctrl+n")
            await seat.press("ctrl+s")
            await seat.at(SessionList)
            await seat.press("enter")
            await seat.until(lambda: seat.talk.query(UserBlock))


@pytest.mark.deep
async def test_backspace_at_the_beginning_takes_it_out(sit) -> None:
    async with sit(StageRuntime()) as seat:
        await seat.press(*"ab")
        await paste(seat)
        await paste(seat, "y" * 2000)
        await seat.press("home", "backspace")
        assert seat.talk.composer.attachments == (PASTED,)
        await seat.press("right", "backspace", "backspace")
        assert seat.talk.composer.text == "b" and chips(seat) == ""


@pytest.mark.deep
async def test_it_is_kept_on_disk_and_comes_back(sit, drafts: Path) -> None:
    async with sit(StageRuntime()) as seat:
        await seat.press(*"look")
        await paste(seat)
        await seat.until(lambda: [*drafts.rglob("new.json")])
        await seat.until(lambda: _on_disk(drafts) == [TEXT])
    async with sit(StageRuntime()) as seat:
        await seat.until(lambda: seat.talk.composer.text == "look")
        await seat.until(lambda: "[Pasted 500 lines]" in chips(seat))
        assert seat.talk.composer.attachments == (PASTED,)


def _on_disk(drafts: Path) -> list[str]:
    (file,) = drafts.rglob("new.json")
    return [one["text"] for one in json.loads(file.read_text()).get("attachments", [])]


def test_drafts_are_read_as_they_were_written(drafts: Path) -> None:
    draft = Draft("t", (Queued("q", attachments=(FILE,)), Queued("bare")), (PASTED, FILE))
    book = DraftBook(drafts)
    book.save(NEW, draft)
    book.close()
    later = DraftBook(drafts)
    assert later.load(NEW) == draft
    later.save(NEW, Draft(attachments=(FILE,)))
    later.close()
    assert DraftBook(drafts).load(NEW) == Draft(attachments=(FILE,))


async def test_what_waits_keeps_it_and_up_takes_both_back(sit) -> None:
    runtime = StageRuntime([[Stop(asyncio.Event())]])
    async with sit(runtime) as seat:
        await seat.say("first")
        await seat.until(lambda: seat.talk.session_id)
        await seat.press(*"then")
        await paste(seat)
        await seat.press("enter")
        await seat.until(lambda: "[Pasted 500 lines] then" in waiting(seat))
        await seat.press("up")
        await seat.settled()
        written = seat.talk.composer.written
        assert (written.text, written.attachments) == ("then", (PASTED,))
        assert "[Pasted 500 lines]" in chips(seat)


async def test_up_recalls_what_was_sent_with_it(sit) -> None:
    runtime = StageRuntime()
    async with sit(runtime) as seat:
        await paste(seat)
        await seat.press(*"sum", "enter")
        await seat.until(lambda: seat.talk.figures.written)
        await seat.press("up")
        assert seat.talk.composer.written.attachments == (PASTED,)
        await seat.press("down")
        assert seat.talk.composer.written.empty
        await seat.press("up", "enter")
        await seat.until(lambda: len(runtime.submitted) == 2)
    assert runtime.attached == [(PASTED,), (PASTED,)]


async def test_what_is_refused_comes_back_whole(sit) -> None:
    runtime = StageRuntime(refuse=UsageError("too long"))
    async with sit(runtime) as seat:
        await paste(seat)
        await seat.press(*"sum", "enter")
        await seat.until(lambda: seat.talk.composer.text == "sum")
        assert seat.talk.composer.attachments == (PASTED,)


@pytest.mark.deep
async def test_each_conversation_keeps_its_own(sit) -> None:
    runtime = StageRuntime()
    runtime.add_session("Old", "ada", "Hi", "Hello")
    async with sit(runtime, session="Old") as seat:
        await paste(seat)
        await seat.press("ctrl+n")
        await seat.until(lambda: not seat.talk.session_id)
        await seat.settled()
        assert chips(seat) == ""
        await seat.press("ctrl+s")
        await seat.at(SessionList)
        await seat.press("enter")
        await seat.until(lambda: seat.talk.composer.attachments == (PASTED,))
