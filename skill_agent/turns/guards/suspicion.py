"""Texts of others that speak to the model, as a turn comes to read them: told and written down,
never refused."""

import asyncio
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from skill_agent.conversations.client_context import pasted_in
from skill_agent.text.flags import flags_of
from skill_agent.text.origins import in_words
from skill_agent.turns.known import Recollection
from skill_agent.values import Message, Origin

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class Suspicion:
    """Of one turn."""

    line: str = ""
    """What the first such text does; it stands beside whatever a person is asked afterwards."""

    async def reading(self, text: str, origins: Sequence[Origin]) -> str:
        """What the person is to be told of a text of others that is read; once a turn."""
        if not origins:
            return ""
        flags = await asyncio.to_thread(flags_of, text)
        if not flags.told:
            return ""
        line = f"text from {in_words(origins)} {flags.says}"
        names = ", ".join(flags.flagged_patterns)
        _log.warning("%s (risk %.2f: %s)", line, flags.risk_score, names)
        first, self.line = not self.line, self.line or line
        return f"{line}; it is read as data" if first else ""


def of_others(
    message: Message, recollection: Recollection | None
) -> Iterator[tuple[str, tuple[Origin, ...]]]:
    """The texts a turn begins with that others wrote, and who; typed words are none."""
    if pasted := pasted_in(message):
        yield pasted, ("paste",)
    if sent := message.client_context:
        for text in filter(None, (sent.instructions, sent.earlier)):
            yield text, ("client",)
        for one in sent.attachments:
            yield one.text, (one.origin,)
    if recollection is not None:
        for text in recollection.others:
            yield text, recollection.origins
