"""What can be done with approvals, as an interface with its routes."""

from typing import Protocol

from skill_agent.events import Choice
from skill_agent.route import route
from skill_agent.values import WaitingApproval


class ApprovalOperations(Protocol):
    """Questions that wait for a person, and what was allowed with "always"."""

    @route("GET", "/v1/approvals", scope="chat", id="approvals")
    async def waiting(self) -> list[WaitingApproval]:
        """Questions that wait for a decision, the oldest first. A key sees what its own turns ask,
        with the scope `admin` all."""
        ...

    @route("POST", "/v1/approvals/{approval}", scope="chat", id="answer")
    async def answer(
        self, approval: str, choice: Choice, *, words: str = "", by: str = "person"
    ) -> bool:
        """Settles an approval; false if it is not waiting. With "deny", `words` say what is to be
        done instead, and the model reads them. A key may answer only what its own turns ask, and
        choose "always" only with the scope `admin`."""
        ...

    def asker(self, approval: str) -> str | None:
        """The id of the API key whose turn asks; None for the person's own. In the process of the
        host only."""
        ...

    @route("GET", "/v1/rules", scope="read", id="rules")
    async def rules(self) -> list[str]:
        """Tool calls allowed with "always"."""
        ...

    @route("DELETE", "/v1/rules", scope="admin", id="revoke_rule")
    async def revoke(self, rule: str) -> None:
        """Takes such a permission back."""
        ...
