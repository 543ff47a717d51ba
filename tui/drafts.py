"""What a person has typed and not yet sent, kept on disk for each session.

A file is replaced in one step, so a crash leaves the old or the new text. Nothing here is sent;
the ledger has what was.
"""

import json
from dataclasses import dataclass
from pathlib import Path

from skill_agent.private_files import write_private

NEW = "new"
"""The draft of a conversation that has no id yet."""


@dataclass(frozen=True, slots=True)
class Draft:
    """The composer's text, and messages waiting for a turn to end, oldest first."""

    text: str = ""
    waiting: tuple[str, ...] = ()

    @property
    def empty(self) -> bool:
        return not self.text.strip() and not self.waiting

    def joined(self) -> str:
        """Everything unsent as one text."""
        return "\n\n".join(part for part in (*self.waiting, self.text) if part.strip())


class DraftBook:
    """Drafts by session id in one folder; a draft that became empty has no file."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def load(self, key: str) -> Draft:
        """The kept draft; a file nobody can read counts as none and is left where it is."""
        try:
            data = json.loads(self._file(key).read_text("utf-8"))
            return Draft(str(data["text"]), tuple(str(one) for one in data["waiting"]))
        except (OSError, ValueError, KeyError, TypeError):
            return Draft()

    def save(self, key: str, draft: Draft) -> None:
        """Replaces the draft of the key; raises OSError or UsageError where the disk refuses."""
        if draft.empty:
            self._file(key).unlink(missing_ok=True)
            return
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        data = {"text": draft.text, "waiting": list(draft.waiting)}
        write_private(self._file(key), json.dumps(data, ensure_ascii=True))

    def strays(self) -> list[str]:
        """Keys of texts typed while a home was opening that never opened, oldest first."""
        return sorted(file.stem for file in self._folder.glob(f"{NEW}-*.json"))

    def _file(self, key: str) -> Path:
        safe = "".join(char if char.isalnum() or char in "-_" else "_" for char in key)
        return self._folder / f"{safe}.json"
