"""What was typed outlives crashes, failures and switches."""

import asyncio
import json
from pathlib import Path

from skill_agent.tui.talk.foot.drafts import NEW, Draft, DraftBook, Queued
from skill_agent.tui.talk.foot.outbox import Outbox
from skill_agent.tui.talk.session_list import SessionList
from skill_agent.tui.talk.shown.blocks import OpeningFailed
from stage import StageRuntime, Stop, opener, refuser
from textual.widgets import Static

from skill_agent.errors import ConfigError, HomeBusy


async def test_a_draft_is_on_disk_while_one_types(sit, drafts: Path) -> None:
    async with sit(StageRuntime()) as seat:
        await seat.press(*"half a thought")
        # No goodbye: this is what a crash would find.
        await seat.until(lambda: on_disk(drafts, NEW).text == "half a thought")
    (mode,) = (file.stat().st_mode for file in files(drafts))
    assert mode & 0o777 == 0o600


async def test_a_draft_comes_back_in_the_next_process(sit, drafts: Path) -> None:
    queued = Queued("queued")
    left(drafts, NEW, Draft("unsent", (queued,)))
    runtime = StageRuntime()
    async with sit(runtime) as seat:
        await seat.until(lambda: seat.talk.composer.text == "unsent")
        box = seat.talk.query_one("#waiting", Static)
        await seat.until(lambda: "held: Enter sends" in str(box.render()))
        assert runtime.submitted == [], "nothing is sent by itself"
        await seat.press("enter")
        await seat.until(lambda: len(runtime.submitted) == 2)
    assert [text for text, *_ in runtime.submitted] == ["queued", "unsent"]
    assert runtime.keys[0] == queued.key, "sent under the key it was queued with"


async def test_a_sent_message_leaves_no_draft(sit, drafts: Path) -> None:
    async with sit(StageRuntime()) as seat:
        await seat.say("gone")
        await seat.until(lambda: "You said: gone" in seat.shown())
    assert kept(drafts) == []


async def test_a_queued_message_is_on_disk(sit, drafts: Path) -> None:
    async with sit(StageRuntime([[Stop(asyncio.Event())]])) as seat:
        await seat.say("first")
        await seat.until(lambda: seat.talk.session_id)
        await seat.say("second")
        await seat.until(lambda: waiting(drafts, "session-0") == ["second"])
    assert waiting(drafts, "session-0") == ["second"]


async def test_the_draft_survives_agent_and_session_switches(sit) -> None:
    runtime = StageRuntime()
    runtime.add_session("Old", "ada", "Hi", "Hello")
    async with sit(runtime, session="Old") as seat:
        await seat.press(*"keep me", "tab")
        assert seat.talk.composer.text == "keep me"
        await seat.press("ctrl+n")
        await seat.until(lambda: seat.talk.composer.text == "")
        await seat.press("ctrl+s")
        await seat.at(SessionList)
        await seat.press("enter")
        await seat.until(lambda: seat.talk.composer.text == "keep me")


async def test_a_home_that_does_not_open_keeps_text_and_exit_code(sit, drafts: Path) -> None:
    busy = HomeBusy("process 4242 has this home open", pid=4242, hint="close it there")
    gate = asyncio.Event()
    async with sit(refuser(busy, then=StageRuntime(), gate=gate), ready=False) as seat:
        await seat.press(*"early")
        gate.set()
        await seat.until(lambda: "process 4242" in seat.shown())
        assert "close it there" in seat.shown()
        await seat.press(*" query")
        assert seat.talk.composer.text == "early query", "letters one is typing do not quit"
        await seat.press("escape", "q")
        await seat.until(lambda: seat.app.return_code == 1)
    async with sit(StageRuntime()) as seat:
        await seat.until(lambda: seat.talk.composer.text == "early query")
    assert kept(drafts) == [NEW]


def left(drafts: Path, key: str, draft: Draft) -> None:
    """Puts a draft where a window that is gone has left it."""
    book = DraftBook(drafts)
    book.save(key, draft)
    book.close()


