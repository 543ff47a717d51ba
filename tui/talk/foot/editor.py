"""The person's own editor on a text: in a file of their own, on the real terminal.

While the workstation runs, descriptors 1 and 2 lead to its log (`frame.terminal`), so the editor is
given the terminal that the workstation draws on. The text is never lost: whatever the editor does,
the file is kept until what it holds was read.
"""

import os
import shlex
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from shutil import which

from skill_agent.errors import UsageError

MOST_BYTES = 2_000_000
_USUAL = ("nano", "vim", "vi")


def editor_of(environ: Mapping[str, str]) -> list[str]:
    """The command the person chose, else a usual one. Raises UsageError where there is none."""
    chosen = next(
        (environ[one] for one in ("VISUAL", "EDITOR") if environ.get(one, "").strip()), ""
    )
    try:
        command = shlex.split(chosen)
    except ValueError:
        command = [chosen]
    if command and which(command[0]) is None:
        raise UsageError(f"there is no editor {command[0]!r}", hint="set $EDITOR to one there is")
    usual = [[path] for one in _USUAL if (path := which(one))]
    if not command and not usual:
        raise UsageError("there is no editor", hint="set $EDITOR, as in: export EDITOR=nano")
    return command or usual[0]


class EditedFile:
    """A text in a private file, as long as somebody edits it."""

    def __init__(self, text: str) -> None:
        handle, name = tempfile.mkstemp(prefix="message-", suffix=".md")  # mode 0600
        self._file, self._before, self._kept = Path(name), text, False
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)

    def edit(self, command: list[str]) -> None:
        """Runs the editor to its end, in a thread; raises UsageError where it failed."""
        terminal = sys.__stdout__ if _is_terminal() else None
        try:
            done = subprocess.run(
                [*command, str(self._file)], stdin=sys.__stdin__ if terminal else None,
                stdout=terminal, stderr=terminal, check=False,
            )  # fmt: skip
        except OSError as error:
            said = error.strerror or str(error)
            raise UsageError(f"{command[0]} did not start: {said}", hint="see $EDITOR") from None
        if done.returncode:
            raise UsageError(
                f"{Path(command[0]).name} ended with {done.returncode}; your text is as it was",
                hint=self._where_it_is(),
            )

    def text(self) -> str:
        """What it holds now. Raises UsageError where that is no text."""
        try:
            with self._file.open("rb") as file:
                raw = file.read(MOST_BYTES + 1)
            if len(raw) > MOST_BYTES:
                raise UsageError(
                    f"the text has more than {MOST_BYTES:,} bytes", hint=self._where_it_is()
                )
            text = raw.decode("utf-8-sig")
        except (OSError, UnicodeDecodeError):
            raise UsageError(
                "what the editor left is no text; yours is as it was", hint=self._where_it_is()
            ) from None
        return text.removesuffix("\n")

    def remove(self) -> None:
        """Unless it holds the only copy of something."""
        if not self._kept:
            with suppress(OSError):
                self._file.unlink()

    def _where_it_is(self) -> str:
        """What an editor that failed has written stays where it is."""
        with suppress(OSError):
            self._kept = self._file.read_bytes() != self._before.encode()
        return f"what it wrote is in {self._file}" if self._kept else "nothing was written"


def _is_terminal() -> bool:
    """Whether the workstation draws on one; a test does not."""
    try:
        return bool(sys.__stdout__ and sys.__stdin__ and sys.__stdout__.fileno() >= 0)
    except (OSError, ValueError):
        return False


@contextmanager
def keys_are_the_editors() -> Iterator[None]:
    """Ctrl+C in the editor is not for us. A handler, for what is ignored the editor would ignore,
    too."""
    before = signal.getsignal(signal.SIGINT)
    signal.signal(signal.SIGINT, lambda *_: None)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
