"""What can be done with conversations, and the figures of a home, as interfaces with routes."""

from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from skill_agent.route import route
from skill_agent.values import FoundSession, HomeInfo, Message, Session, UsageBy, UsageTotals

if TYPE_CHECKING:
    from .requesters import OwnConversations

Sessions = list[Session]  # `list` is a method
FoundSessions = list[FoundSession]
Messages = list[Message]
Texts = list[str]


class ConversationOperations(Protocol):
    """Conversations as the ledger has them."""

    @route("GET", "/v1/conversations", scope="read", keyset=("updated_at", "id"), id="sessions")
    async def list(
        self,
        *,
        limit: int = 50,
        before: tuple[datetime, str] | None = None,
        archived: bool = False,
        pinned: bool = False,
    ) -> Sessions:
        """Conversations, the newest activity first; with `archived` those that were put away, with
        `pinned` only such as are."""
        ...

    @route(
        "GET",
        "/v1/find/conversations",
        scope="read",
        limit="search",
        keyset=("updated_at", "id"),
        id="find_sessions",
    )
    async def matching(
        self,
        text: str,
        *,
        limit: int = 50,
        before: tuple[datetime, str] | None = None,
        archived: bool = False,
    ) -> FoundSessions:
        """Conversations whose title and agent hold every word of the text, or in which it was said,
        the newest activity first; with `archived` among those that were put away."""
        ...

    @route("GET", "/v1/find/conversation", scope="read", id="find_session")
    async def find(self, ref: str) -> Session:
        """One conversation by `latest`, id, id prefix or title."""
        ...

    @route(
        "GET",
        "/v1/conversations/{session_id}/messages",
        scope="read",
        keyset=("position",),
        id="messages",
    )
    async def messages(
        self, session_id: str, *, last: int = 0, after: int = -1, limit: int = 0
    ) -> Messages:
        """Its messages in order; `last` > 0 keeps only that many from the end."""
        ...

    @route("PATCH", "/v1/conversations/{ref}", scope="chat", id="rename_session")
    async def rename(self, ref: str, title: str) -> Session:
        """Gives a conversation another title."""
        ...

    @route("POST", "/v1/conversations/{ref}/branch", scope="chat", id="branch_session", once=True)
    async def branch(self, ref: str, *, upto: str = "") -> Session:
        """Begins another conversation with the messages of this one, up to and with the message of
        that id; all of them where it is left out. Copies cost nothing and are not read again."""
        ...

    @route("POST", "/v1/conversations/{ref}/pin", scope="chat", id="pin_session")
    async def pin(self, ref: str, *, pinned: bool = True) -> Session:
        """Keeps it at the head of the list, or no longer."""
        ...

    @route("POST", "/v1/conversations/{ref}/archive", scope="chat", id="archive_session")
    async def archive(self, ref: str, *, archived: bool = True) -> Session:
        """Puts it away, or back on the list; it is recalled as before."""
        ...

    @route("DELETE", "/v1/conversations/{ref}", scope="memory", id="delete_session", once=True)
    async def delete(self, ref: str) -> Session:
        """Off the list and out of recall; the ledger keeps it."""
        ...

    @route("POST", "/v1/conversations/{session_id}/agent", scope="chat", id="set_session_agent")
    async def set_agent(self, session_id: str, agent: str) -> None:
        """Who answers from now on in this conversation."""
        ...

    @route("GET", "/v1/messages", scope="read", limit="search", id="search_messages")
    async def search(self, text: str, *, limit: int = 50) -> Messages:
        """Messages containing the text, ignoring case, the newest first."""
        ...

    @route("POST", "/v1/messages/lookup", scope="read", id="messages_by_id")
    async def messages_by_id(self, ids: Texts) -> dict[str, Message]:
        """Those that exist, by exact id."""
        ...

    def own(self, key: str) -> "OwnConversations":
        """Those an API key has begun, by its id. In the process of the host only."""
        ...


class FigureOperations(Protocol):
    """What a home is, what was used, and how much there is."""

    @route("GET", "/v1/home", scope="read", id="info")
    async def info(self) -> HomeInfo:
        """What this home is and who serves it."""
        ...

    @route("GET", "/v1/usage", scope="read", id="usage")
    async def usage(
        self,
        *,
        by: UsageBy | None = None,
        since: datetime | None = None,
        agent: str | None = None,
        zone: str = "",
    ) -> UsageTotals:
        """Tokens and cost: last turn, today, all; with `by` also what was used since a moment, in
        rows, and what each agent may still spend. Days are those of `zone` (an IANA name or
        `+02:00`), of the host's machine where it is left out; budgets are the host's in any."""
        ...

    @route("GET", "/v1/counts", scope="read", id="counts")
    async def counts(self) -> dict[str, int]:
        """How many sessions, messages, memories and log rows there are."""
        ...

    @route("GET", "/v1/warnings", scope="read", id="warnings")
    async def warnings(self) -> list[str]:
        """What the ledger found odd when it was opened."""
        ...
