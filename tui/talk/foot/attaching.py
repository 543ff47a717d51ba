"""Files, conversations and memories made into what stands beside a person's words.

Nothing of them is the person's own: each comes with its origin, and is read as that. Bounded, and
what does not fit is said.
"""

import stat
from collections.abc import Sequence
from pathlib import Path

from skill_agent.conversations.images import LARGEST, image_of
from skill_agent.conversations.told_apart import told_apart
from skill_agent.errors import UsageError
from skill_agent.values import Attachment, Memory, Message, Session

from .drafts import Beside

MOST_BYTES = 200_000
"""Of a file's text; a longer one is no part of a message."""
TALK_MESSAGES, TALK_CHARACTERS = 40, 20_000
_PICTURES = frozenset({".png", ".jpg", ".jpeg", ".webp", ".gif"})


def file_beside(file: Path) -> Beside:
    """A text, or a picture. Raises UsageError, in words, for anything else."""
    picture = file.suffix.lower() in _PICTURES
    raw = _read(file, LARGEST if picture else MOST_BYTES)
    if picture:
        return image_of(raw, file.name)
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:
        raise UsageError(f"{file.name} is no text", hint="only texts and pictures can be attached")
    if not text.strip():
        raise UsageError(f"{file.name} is empty", hint="choose another file")
    return Attachment(text, origin="file", name=file.name)


def _read(file: Path, most: int) -> bytes:
    try:
        found = file.stat()
        if not stat.S_ISREG(found.st_mode):
            raise UsageError(f"{file.name} is no plain file", hint="choose another file")
        with file.open("rb") as stream:
            raw = stream.read(most + 1)
    except OSError as error:
        said = error.strerror or str(error)
        raise UsageError(f"{file.name} cannot be read: {said}", hint="see its rights") from None
    if len(raw) > most:
        raise UsageError(
            f"{file.name} is too large: {most // 1000:,} kB is the most",
            hint="paste the part that matters",
        )
    return raw


def talk_beside(session: Session, messages: Sequence[Message]) -> Attachment:
    """The end of a conversation as a text that nobody says here."""
    said = [one for one in messages if one.role in ("user", "assistant") and one.content.strip()]
    lines = [f"{_who(one)}: {told_apart(one)[0].strip()}" for one in said[-TALK_MESSAGES:]]
    text = "\n\n".join(lines)
    if len(text) > TALK_CHARACTERS:
        text = "…" + text[-TALK_CHARACTERS:]
    if not text:
        raise UsageError("nothing was said in that conversation", hint="choose another one")
    return Attachment(text, origin="import", name=f"conversation “{session.title}”")


def _who(message: Message) -> str:
    return "Person" if message.role == "user" else message.agent or "Agent"


def memory_beside(memory: Memory) -> Attachment:
    """A memory; of one that others wrote a part of, with who they are."""
    origin = memory.origins[0] if memory.origins else "import"
    return Attachment(memory.content, origin=origin, name="memory")


def is_there(file: Path) -> bool:
    """In a thread: a disk may be slow."""
    try:
        return file.is_file()
    except OSError:
        return False
