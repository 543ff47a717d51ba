"""When conversations were last looked at, in a file beside the drafts.

Each window keeps what it looked at in mind and writes it with what the file has, the later moment
of both: windows may write at the same time, and the last of them loses nothing of its own. What
cannot be read or written counts as nothing: then there are no marks.
"""

import json
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from skill_agent.errors import SkillAgentError
from skill_agent.files.private import read_json, write_private

MOST = 5_000
"""Conversations that are kept, those last looked at."""
_LARGEST = 2_000_000


class Looked:
    """Moments by session id; blocking."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._own: dict[str, float] = {}

    def load(self) -> dict[str, datetime]:
        """What this and other windows have looked at."""
        return {
            name: datetime.fromtimestamp(moment, UTC) for name, moment in self._merged().items()
        }

    def mark(self, session: str, at: datetime) -> None:
        """Keeps that it was looked at then."""
        self._own[session] = max(self._own.get(session, 0.0), at.timestamp())
        newest = sorted(self._merged().items(), key=lambda one: one[1])[-MOST:]
        with suppress(OSError, SkillAgentError):
            self._file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            write_private(self._file, json.dumps(dict(newest)))

    def _merged(self) -> dict[str, float]:
        found = _read(self._file)
        for name, moment in self._own.items():
            found[name] = max(found.get(name, 0.0), moment)
        return found


def _read(file: Path) -> dict[str, float]:
    try:
        said = read_json(file, most=_LARGEST)
    except (SkillAgentError, OSError, ValueError):
        return {}
    return {
        name: moment
        for name, moment in (said.items() if isinstance(said, dict) else ())
        if isinstance(moment, float) and 0 <= moment < 2**33
    }
