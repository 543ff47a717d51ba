"""An item as a Markdown file in a folder of the person's.

`file` is the folder of the settings, `file:FOLDER` one below it, or one below the person's own
folder that neither is hidden nor lies in a home of ours: a target may be proposed by an agent, and
a file must not land where programs look for their settings. Nothing is ever overwritten. The name
tells the item, so one that a crash left there is known again.
"""

import asyncio
import contextlib
import os
import re
import tempfile
from collections.abc import Callable
from pathlib import Path

from skill_agent.errors import NotDelivered, SkillAgentError, UsageError
from skill_agent.files.private import resolved
from skill_agent.files.refusals import disk_refusal
from skill_agent.ports import Sink
from skill_agent.text.checks import sound_path
from skill_agent.text.clock import minute_of
from skill_agent.text.printing import printable
from skill_agent.values import InboxItem

_MOST_OF_A_NAME = 9
"""Files of others that may have the name already."""
_LONGEST_SLUG = 40
_HEAD = 4_096


class FileSink(Sink):
    """`file[:FOLDER]`"""

    kind = "file"

    def __init__(
        self,
        folder: Path,
        *,
        home: Path,
        own: Path | None = None,
        zone: str = "",
        written: Callable[[Path], None] = lambda _: None,
    ) -> None:
        """`home` is the root of ours, `own` the person's folder; `written` is told each file, so
        that an erasure reaches it."""
        self._folder, self._home, self._own = folder, home, own
        self._zone, self._written = zone, written

    def check(self, address: str) -> None:
        self._place(address)

    def missing(self, address: str) -> str:
        try:
            place = self._place(address)
        except UsageError as problem:
            return problem.message
        there = next((one for one in (place, *place.parents) if one.exists()), place)
        return "" if os.access(there, os.W_OK) else f"{there} cannot be written"

    async def send(self, item: InboxItem, address: str) -> str:
        try:
            return str(await asyncio.to_thread(self._write, item, self._place(address)))
        except UsageError as problem:
            raise NotDelivered(problem.message, hint=problem.hint, again=False) from None

    def _place(self, address: str) -> Path:
        """Raises UsageError for a folder that nothing may be put into."""
        base = resolved(self._folder)
        if not address:
            return base
        said = sound_path(address, "the folder")
        with contextlib.suppress(RuntimeError):  # nobody of that name
            said = said.expanduser()
        place = resolved(base / said)
        if place.is_relative_to(base):
            return place
        own = resolved(self._own or Path.home())
        inside = place.is_relative_to(own) and not place.is_relative_to(resolved(self._home))
        hidden = inside and any(part.startswith(".") for part in place.relative_to(own).parts)
        if not inside or hidden:
            raise UsageError(
                f"nothing is put into {said}",
                hint=f"a folder below {base}, or one below {own} that is not hidden; another one "
                "as `folder` of [delivery] in config.toml",
            )
        return place

    def _write(self, item: InboxItem, place: Path) -> Path:
        try:
            place.mkdir(parents=True, exist_ok=True, mode=0o700)
            file = self._put(item, place)
        except OSError as error:
            refused = disk_refusal(error, place, "the file was not written")
            if refused is not None:
                raise NotDelivered(refused.message, hint=refused.hint) from None
            raise NotDelivered(f"{place}: {error.strerror or error}") from None
        with contextlib.suppress(SkillAgentError):  # nothing can be erased from there either
            self._written(file)
        return file

    def _put(self, item: InboxItem, place: Path) -> Path:
        handle, name = tempfile.mkstemp(prefix=".inbox.", suffix=".md", dir=place)
        draft = Path(name)
        try:
            with os.fdopen(handle, "wb") as stream:
                stream.write(self._text(item).encode("utf-8", "replace"))
                stream.flush()
                os.fsync(stream.fileno())
            for number in range(1, _MOST_OF_A_NAME + 1):
                file = place / self._name(item, number)
                if _claimed(file):
                    draft.replace(file)
                    return file
                if _is_of(file, item.id):
                    return file
        finally:
            draft.unlink(missing_ok=True)
        raise NotDelivered(f"{place} has {_MOST_OF_A_NAME} files of this name", again=False)

    def _name(self, item: InboxItem, number: int) -> str:
        at = minute_of(item.created_at, self._zone).replace(":", "")
        slug = re.sub(r"[^\w]+", "-", item.title)[:_LONGEST_SLUG].strip("-")
        more = f" {number}" if number > 1 else ""
        return f"{at} {slug or item.sort} {item.id[-12:]}{more}.md"

    def _text(self, item: InboxItem) -> str:
        facts = {
            "id": item.id,
            "at": minute_of(item.created_at, self._zone),
            "sort": item.sort,
            "agent": item.agent,
            "session": item.session or "",
            "words of": ", ".join(item.origins),
        }
        head = "".join(f"{name}: {value}\n" for name, value in facts.items() if value)
        reply = f'\n\n---\n\nTo go on with it: `ska inbox reply {item.id} "…"`' * bool(item.session)
        body = printable(item.text).rstrip()
        return f"---\n{printable(head)}---\n\n# {printable(item.title)}\n\n{body}{reply}\n"


def _claimed(file: Path) -> bool:
    """Whether the name is ours now: it was free, or an empty file that a crash left under it."""
    try:
        os.close(os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    except FileExistsError:
        return not file.is_symlink() and file.is_file() and file.stat().st_size == 0
    return True


def _is_of(file: Path, item: str) -> bool:
    """Whether the file tells of this item: it was written by a try that a crash cut short."""
    if file.is_symlink() or not file.is_file():
        return False
    with file.open("rb") as stream:
        return f"id: {item}\n".encode() in stream.read(_HEAD)
