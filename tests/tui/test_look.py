"""Dark or light by the terminal, a choice that is kept, and an answer that is never taken for
something typed."""

import os
import pty
import select
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from skill_agent.tui.frame.background import (
    QUESTION,
    LateAnswer,
    Told,
    ask_terminal,
    by_environment,
    is_light,
    sorted_out,
)
from skill_agent.tui.frame.look import Look, ThemeList
from skill_agent.tui.frame.theme import DARK, LIGHT, OURS
from stage import StageRuntime
from textual import constants
from textual._xterm_parser import XTermParser
from textual.events import Key
from textual.widgets import OptionList

from skill_agent.settings.schema import InterfaceSettings, Settings

WHITE = b"\x1b]11;rgb:ffff/ffff/ffff\x1b\\"
BLACK = b"\x1b]11;rgb:14/16/1b\x07"
KIND = b"\x1b[?62;4c"


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (WHITE + KIND, Told(light=True)),
        (BLACK + KIND, Told(light=False)),
        (b"\x1b]11;rgba:0000/0000/0000/ffff\x1b\\" + KIND, Told(light=False)),
        (KIND, Told()),
        (b"", Told(late=True)),
        (WHITE, Told(light=True, late=True)),
        (b"hel" + WHITE + b"lo" + KIND + b"\r", Told(light=True, typed=b"hello\r")),
    ],
)
def test_what_the_terminal_says_is_told_from_what_is_typed(said: bytes, told: Told) -> None:
    assert sorted_out(said) == told


def test_how_light_a_colour_is() -> None:
    assert is_light("f", "f", "e") and is_light("ffff", "ffff", "e0e0")
    assert not is_light("1", "1", "1") and not is_light("0000", "2b2b", "3636")


@pytest.mark.parametrize(
    ("said", "light"), [("15;0", False), ("0;15", True), ("0;default;7", True), ("12;8", False)]
)
def test_what_the_environment_says(said: str, light: bool) -> None:
    assert by_environment({"COLORFGBG": said}) is light


def test_an_environment_that_says_nothing() -> None:
    assert by_environment({}) is None
    assert by_environment({"COLORFGBG": "0;default"}) is None


@pytest.fixture
def line() -> Iterator[tuple[int, int]]:
    """The terminal's end and the program's."""
    ours, theirs = pty.openpty()
    yield ours, theirs
    os.close(ours)
    os.close(theirs)


def answering(terminal: int, answer: bytes) -> threading.Thread:
    """A terminal that answers once it was asked."""

    def answered() -> None:
        asked = b""
        while QUESTION not in asked:
            asked += os.read(terminal, 100)
        os.write(terminal, answer)

    thread = threading.Thread(target=answered)
    thread.start()
    return thread


def test_a_terminal_is_asked_without_an_echo(line: tuple[int, int]) -> None:
    terminal, program = line
    thread = answering(terminal, WHITE + KIND)
    assert ask_terminal(program, program, patience=20) == Told(light=True)
    thread.join()
    assert not select.select([terminal], [], [], 0)[0], "the answer came back as an echo"


def test_a_terminal_that_says_nothing_is_not_waited_for(line: tuple[int, int]) -> None:
    terminal, program = line
    os.write(terminal, b"typed early")
    assert os.read(terminal, 11) == b"typed early", "its echo: it has arrived"
    assert ask_terminal(program, program, patience=0.05) == Told(typed=b"typed early", late=True)
    assert os.read(terminal, 100) == QUESTION


def keys_of(*pieces: str) -> list[Key]:
    """The keys that Textual makes of what a terminal sends."""
    parser, found = XTermParser(), list[object]()
    for piece in filter(None, pieces):
        found += parser.feed(piece)
    end = time.monotonic() + 2 * constants.ESCAPE_DELAY
    while time.monotonic() < end:  # what it takes for the beginning of a sequence until then
        select.select([], [], [], constants.ESCAPE_DELAY / 2)
        found += parser.tick()
    return [one for one in found if isinstance(one, Key)]


