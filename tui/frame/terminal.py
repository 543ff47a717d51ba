"""What the app takes of its process while it runs: the terminal, the clipboard, the collector.

Native libraries write warnings and panics straight to file descriptors 1 and 2, over whatever is
drawn. Both are pointed at a log file, and the app is given its own copy of the terminal.

Copying goes the first way that works: a native tool, tmux's buffer, the terminal's OSC 52. Only the
first two can be known to have worked, so whoever copies tells the person the way taken.

Full collections are kept short while a reply streams. With the libraries of a home imported, one
takes a tenth of a second and more, and streamed Markdown makes enough objects for two a second.
What lives long is put out of the collector's sight (`gc.freeze`), at moments when nobody waits.
"""

import contextlib
import gc
import io
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

PUSH_TITLE, POP_TITLE = "\x1b[22;0t", "\x1b[23;0t"
"""Keep the window's title, and give it back."""
_AS_IT_WAS = (
    "\x1b[?2004l\x1b[?2048l\x1b[?1000l\x1b[?1003l\x1b[?1015l\x1b[?1006l\x1b[?1016l\x1b[?1004l"
    f"\x1b[<u\x1b[?7h\x1b[?1049l\x1b[?25h{POP_TITLE}"
)
"""Paste, resize, mouse and focus reports off, Kitty's keyboard off, wrapping on, the alternate
screen off, the cursor on, the title as it was."""


class _Screen(io.TextIOWrapper):
    """The terminal to draw on; a window that was closed takes nothing more, and that is no error:
    who waits for a thread that draws must not wait for ever."""

    def write(self, text: str) -> int:
        with contextlib.suppress(OSError):
            return super().write(text)
        return len(text)

    def flush(self) -> None:
        with contextlib.suppress(OSError):
            super().flush()


@contextlib.contextmanager
def own_terminal(log: Path) -> Iterator[Callable[[], None]]:
    """Inside, anything but the app that writes to stdout or stderr writes to the log. Gives what
    leaves the terminal as it was, for a process that vanishes without leaving this."""
    log.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    kept_out, kept_err = os.dup(1), os.dup(2)
    real_out, real_err = sys.__stdout__, sys.__stderr__
    sink = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    # Textual draws through sys.__stderr__, which a person may have sent elsewhere, and measures
    # through sys.__stdout__: both become the terminal on stdout.
    screen = _Screen(os.fdopen(os.dup(1), "wb"), encoding="utf-8", errors="replace")
    set_modes = _modes(kept_out)

    def restore() -> None:
        with contextlib.suppress(OSError):
            os.write(kept_out, _AS_IT_WAS.encode())
        set_modes()

    sys.__stdout__ = sys.__stderr__ = screen  # type: ignore[misc]
    _tell(kept_out, PUSH_TITLE)
    try:
        os.dup2(sink, 1)
        os.dup2(sink, 2)
        yield restore
    finally:
        with contextlib.suppress(ValueError):
            screen.flush()
        _tell(kept_out, POP_TITLE)
        os.dup2(kept_out, 1)
        os.dup2(kept_err, 2)
        sys.__stdout__, sys.__stderr__ = real_out, real_err  # type: ignore[misc]
        for descriptor in (kept_out, kept_err, sink):
            os.close(descriptor)
        with contextlib.suppress(OSError):
            screen.close()


def _tell(descriptor: int, sequence: str) -> None:
    """Only a terminal: a browser's end of a pipe has a language of its own."""
    with contextlib.suppress(OSError):
        if os.isatty(descriptor):
            os.write(descriptor, sequence.encode())


def draws(environ: Mapping[str, str]) -> bool:
    """Whether the terminal says that it can be drawn on."""
    return in_browser(environ) or environ.get("TERM", "") not in ("dumb", "unknown")


def in_browser(environ: Mapping[str, str]) -> bool:
    """Whether the other end is a page that draws a terminal."""
    return environ.get("TEXTUAL_DRIVER", "").endswith(":WebDriver")


def _modes(descriptor: int) -> Callable[[], None]:
    """Sets the terminal's modes to what they are now."""
    try:
        import termios
    except ImportError:  # a system without them
        return lambda: None
    with contextlib.suppress(termios.error):
        modes = termios.tcgetattr(descriptor)

        def set_again() -> None:
            with contextlib.suppress(termios.error):
                termios.tcsetattr(descriptor, termios.TCSANOW, modes)

        return set_again
    return lambda: None


@dataclass(frozen=True, slots=True)
class Route:
    """A command that takes the text on stdin."""

    name: str
    command: tuple[str, ...]


def routes(environ: Mapping[str, str], which: Callable[[str], str | None]) -> list[Route]:
    """The commands worth trying here, best first; a tool without its display is left out. In a
    browser none is: this machine's clipboard is not the person's."""
    if in_browser(environ):
        return []
    wanted: list[tuple[bool, str, tuple[str, ...]]] = [
        (sys.platform == "darwin", "pbcopy", ()),
        ("WAYLAND_DISPLAY" in environ, "wl-copy", ()),
        ("DISPLAY" in environ, "xclip", ("-selection", "clipboard")),
        ("DISPLAY" in environ, "xsel", ("--clipboard", "--input")),
        ("WSL_DISTRO_NAME" in environ or sys.platform == "win32", "clip.exe", ()),
        # -w hands the text on to the outer terminal's clipboard as well.
        ("TMUX" in environ, "tmux", ("load-buffer", "-w", "-")),
    ]
    return [
        Route("tmux buffer" if tool == "tmux" else tool, (path, *arguments))
        for usable, tool, arguments in wanted
        if usable and (path := which(tool))
    ]


def copy_with(route: Route, text: str, *, seconds: float = 3.0) -> bool:
    """Whether the command took the text."""
    encoding = "utf-16-le" if route.name == "clip.exe" else "utf-8"
    try:
        done = subprocess.run(
            route.command,
            input=text.encode(encoding, "replace"),
            stdout=subprocess.DEVNULL,  # xclip stays alive; an inherited pipe would never close
            stderr=subprocess.DEVNULL,
            timeout=seconds,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def settle_garbage() -> None:
    """After a turn: what it left behind goes, what stays is not looked through again."""
    gc.collect()
    gc.freeze()


def release_garbage() -> None:
    """After another conversation was opened: the widgets of the former may go as well."""
    gc.unfreeze()
    settle_garbage()


def give_back() -> None:
    """On the way out: extension modules complain at exit about what they cannot find freed."""
    gc.unfreeze()
