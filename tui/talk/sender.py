"""From the outbox to the home: sends what waits, one message of a conversation at a time.

What becomes of a message is heard by `listener`.
"""

import asyncio
from contextlib import nullcontext
from typing import TYPE_CHECKING

from skill_agent.errors import ConfigError, ModelError, SkillAgentError, UsageError
from skill_agent.events import TurnFailed, TurnFinished
from skill_agent.values import TurnRequest

from .display import SendingDisplay
from .foot.drafts import NEW, Queued
from .foot.outbox import Outbox
from .listener import Listener

if TYPE_CHECKING:
    from skill_agent.workstation import Workstation

_NEVER_SAVED = (UsageError, ConfigError, ModelError)
"""Refusals that come before a message is saved; after any other error it may have been."""
SLOW = 0.3
"""Seconds after which a message that was sent is shown to be on its way."""
_HOST_GONE = ("host_lost", "host_closed")


class Sender:
    """Sends into one open home on behalf of one screen."""

    def __init__(
        self,
        runtime: "Workstation",
        outbox: Outbox,
        listener: Listener,
        display: SendingDisplay,
        folder: str = "",
    ) -> None:
        """`folder` goes with what begins a conversation."""
        self._folder = folder
        self._runtime, self._outbox = runtime, outbox
        self._listener, self._display = listener, display
        self._turns = listener.turns

    def deliver(self, key: str) -> None:
        """Sends the first waiting message of the conversation, if nothing runs there."""
        held = key in self._outbox.held or self._outbox.sending(key)
        if held or self._listener.deaf or self._turns.of(key):
            return
        if message := self._outbox.first(key):
            self._outbox.hand_over(key, message)
            self._display.run_worker(self._send(key, message), group="send")

    def after(self, event: TurnFinished | TurnFailed, *, shown: bool) -> None:
        """A turn is over: what waited for its end goes, or is held where it failed.

        The end of one's own in a conversation that is not `shown` is told.
        """
        if not shown and self._turns.own(event.turn):
            said = "replied" if isinstance(event, TurnFinished) else "could not reply"
            self._display.notify(f"{event.agent} {said} in another conversation", markup=False)
        failed = isinstance(event, TurnFailed) and event.reason not in _HOST_GONE
        if failed and self._outbox.first(event.session):
            # The next would most likely fail alike; the person decides.
            self._outbox.held.add(event.session)
        self.deliver(event.session)

    def steer(self, key: str, message: Queued) -> None:
        """Says a message to the reply that runs; it waits as any other where that hears no more.

        It is in the outbox and stays there until it was heard.
        """
        self._outbox.hand_over(key, message)
        self._display.run_worker(self._steer(key, message), group="send")

    async def _steer(self, key: str, message: Queued) -> None:
        try:
            for turn in self._turns.of(key)[:1]:
                if await self._runtime.turns.tell(turn, message.text):
                    self._outbox.acknowledged(message.key)
                    await self._display.steered(turn, message.text)
                    return
            told = "It could hear no more: your words are sent when it is done."
        except SkillAgentError as error:
            told = f"Not said to it: {error.message}. Your words are sent when it is done."
        finally:
            self._outbox.refused(message.key)
            self._display.draw_waiting()
            self.deliver(key)
        self._display.notify(told, markup=False)

    async def stop(self, key: str) -> None:
        """Cancels the conversation's running turn; its partial text is kept."""
        for turn in self._turns.of(key)[:1]:
            await self._runtime.turns.cancel(turn)

    async def _send(self, key: str, message: Queued) -> None:
        new, finds = key == NEW, self._listener.finds
        agent = self._display.speaker if new else None
        if agent == self._runtime.settings.general.default_agent:
            agent = None  # nobody was chosen: the message goes to whom it is for
        self._turns.claim(message.key)
        slow = asyncio.get_running_loop().call_later(SLOW, self._display.sends_slowly, True)
        try:
            async with self._listener.naming if new else nullcontext():
                submitted = await self._runtime.turns.submit(
                    TurnRequest(
                        message.text,
                        session=None if new else key,
                        agent=agent,
                        model=self._display.chosen_model(key),
                        key=message.key,
                        attachments=message.texts,
                        images=message.images,
                        folder=self._folder if new else "",
                    )
                )
                async with self._listener.lock:
                    await self._listener.acknowledge(submitted.turn, submitted.session)
            if finds != self._listener.finds or message.key in self._outbox.unsure:
                await self._listener.catch_up(submitted.turn)
        except SkillAgentError as error:
            if self._outbox.refused(message.key):
                await self._not_sent(key, message, error)
        finally:
            slow.cancel()
        self._display.sends_slowly(False)

    async def _not_sent(self, key: str, message: Queued, error: SkillAgentError) -> None:
        if key == (self._listener.session or NEW):
            await self._display.show_error("Not sent", error)
        if isinstance(error, _NEVER_SAVED):
            self._display.give_back(key, error.message)
        else:
            # Kept with its key, so that sending it again cannot run it twice.
            self._outbox.unsure.add(message.key)
            self._display.hold(key, error.message)
