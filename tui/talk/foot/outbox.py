"""What is not sent yet: the composer's draft and the messages waiting for their turn, by session.

It remembers and saves; it sends nothing and draws nothing. Saving is debounced and done off the
event loop, so that a slow disk never holds up a keypress.
"""

import asyncio
from collections.abc import Callable
from dataclasses import replace

from skill_agent.errors import SkillAgentError

from .drafts import NEW, Beside, Draft, DraftBook, Queued

PAUSE = 0.25
"""Seconds of quiet before typed text goes to disk."""


class Outbox:
    """All unsent text of this process; `tell` hears why a save failed.

    Sessions in `held` wait for the person after a failure.
    """

    def __init__(self, book: DraftBook, tell: Callable[[str], None] | None = None) -> None:
        self._book = book
        self._tell = tell
        self._drafts: dict[str, Draft] = {}
        self._unsaved: set[str] = set()
        self._saving: asyncio.Task[None] | None = None
        self.held: set[str] = set()
        self.unsure: set[str] = set()
        """Keys of messages that may have been sent before."""
        self._handed_over: dict[str, str] = {}
        """Messages on their way and not acknowledged yet, with the conversation they wait in."""
        self._told = ""
        self.trouble = ""
        """Why the last save failed; empty when it did not."""

    def draft(self, key: str) -> Draft:
        if key not in self._drafts:
            self._drafts[key] = self._book.load(key)
        return self._drafts[key]

    def type(self, key: str, text: str, attachments: tuple[Beside, ...] = ()) -> None:
        """The composer's text as it is now, and what was pasted beside it."""
        self._change(key, replace(self.draft(key), text=text, attachments=attachments))

    def wait(self, key: str, text: str, attachments: tuple[Beside, ...] = ()) -> Queued:
        """Appends a message to those that wait, and clears what was typed and pasted."""
        message = Queued(text, attachments=attachments)
        self._change(key, Draft("", (*self.draft(key).waiting, message)))
        return message

    def first(self, key: str) -> Queued | None:
        """The message to be sent next; it stays on disk until `sent`."""
        waiting = self.draft(key).waiting
        return waiting[0] if waiting else None

    def hand_over(self, key: str, message: Queued) -> None:
        """The message is on its way."""
        self._handed_over[message.key] = key

    def sending(self, key: str) -> bool:
        """Whether one of the conversation's messages is on its way."""
        return key in self._handed_over.values()

    def waiting(self, key: str) -> list[Queued]:
        """What waits and is not on its way, oldest first."""
        return [one for one in self.draft(key).waiting if one.key not in self._handed_over]

    def on_its_way(self, key: str) -> list[Queued]:
        """What was handed over and is not in the ledger yet."""
        return [one for one in self.draft(key).waiting if one.key in self._handed_over]

    def take_out(self, key: str, message: str) -> Queued | None:
        """Removes a message that waits and is not on its way; None when there is none."""
        found = next((one for one in self.waiting(key) if one.key == message), None)
        if found is not None:
            self.sent(key, message)
        return found

    def acknowledged(self, message: str) -> str | None:
        """The message is in the ledger; where it waited, or None where that was known."""
        if (key := self._handed_over.pop(message, None)) is not None:
            self.sent(key, message)
        return key

    def refused(self, message: str) -> bool:
        """The message is not on its way any more; False where it had been acknowledged."""
        return self._handed_over.pop(message, None) is not None

    def sent(self, key: str, message: str) -> None:
        """A message that is in the ledger waits no longer."""
        draft = self.draft(key)
        left = tuple(one for one in draft.waiting if one.key != message)
        self._change(key, replace(draft, waiting=left))

    def take_back(self, key: str, index: int = -1) -> Queued | None:
        """Removes a waiting message and gives it; None when there is none."""
        waiting = list(self.draft(key).waiting)
        if not waiting:
            return None
        message = waiting.pop(index)
        self._change(key, replace(self.draft(key), waiting=tuple(waiting)))
        return message

    def move(self, old: str, new: str) -> None:
        """A conversation got its id: what was typed and waits goes with it."""
        draft = self.draft(old)
        self._change(new, draft.after(self.draft(new)))
        self._change(old, Draft())
        if old in self.held:
            self.held.discard(old)
            self.held.add(new)

    def open(self, key: str) -> str:
        """The text to write on with; touched for the first time, with all that was left unsent.

        Messages that waited when a process ended are held: sending them by itself after a crash
        would surprise. A new conversation also takes in what was typed while a home was opening
        that never opened.
        """
        if key in self._drafts:
            return self._drafts[key].text
        found = self.draft(key)
        if key == NEW:
            for stray in reversed([one for one in self._book.strays() if one not in self._drafts]):
                found = found.after(self.draft(stray))
                self._change(stray, Draft())
        self._change(key, found)
        if found.waiting:
            self.held.add(key)
            self.unsure |= {one.key for one in found.waiting}
        return found.text

    async def close(self) -> None:
        """Everything on disk, for the way out."""
        await self.settle()
        self.save_now()
        self._book.close()

    def save_now(self) -> None:
        """Writes everything unsaved, here and now; for the way out."""
        while self._unsaved:
            self._write(self._unsaved.pop())

    async def settle(self) -> None:
        """Waits until what was typed is on disk."""
        while self._saving is not None and not self._saving.done():
            await asyncio.wait([self._saving])

    def _change(self, key: str, draft: Draft) -> None:
        if self._drafts.get(key) == draft:
            return
        self._drafts[key] = draft
        self._unsaved.add(key)
        if self._saving is None or self._saving.done():
            self._saving = asyncio.create_task(self._save_soon())

    async def _save_soon(self) -> None:
        while self._unsaved:
            await asyncio.sleep(PAUSE)
            for key in list(self._unsaved):
                self._unsaved.discard(key)
                await asyncio.to_thread(self._write, key)
                self._tell_trouble()

    def _tell_trouble(self) -> None:
        if self._tell is not None and self.trouble and self.trouble != self._told:
            self._tell(self.trouble)
        self._told = self.trouble

    def _write(self, key: str) -> None:
        try:
            self._book.save(key, self._drafts[key])
            self.trouble = ""
        except (OSError, SkillAgentError) as error:
            self.trouble = str(error)
