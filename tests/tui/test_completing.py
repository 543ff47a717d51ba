"""Suggestions above the composer: commands after `/`, names after `@`, a pasted path."""

import json
from pathlib import Path

import pytest
from skill_agent.tui.memory.screen import MemoryScreen
from skill_agent.tui.talk.foot.folder_files import files_below, matching
from skill_agent.tui.talk.foot.suggestions import Suggestions
from skill_agent.tui.talk.foot.wish import Command, Wish, command_in, wish_at
from stage import MORNING, StageRuntime
from stage_book import book
from textual.events import Key

from skill_agent.values import Memory

ROSES = Memory(id="m1", content="The roses want water", created_at=MORNING, updated_at=MORNING)
SMALL, WIDE = (60, 18), (140, 40)
SIZES = pytest.mark.parametrize("size", [SMALL, pytest.param(WIDE, marks=pytest.mark.deep)])


def listed(seat) -> list[str]:
    box = seat.talk.query_one(Suggestions)
    return [one.name for one in box.offered] if box.display else []


def told(seat) -> list[str]:
    return [f"{one.title} {one.message}" for one in seat.app._notifications]


def on_disk(drafts: Path) -> tuple[str, list[str]]:
    """The text of a new conversation's draft, and the names of what lies beside it."""
    for file in drafts.rglob("new.json"):
        data = json.loads(file.read_text())
        return data["text"], [one["name"] for one in data.get("attachments", ())]
    return "", []


def type_fast(seat, text: str, *keys: str) -> None:
    """As an input method does: all of it before anything is looked at."""
    for letter in text:
        seat.app.post_message(Key(letter, letter))
    for key in keys:
        seat.app.post_message(Key(key, None))


# -- commands --------------------------------------------------------------------------------


@SIZES
async def test_a_slash_lists_commands_and_moves_nothing(sit, size) -> None:
    async with sit(StageRuntime(), size=size) as seat:
        before = seat.talk.conversation.region
        await seat.press("/")
        assert {"/new", "/memory", "/quit"} <= set(listed(seat))
        assert "/stop" not in listed(seat), "nothing runs"
        box, writing = seat.talk.suggestions.region, seat.talk.query_one("#writing").region
        assert seat.talk.conversation.region == before
        assert box.bottom == writing.y and box.y >= 2
        await seat.press("m", "e")
        assert listed(seat)[0] == "/memory"
        await seat.press("escape")
        assert listed(seat) == [] and seat.talk.composer.text == "/me"
        await seat.press("m")
        assert listed(seat) == [], "it was closed for this one"
        await seat.press(*["backspace"] * 4, "/")
        assert listed(seat)
        await seat.press("alt+up")
        await seat.settled()
        assert bool(listed(seat)) is (seat.talk.focused is seat.talk.composer)


async def test_up_and_down_choose_and_enter_does_it(sit) -> None:
    async with sit(StageRuntime()) as seat:
        await seat.press(*"hi", "enter")
        await seat.until(lambda: seat.talk.figures.written)
        await seat.press("/", "down")
        second = listed(seat)[1]
        assert seat.talk.suggestions.chosen.name == second
        await seat.press("up", "up")
        assert seat.talk.suggestions.chosen.name == listed(seat)[-1]
        await seat.press(*"new", "enter")
        await seat.until(lambda: seat.talk.session_id is None)
        assert seat.talk.composer.text == "" and listed(seat) == []


@pytest.mark.deep
async def test_tab_writes_it_out_and_enter_then_does_it(sit) -> None:
    async with sit(StageRuntime()) as seat:
        await seat.press(*"/mem", "tab")
        assert seat.talk.composer.text == "/memory" and listed(seat) == []
        await seat.press("enter")
        await seat.at(MemoryScreen)


