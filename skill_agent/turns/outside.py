"""A turn that an outside program answers, in place of a model."""

from collections.abc import AsyncGenerator
from typing import Protocol

from skill_agent.events import Event

from .hands import Brief, Hands


class RunsOutside(Protocol):
    """Takes turns of agents whose settings say what they run on."""

    def turn(self, brief: Brief, hands: Hands, folder: str) -> AsyncGenerator[Event, None]:
        """The turn's events, the last one `TurnFinished`; `folder` is where this message wants the
        program to work, "" where it says nothing of it. Closing it early stops the program's work
        at once. Raises ModelUnavailable for a program that is not there or not ready, ModelFailed
        where it breaks off, TurnLimit."""
        ...
