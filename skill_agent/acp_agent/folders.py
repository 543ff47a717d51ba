"""In which folder of this machine conversations were begun from an editor.

One small file a conversation: several editors write at once, and none reads another's half.
"""

import contextlib
from pathlib import Path
from uuid import UUID

from skill_agent.errors import SkillAgentError
from skill_agent.files.private import read_text, write_private

MOST = 5_000
"""Conversations whose folder is known; the oldest are forgotten."""
_LONGEST = 10_000


class Folders:
    """Those of one home."""

    def __init__(self, place: Path) -> None:
        self._place = place

    def of(self, session: str) -> str:
        """The folder of a conversation; empty where none is known."""
        file = self._file(session)
        if file is None or not file.exists():
            return ""
        with contextlib.suppress(SkillAgentError):
            return read_text(file, most=_LONGEST).strip("\n")
        return ""

    def keep(self, session: str, folder: str) -> None:
        """Remembers it; where that cannot be written the conversation is listed everywhere."""
        file = self._file(session)
        if file is None or self.of(session) == folder:
            return
        with contextlib.suppress(SkillAgentError, OSError):
            self._place.mkdir(mode=0o700, parents=True, exist_ok=True)
            write_private(file, folder + "\n")
            self._forget()

    def _forget(self) -> None:
        there = sorted(self._place.iterdir(), key=lambda one: one.name)  # ids sort by their time
        for file in there[:-MOST]:
            file.unlink(missing_ok=True)

    def _file(self, session: str) -> Path | None:
        """Nothing but an id becomes the name of a file."""
        try:
            return self._place / str(UUID(session))
        except ValueError:
            return None