def left_over(*pieces: str) -> list[str]:
    """What reaches the app of what a terminal sends."""
    late, through = LateAnswer(), list[Key]()
    for key in keys_of(*pieces):
        through += late.passed(key)
    through += late.let_go()
    return [one.character or one.key for one in through]


@pytest.mark.parametrize("answer", [WHITE, BLACK, KIND, b"\x1b]11;rgb:0000/0000/0000\x1b\\"])
@pytest.mark.parametrize("cut", [0, 9])
def test_a_late_answer_is_not_taken_for_something_typed(answer: bytes, cut: int) -> None:
    said = answer.decode()
    typed = left_over("a", said[:cut], said[cut:], "bc")
    assert typed == ["a", "b", "c"]


def test_both_late_answers_at_once() -> None:
    assert left_over((WHITE + KIND).decode(), "x") == ["x"]


def test_what_only_looks_like_an_answer_is_typed() -> None:
    assert left_over("^", "]", "1", "2") == ["^", "]", "1", "2"]
    assert left_over("[") == ["["], "and is not kept back"
    assert left_over("x^2 + 1") == list("x^2 + 1")


async def test_late_keys_do_not_reach_the_composer(sit) -> None:
    async with sit(StageRuntime(), told=Told(typed=b"so", late=True)) as seat:
        for key in keys_of((WHITE + KIND).decode(), "!"):
            seat.app.post_message(key)
        await seat.until(lambda: seat.talk.composer.text == "so!")


def test_a_window_begins_as_it_was_chosen(tmp_path: Path) -> None:
    file, known = tmp_path / "run" / "theme", [one.name for one in OURS]
    assert Look(file).first(known) == DARK.name
    assert Look(file, light=True).first(known) == LIGHT.name
    Look(file).keep("workstation-paper")
    assert Look(file, light=True).first(known) == "workstation-paper"
    assert file.stat().st_mode & 0o077 == 0
    Look(file).keep("auto")
    assert Look(file, light=True).first(known) == LIGHT.name
    file.write_bytes(b"\xff\xfe" * 1000)
    assert Look(file).first(known) == DARK.name


async def test_a_theme_is_shown_while_it_is_looked_at_and_kept_once_chosen(
    sit, tmp_path: Path
) -> None:
    look = Look(tmp_path / "theme")
    async with sit(StageRuntime(), look=look) as seat:
        seat.app.action_change_theme()
        await seat.at(ThemeList)
        await seat.press("down")
        await seat.until(lambda: seat.app.theme == "workstation-contrast")
        await seat.press("escape")
        await seat.until(lambda: seat.app.theme == DARK.name)
        assert look.chosen() == ""
        seat.app.action_change_theme()
        listing = (await seat.at(ThemeList)).query_one(OptionList)
        await seat.press("down", "down", "enter")
        await seat.until(lambda: look.chosen() == LIGHT.name)
        assert seat.app.theme == LIGHT.name
        assert listing.option_count > len(OURS)
    async with sit(StageRuntime(), look=look) as seat:
        assert seat.app.theme == LIGHT.name


async def test_settings_have_the_last_word_and_say_so(sit, tmp_path: Path) -> None:
    look = Look(tmp_path / "theme")
    look.keep(LIGHT.name)
    wanted = Settings(tui=InterfaceSettings(theme="workstation-contrast", motion="reduced"))
    async with sit(StageRuntime(settings=wanted), look=look) as seat:
        await seat.until(lambda: seat.app.theme == "workstation-contrast")
        assert seat.app.animation_level == "none" and not seat.talk.composer.cursor_blink
        seat.app.action_change_theme()
        await seat.at(ThemeList)
        await seat.press("down", "enter")
        await seat.until(
            lambda: any("config.toml" in one.message for one in seat.app._notifications)
        )
