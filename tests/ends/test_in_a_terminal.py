"""The workstation as a person has it: in a real terminal, driven by keys, read as text."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

pytestmark = [
    pytest.mark.deep,
    pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed"),
]
PATIENCE_S = 90.0
PLACES = ("Memory", "Team", "Inbox", "Jobs", "Agents", "Skills", "Usage", "Logs", "Settings")
"""What Ctrl+O goes to by 2 to 9 and 0."""
DRIVER = """
import sys
sys.path.insert(0, {tests!r})
from fakes import HashEmbedder
from skill_agent.cli.opening.options import OpenOptions
from skill_agent.cli.main import main
from skill_agent.cli.surroundings import Surroundings
from skill_agent.models.scripted import ScriptedGateway, ScriptedModel
REPLIES = ["Noted: **heron** it is.", "```sh\\nssh heron\\n```\\nThat is how you get there."]
model = ScriptedModel(REPLIES, otherwise="All right.")
opening = OpenOptions(gateway=ScriptedGateway(model), embedder=HashEmbedder())
main(Surroundings(chores=False, opening=opening))
"""


class Terminal:
    """A tmux of its own with one window: a shell, in which the program is begun by typing."""

    def __init__(self, folder: Path, columns: int = 100, lines: int = 30) -> None:
        self._program = ""
        self._base = ["tmux", "-S", str(folder / "tmux")]
        environ = {"PS1": "$ ", "SKILL_AGENT_HOME": str(folder / "home"), "TERM": "xterm-256color"}
        shell = ["env", *(f"{name}={value}" for name, value in environ.items()), "sh"]
        self._tmux(
            "-f", "/dev/null", "new-session", "-d", "-x", str(columns), "-y", str(lines), *shell
        )

    def _tmux(self, *words: str) -> str:
        done = subprocess.run(
            [*self._base, *words], capture_output=True, text=True, check=True, timeout=30,
            env={name: value for name, value in os.environ.items() if name != "TMUX"},
        )  # fmt: skip
        return done.stdout

    @property
    def screen(self) -> str:
        return self._tmux("capture-pane", "-p")

    def type(self, text: str) -> None:
        self._tmux("send-keys", "-l", text)

    def begin(self, program: str = "") -> None:
        """Starts a program, or the last one once more; the shell says how it ended."""
        self._program = program or self._program
        self.type(f"clear; {self._program}; echo left $?")
        self.press("Enter")

    def press(self, *keys: str) -> None:
        """One after another, as fingers do: the program has seen one before the next comes."""
        for key in keys:
            self._tmux("send-keys", key)

    def resize(self, columns: int, lines: int) -> None:
        self._tmux("resize-window", "-x", str(columns), "-y", str(lines))

    def until(self, happened: str | Callable[[str], object]) -> str:
        """The screen once it shows a text, or is as wanted; fails with the screen otherwise."""
        end = time.monotonic() + PATIENCE_S
        while True:
            seen = self.screen
            if happened in seen if isinstance(happened, str) else happened(seen):
                return seen
            assert time.monotonic() < end, f"waited for {happened!r}; there is:\n{seen}"
            time.sleep(0.1)

    def close(self) -> None:
        subprocess.run([*self._base, "kill-server"], capture_output=True, check=False)


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    driver = tmp_path / "driver.py"
    driver.write_text(DRIVER.format(tests=str(Path(__file__).parent.parent)))
    subprocess.run(
        [sys.executable, str(driver), "--home", str(tmp_path / "home"), "memory", "add",
         "Tea is at four"],
        check=True, stdin=subprocess.DEVNULL, capture_output=True, timeout=PATIENCE_S,
    )  # fmt: skip
    opened = Terminal(tmp_path)
    try:
        opened.until("$")
        opened.begin(f"{sys.executable} {driver} tui")
        opened.until("Write a message")
        yield opened
    finally:
        opened.close()


def heading(seen: str) -> str:
    """The first word of the first line: a page's name."""
    return seen.split(maxsplit=1)[0] if seen.split() else ""


def leave(terminal: Terminal, *, told: str = "left 0") -> None:
    """`told` is what the shell says then."""
    terminal.press("C-q")
    terminal.until(lambda seen: told in seen and "Write a message" not in seen)
    terminal.type("stty -a | grep -c -- ' echo '")
    terminal.press("Enter")
    terminal.until(lambda seen: seen.rstrip().splitlines()[-2:-1] == ["1"])