@pytest.mark.deep
async def test_a_click_picks(sit) -> None:
    async with sit(StageRuntime()) as seat:
        await seat.press(*"/memory")
        await seat.pilot.click(Suggestions, offset=(4, 0))
        await seat.at(MemoryScreen)


async def test_typed_faster_than_it_is_drawn(sit) -> None:
    runtime = StageRuntime()
    async with sit(runtime) as seat:
        type_fast(seat, "/mem", "enter")
        await seat.at(MemoryScreen)
        assert runtime.submitted == []


async def test_what_is_no_command_is_not_sent(sit, drafts: Path) -> None:
    runtime = StageRuntime()
    async with sit(runtime) as seat:
        await seat.press(*"/memorie", "enter")
        await seat.settled()
        assert runtime.submitted == [] and seat.talk.composer.text == "/memorie"
        assert any("Did you mean /memory?" in one for one in told(seat))
        await seat.until(lambda: on_disk(drafts) == ("/memorie", []))
        await seat.press(*"s x", "enter")
        await seat.settled()
        assert runtime.submitted == []


@pytest.mark.parametrize(
    "typed",
    ["//help", *(pytest.param(one, marks=pytest.mark.deep) for one in (" /help", "/usr/bin is?"))],
)
async def test_words_that_look_like_one_are_sent(sit, typed: str) -> None:
    runtime = StageRuntime()
    async with sit(runtime) as seat:
        await seat.press(*("space" if one == " " else one for one in typed), "enter")
        await seat.until(lambda: runtime.submitted)
        said = typed.removeprefix("/") if typed.startswith("//") else typed.strip()
        assert runtime.submitted[0][0] == said
        await seat.until(lambda: seat.talk.figures.written)
        await seat.press("up", "enter")
        await seat.until(lambda: len(runtime.submitted) == 2)
        assert runtime.submitted[1][0] == said


@pytest.mark.deep
async def test_an_agent_is_chosen_by_its_name(sit) -> None:
    async with sit(StageRuntime()) as seat:
        await seat.press(*"/agent", "space", *"luke", "enter")
        assert seat.talk.speaker == "luke" and seat.talk.composer.text == ""


# -- names -----------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "work"
    (root / "src").mkdir(parents=True)
    (root / "out").mkdir()
    (root / ".gitignore").write_text("out/\n*.log\n!keep.log\n")
    for name in ("notes.txt", "src/main.py", "out/big.bin", "a.log", "keep.log", ".secret"):
        (root / name).write_text("one\ntwo\n")
    (root / "raw.dat").write_bytes(b"\0\xff\0")
    return root


def test_files_are_those_one_may_want_to_name(folder: Path) -> None:
    assert files_below(folder) == ["keep.log", "notes.txt", "raw.dat", "src/main.py"]
    assert matching(files_below(folder), "ma", 5) == ["src/main.py"]


@SIZES
async def test_at_lists_agents_and_completes_one(sit, size) -> None:
    runtime = StageRuntime()
    async with sit(runtime, size=size) as seat:
        await seat.press(*"hey @")
        assert listed(seat)[:3] == ["@kyra", "@luke", "@ada"], "who is paused is not asked"
        await seat.press("l", "enter")
        assert seat.talk.composer.text == "hey @luke " and listed(seat) == []
        await seat.press(*"look", "enter")
        await seat.until(lambda: runtime.submitted)
        assert runtime.submitted[0][0] == "hey @luke look"


@pytest.mark.deep
async def test_a_whole_name_is_sent_by_enter(sit) -> None:
    runtime = StageRuntime()
    async with sit(runtime) as seat:
        type_fast(seat, "hi @luke", "enter")
        await seat.until(lambda: runtime.submitted)
        assert runtime.submitted[0][0] == "hi @luke"