def waiting(drafts: Path, key: str) -> list[str]:
    return [one.text for one in on_disk(drafts, key).waiting]


def kept(drafts: Path) -> list[str]:
    return [file.stem for file in files(drafts)]


def files(drafts: Path) -> list[Path]:
    return list(drafts.rglob("*.json"))


def on_disk(drafts: Path, key: str) -> Draft:
    """What any window has of a draft, as it lies on disk."""
    for file in drafts.rglob(f"{key}.json"):
        data = json.loads(file.read_text())
        return Draft(data["text"], tuple(Queued(**one) for one in data["waiting"]))
    return Draft()


async def test_a_config_mistake_exits_with_2_and_r_tries_again(sit) -> None:
    mistake = ConfigError("unknown key", file="config.toml", line=3, key="modles", hint="models")
    async with sit(refuser(mistake, mistake, then=StageRuntime()), ready=False) as seat:
        await seat.until(lambda: isinstance(seat.talk.focused, OpeningFailed))
        assert "config.toml:3" in seat.shown()
        first = seat.talk.focused
        await seat.press("r")
        await seat.until(
            lambda: isinstance(seat.talk.focused, OpeningFailed) and seat.talk.focused is not first
        )
        await seat.press("q")
        await seat.until(lambda: seat.app.return_code == 2)


async def test_trying_again_opens_and_sends_what_waited(sit) -> None:
    runtime = StageRuntime()
    busy = HomeBusy("busy", pid=1)
    async with sit(refuser(busy, then=runtime), ready=False) as seat:
        await seat.until(lambda: isinstance(seat.talk.focused, OpeningFailed))
        await seat.press("r")
        await seat.until(lambda: seat.talk.figures.member.slug)
        await seat.say("now")
        await seat.until(lambda: runtime.submitted)


async def test_an_unexpected_error_is_readable(sit) -> None:
    def broken():
        raise RuntimeError("the disk is on fire")

    async with sit(broken, ready=False) as seat:
        await seat.until(lambda: isinstance(seat.talk.focused, OpeningFailed))
        assert "the disk is on fire" in seat.shown()
        assert "ska doctor" in seat.shown()


async def test_leaving_while_the_home_opens_is_quick(sit) -> None:
    never = asyncio.Event()
    async with sit(opener(StageRuntime(), gate=never), ready=False) as seat:
        await seat.press(*"text")
        await seat.quit()
        await seat.until(lambda: seat.app.return_code == 0)


def test_a_broken_draft_file_counts_as_none(drafts: Path) -> None:
    drafts.mkdir()
    (drafts / "new.json").write_text("{half")
    assert DraftBook(drafts).load(NEW) == Draft()


def test_a_session_id_cannot_leave_the_folder(drafts: Path) -> None:
    DraftBook(drafts).save("../../outside", Draft("text"))
    (window,) = drafts.iterdir()
    assert [file.name for file in window.iterdir()] == ["______outside.json"]


def test_stray_texts_are_collected_once(drafts: Path) -> None:
    left(drafts, "new-1", Draft("first", (Queued("queued"),)))
    left(drafts, "new-2", Draft("second"))
    left(drafts, NEW, Draft("third"))
    outbox = Outbox(DraftBook(drafts))

    async def collect() -> str:
        text = outbox.open(NEW)
        await outbox.close()
        return text

    assert asyncio.run(collect()) == "first\n\nsecond\n\nthird"
    assert kept(drafts) == [NEW]
    assert waiting(drafts, NEW) == ["queued"]
    assert len(list(drafts.iterdir())) == 1, "emptied folders are gone"


async def test_a_disk_that_refuses_is_told(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    told: list[str] = []
    outbox = Outbox(DraftBook(blocked / "drafts"), told.append)
    for text in ("t", "te", "text"):
        outbox.type(NEW, text)
        await outbox.settle()
    assert told == [outbox.trouble], "told once, not at every key"
    assert outbox.draft(NEW).text == "text"