def test_an_hour_at_the_keyboard(terminal: Terminal) -> None:
    """Talk, look into memory, go about, leave: nothing is lost, and the shell is whole."""
    terminal.type("Remember that the staging server is called heron")
    terminal.press("Enter")
    terminal.until("heron it is.")
    terminal.type("How do I get there?")
    terminal.press("Enter")
    terminal.until("That is how you get there.")
    assert "ssh heron" in terminal.screen

    terminal.press("F5")
    seen = terminal.until("Tea is at four")
    assert "The staging server is called heron" in seen
    terminal.press("/")
    terminal.type("tea")
    terminal.until(lambda seen: "best first" in seen)
    terminal.press("Escape", "Escape", "Escape")
    terminal.until("Write a message")

    for number, name in zip("234567890", PLACES, strict=True):
        terminal.press("C-o")
        terminal.until("Go to")
        terminal.press(number)
        terminal.until(lambda seen, name=name: heading(seen) == name and "Go to" not in seen)
    terminal.press("C-o")
    terminal.until("Go to")
    terminal.press("1")
    terminal.until("That is how you get there.")

    terminal.type("a draft that stays")
    terminal.press("C-s")
    terminal.until("Type to find")
    terminal.press("Escape")
    terminal.until(lambda seen: "a draft that stays" in seen and "Type to find" not in seen)
    terminal.press("F1")
    terminal.until("Esc closes")
    terminal.press("Escape")
    terminal.until(lambda seen: "Esc closes" not in seen)
    leave(terminal)


def test_it_bears_any_size(terminal: Terminal) -> None:
    """The composer and what was said stay in view; a small one is not the end of it."""
    terminal.type("hello")
    terminal.press("Enter")
    terminal.until("heron it is.")
    for columns, lines in ((60, 18), (240, 60), (24, 8), (80, 24)):
        terminal.resize(columns, lines)
        if columns >= 60:
            terminal.until(lambda seen: "Write a message" in seen and "heron it is." in seen)
    leave(terminal)


def test_it_is_stopped_and_goes_on(terminal: Terminal) -> None:
    """Ctrl+Z gives the shell back, and after `fg` all of the screen is there again."""
    terminal.type("half a thou")
    terminal.until("half a thou")
    terminal.press("C-z")
    terminal.until(lambda seen: "Write a message" not in seen and "half a thou" not in seen)
    terminal.type("echo in the shell; fg; echo back $?")
    terminal.press("Enter")
    seen = terminal.until("half a thou")
    assert "in the shell" not in seen
    terminal.type("ght")
    terminal.until("half a thought")
    leave(terminal, told="back 0")


def test_what_a_person_does_most(terminal: Terminal) -> None:
    """Ask somebody by name, find what one sent, act on a message, branch, switch, all by keys."""
    terminal.type("@ky")
    terminal.until("@kyra  Kyra")
    terminal.press("Tab")
    terminal.type("where is it?")
    terminal.until("@kyra where is it?")
    terminal.press("Enter")
    terminal.until("heron it is.")

    terminal.press("C-r")
    terminal.until("What you sent")
    terminal.type("where")
    terminal.until("@kyra where is it?")
    terminal.press("Enter")
    terminal.until(lambda seen: "What you sent" not in seen and "@kyra where is it?" in seen)
    terminal.press("C-u")
    terminal.until("Write a message")

    terminal.type("/export")
    terminal.until("write this conversation")
    terminal.press("Enter")
    terminal.until("Export this conversation")
    terminal.press("Escape")
    terminal.until(lambda seen: "Export this conversation" not in seen)

    terminal.press("M-Up")
    terminal.until("b branch")
    terminal.press("b")
    terminal.until("(branch)")
    terminal.press("C-s")
    terminal.until("Type to find")
    terminal.press("Down", "M-p")
    terminal.until("Pinned")
    terminal.press("M-d")
    terminal.until("Delete this conversation?")
    terminal.press("Escape")
    terminal.until(lambda seen: "Delete this" not in seen and "Type to find" in seen)
    terminal.press("Escape")
    terminal.until(lambda seen: "Type to find" not in seen)
    leave(terminal)


def test_it_is_left_from_a_dialog(terminal: Terminal) -> None:
    """Over a page as well; and what was begun in the composer is there the next time."""
    terminal.type("half a thought")
    terminal.press("F9")
    terminal.until(lambda seen: heading(seen) == "Jobs")
    terminal.press("n")
    terminal.until("A new job")
    leave(terminal)
    terminal.begin()
    terminal.until("half a thought")
    leave(terminal)
