"""Copying, by the first way that works: a native tool, tmux's buffer, the terminal's OSC 52.

Only the first two can be known to have worked, so whoever copies tells the person the way taken.
"""

import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Route:
    """A command that takes the text on stdin."""

    name: str
    command: tuple[str, ...]


def routes(environ: Mapping[str, str], which: Callable[[str], str | None]) -> list[Route]:
    """The commands worth trying here, best first; a tool without its display is left out."""
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