async def test_a_file_goes_beside_the_words(sit, folder: Path, drafts: Path) -> None:
    runtime = StageRuntime()
    async with sit(runtime, folder=str(folder)) as seat:
        await seat.press(*"sum @no")
        await seat.until(lambda: "notes.txt" in listed(seat))
        await seat.press("enter")
        await seat.until(lambda: seat.talk.composer.attachments)
        assert seat.talk.composer.text == "sum "
        assert "File notes.txt, 2 lines" in str(seat.talk.query_one("#pasted").render())
        await seat.until(lambda: on_disk(drafts) == ("sum ", ["notes.txt"]))
        await seat.press("/")
        assert listed(seat) == [], "it is no command in the midst of words"
        await seat.press("backspace", "enter")
        await seat.until(lambda: runtime.attached)
    (one,) = runtime.attached[0]
    assert (one.origin, one.name, one.text) == ("file", "notes.txt", "one\ntwo\n")


@pytest.mark.deep
async def test_what_is_no_text_is_refused_in_words(sit, folder: Path) -> None:
    async with sit(StageRuntime(), folder=str(folder)) as seat:
        await seat.press(*"@raw")
        await seat.until(lambda: "raw.dat" in listed(seat))
        await seat.press("tab")
        await seat.until(lambda: any("raw.dat is no text" in one for one in told(seat)))
        assert seat.talk.composer.attachments == ()


async def test_a_conversation_and_a_memory_go_beside_the_words(sit) -> None:
    runtime = StageRuntime(memory=book(memories=[ROSES]))
    runtime.add_session("Roses", "ada", "When?", "In the evening.")
    async with sit(runtime) as seat:
        await seat.press(*"@roses")
        await seat.until(lambda: len(listed(seat)) == 2)
        assert listed(seat) == ["Roses", "The roses want water"]
        assert seat.talk.suggestions.chosen is None, "Enter would send"
        await seat.press("tab")
        await seat.until(lambda: len(seat.talk.composer.attachments) == 1)
        await seat.press(*"@roses")
        await seat.until(lambda: len(listed(seat)) == 2)
        await seat.press("down", "down", "enter")
        await seat.until(lambda: len(seat.talk.composer.attachments) == 2)
        talk, kept = seat.talk.composer.attachments
        assert talk.text == "Person: When?\n\nada: In the evening."
        assert kept.text == "The roses want water" and kept.origin == talk.origin == "import"


async def test_a_pasted_path_is_offered(sit, folder: Path) -> None:
    from textual.events import Paste

    async with sit(StageRuntime()) as seat:
        await seat.press(*"read ")
        seat.app.post_message(Paste(str(folder / "notes.txt")))
        await seat.until(lambda: listed(seat) == ["Attach notes.txt"])
        await seat.press("tab")
        await seat.until(lambda: seat.talk.composer.attachments)
        assert seat.talk.composer.text == "read"
        seat.app.post_message(Paste(f" '{folder / 'raw.dat'}'"))
        await seat.until(lambda: listed(seat) == ["Attach raw.dat"])
        await seat.press("tab")
        await seat.until(lambda: any("raw.dat is no text" in one for one in told(seat)))
        assert "raw.dat" in seat.talk.composer.text, "what is refused stays"


# -- text work -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "wish"),
    [
        ("/", Wish("command", "", 0, 0)),
        ("/new", Wish("command", "new", 0, 0)),
        ("/new x", None), ("//new", None), (" /new", None), ("a /new", None), ("/usr/bin", None),
        ("@", Wish("name", "", 0, 0)),
        ("hi @src/ma", Wish("name", "src/ma", 0, 3)),
        ("me@host", None), ("@luke hello", None),
    ],
)  # fmt: skip
def test_what_is_being_named(text: str, wish: Wish | None) -> None:
    assert wish_at(text, 0, len(text)) == wish


def test_what_is_a_command() -> None:
    assert command_in("/new") == Command("new")
    assert command_in("/agent  luke ") == Command("agent", "luke")
    assert [command_in(one) for one in ("//new", " /new", "/usr/bin", "/", "a /new")] == [None] * 5
