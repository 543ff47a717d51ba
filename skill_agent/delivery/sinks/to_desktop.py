"""An item as a notification of the desktop, by the program that each system has for it.

No shell is asked, and what is shown is short and tame. A notification may be seen on a lock screen:
of a private item it has the title alone.
"""

import asyncio
import html
import os
import shutil
import sys
from collections.abc import Callable

from skill_agent.errors import NotDelivered, UsageError
from skill_agent.ports import Sink
from skill_agent.text.shaping import one_line
from skill_agent.values import InboxItem

_LONGEST_TITLE, _LONGEST_BODY = 80, 200
_SEND_S = 15.0
_SCRIPT = (
    "on run argv",
    "display notification (item 2 of argv) with title (item 1 of argv)",
    "end run",
)
_PROGRAMS = {"linux": "notify-send", "darwin": "osascript"}


class DesktopSink(Sink):
    """`desktop`"""

    kind = "desktop"

    def __init__(
        self, *, platform: str = sys.platform, find: Callable[[str], str | None] = shutil.which
    ) -> None:
        self._platform, self._find = platform, find

    def check(self, address: str) -> None:
        if address:
            raise UsageError(f"desktop takes no address: {address[:40]!r}", hint="desktop")

    def missing(self, address: str = "") -> str:
        program = _PROGRAMS.get(self._platform)
        if program is None:
            return f"there are no notifications on {self._platform}"
        if self._find(program) is None:
            return f"there is no {program}"
        if program == "notify-send" and not _has_desktop():
            return "no desktop session is known to this process"
        return ""

    async def send(self, item: InboxItem, address: str) -> str:
        program = _PROGRAMS.get(self._platform)
        found = self._find(program) if program else None
        if program is None or found is None:
            hint = "apt install libnotify-bin, or your system's package of it"
            raise NotDelivered(self.missing(), hint=hint if program else "", again=False)
        title = _plain(item.title, _LONGEST_TITLE)
        body = "" if item.private else _plain(item.text, _LONGEST_BODY)
        if program == "notify-send":
            words = ["--app-name=skill-agent", "--", title, html.escape(body, quote=False)]
        else:
            words = [*(one for line in _SCRIPT for one in ("-e", line)), "--", title, body]
        await _run(found, *words)
        return ""


def _has_desktop() -> bool:
    known = ("DBUS_SESSION_BUS_ADDRESS", "DISPLAY", "WAYLAND_DISPLAY", "XDG_RUNTIME_DIR")
    return any(os.environ.get(one) for one in known)


def _plain(text: str, limit: int) -> str:
    """One short line without anything that is not seen."""
    return one_line("".join(one if one.isprintable() else " " for one in text), limit)


async def _run(*command: str) -> None:
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(_SEND_S):
            _, said = await process.communicate()
    except TimeoutError:
        raise NotDelivered(f"no answer within {_SEND_S:.0f} s") from None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode:
        words = _plain(said.decode("utf-8", "replace"), _LONGEST_BODY)
        raise NotDelivered(words or f"it ended with {process.returncode}")
