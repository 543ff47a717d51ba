"""What a person has typed and not yet sent, kept on disk for each session.

A file is replaced in one step, so a crash leaves the old or the new text. Each window writes into
a folder of its own and takes over what windows that are gone have left. Nothing here is sent; the
ledger has what was.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from skill_agent.errors import ConfigError, SkillAgentError
from skill_agent.files.private import read_bytes, write_private
from skill_agent.identifiers import new_id

from .draft_folder import DraftFolder

if TYPE_CHECKING:  # the first paint does without them
    from skill_agent.values import Attachment, Image

Beside: TypeAlias = "Attachment | Image"
"""What goes with a person's words and is not among them."""
_LARGEST = 100_000_000
"""Bytes of a draft's file: what is sent may be as long as a prompt can be."""
NEW = "new"
"""The draft of a conversation that has no id yet."""


@dataclass(frozen=True, slots=True)
class Queued:
    """A message waiting to be sent."""

    text: str
    key: str = field(default_factory=new_id)
    """Names its turn from the start, so that sending it twice runs it once."""
    attachments: tuple[Beside, ...] = ()
    """What was pasted beside the text."""

    @property
    def texts(self) -> "tuple[Attachment, ...]":
        from skill_agent.values import Attachment

        return tuple(one for one in self.attachments if isinstance(one, Attachment))

    @property
    def images(self) -> "tuple[Image, ...]":
        from skill_agent.values import Image

        return tuple(one for one in self.attachments if isinstance(one, Image))


@dataclass(frozen=True, slots=True)
class Draft:
    """The composer's text, and messages waiting for a turn to end, oldest first."""

    text: str = ""
    waiting: tuple[Queued, ...] = ()
    attachments: tuple[Beside, ...] = ()
    """What was pasted beside the text."""

    @property
    def empty(self) -> bool:
        return not (self.text.strip() or self.waiting or self.attachments)

    def after(self, earlier: "Draft") -> "Draft":
        """Both as one, the earlier first; a message is in it once."""
        known = {one.key for one in earlier.waiting}
        texts = (part for part in (earlier.text, self.text) if part.strip())
        waiting = (*earlier.waiting, *(one for one in self.waiting if one.key not in known))
        beside = (*earlier.attachments, *self.attachments)
        return Draft("\n\n".join(texts), waiting, beside)


class DraftBook:
    """Drafts by session id in one folder; a draft that became empty has no file."""

    def __init__(self, folder: Path) -> None:
        self._window = DraftFolder(folder)

    def load(self, key: str) -> Draft:
        """What windows that are gone have left of it; from now on it is this window's.

        A file nobody can read counts as none and is left where it is.
        """
        found = Draft()
        for file in self._left(_name(key)):
            draft = _read(file)
            if draft is not None:
                found = draft.after(found)
                # Where the disk refuses, it stays there as well.
                with suppress(OSError, SkillAgentError):
                    self.save(key, found)
                    file.unlink()
        return found

    def save(self, key: str, draft: Draft) -> None:
        """Replaces the draft of the key; raises OSError or UsageError where the disk refuses."""
        if draft.empty and not self._window.made:
            return
        file = self._window.path / _name(key)
        if draft.empty:
            file.unlink(missing_ok=True)
            return
        data = {
            "text": draft.text,
            "waiting": [
                {"key": one.key, "text": one.text, **_beside(one.attachments)}
                for one in draft.waiting
            ],
            **_beside(draft.attachments),
        }
        write_private(file, json.dumps(data, ensure_ascii=True))

    def strays(self) -> list[str]:
        """Keys of texts typed while a home was opening that never opened, oldest first."""
        return sorted({file.stem for file in self._left(f"{NEW}-*.json")})

    def close(self) -> None:
        """This window writes no more: another one may take over what it leaves."""
        self._window.close()

    def _left(self, pattern: str) -> Iterator[Path]:
        for folder in self._window.left_behind():
            yield from sorted(folder.glob(pattern))


def _name(key: str) -> str:
    return "".join(char if char.isalnum() or char in "-_" else "_" for char in key) + ".json"


def _read(file: Path) -> Draft | None:
    try:
        data = json.loads(read_bytes(file, most=_LARGEST))
        waiting = tuple(_queued(one) for one in data["waiting"])
        return Draft(str(data["text"]), waiting, _attached(data))
    except (ConfigError, ValueError, KeyError, TypeError, RecursionError):
        return None


def _beside(attachments: tuple[Beside, ...]) -> dict[str, object]:
    """Named only where there are some, so that an earlier version reads the rest."""
    if not attachments:
        return {}
    from skill_agent.values import Attachment, Image

    texts = [
        {"text": one.text, "origin": one.origin, "name": one.name}
        for one in attachments
        if isinstance(one, Attachment)
    ]
    images = [
        {"data": one.data, "media_type": one.media_type}
        for one in attachments
        if isinstance(one, Image)
    ]
    found = {"attachments": texts, "images": images}
    return {name: ones for name, ones in found.items() if ones}


def _attached(data: Mapping[str, Any]) -> tuple[Beside, ...]:
    images, texts = data.get("images", ()), data.get("attachments", ())
    if not images and not texts:
        return ()
    from skill_agent.values import Attachment, Image

    return (*(Image(**one) for one in images), *(Attachment(**one) for one in texts))


def _queued(data: Any) -> Queued:
    match data:
        case {"key": str(key), "text": str(text)}:
            return Queued(text, key, _attached(data))
        case str(text):
            return Queued(text)
    raise TypeError(data)
