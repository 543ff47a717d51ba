"""How a person who did not just ask is told something, or asked."""

from typing import Protocol

from skill_agent.values import Answer, Dispatch, InboxItem, NewQuestion


class Delivers(Protocol):
    """Brings things to a person; what becomes of it is no matter of whoever hands it in."""

    async def deliver(self, dispatch: Dispatch) -> InboxItem:
        """It is durable when this returns; the ways out are tried afterwards, each by itself.
        Raises UsageError for a target there is none of."""
        ...

    def check(self, target: str) -> None:
        """Raises UsageError for a target there is none of, with what is known."""
        ...


class Sink(Protocol):
    """One way out of the home."""

    kind: str
    """What its targets begin with: `file`, `desktop`, `telegram` …"""

    def check(self, address: str) -> None:
        """Raises UsageError for an address that cannot be meant."""
        ...

    def missing(self, address: str) -> str:
        """What keeps it from working here and now; empty where nothing is known to. May block."""
        ...

    async def send(self, item: InboxItem, address: str) -> str:
        """Brings it there and gives a receipt; raises NotDelivered, with whether and when another
        try makes sense."""
        ...


class Asks(Protocol):
    """Asks a person and waits."""

    async def ask(self, question: NewQuestion) -> Answer:
        """The answer, or the question's default once its time is over. Cancelled, it goes on
        waiting for whoever asks again with the same key."""
        ...

    async def withdraw(self, key: str) -> None:
        """The question with this key is of no matter any more; whoever waits gets its default."""
        ...
