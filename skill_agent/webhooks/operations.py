"""What can be done with webhooks, as an interface with its routes."""

from typing import Protocol

from skill_agent.route import route
from skill_agent.values import NewWebhook, Webhook, WebhookDelivery

ListOfWebhooks = list[Webhook]
ListOfDeliveries = list[WebhookDelivery]


class WebhookOperations(Protocol):
    """Addresses that are told what happens."""

    @route("GET", "/v1/webhooks", scope="admin")
    async def list(self) -> ListOfWebhooks: ...

    @route("POST", "/v1/webhooks", scope="admin", status=201, once=True)
    async def add(self, new: NewWebhook) -> Webhook:
        """The answer has the secret, this once."""
        ...

    @route("POST", "/v1/webhooks/{webhook}/test", scope="admin", once=True)
    async def test(self, webhook: str) -> WebhookDelivery:
        """Sends one event now and gives what came of it; one that was failing is active again if it
        was taken."""
        ...

    @route("POST", "/v1/webhooks/{webhook}/resume", scope="admin", once=True)
    async def resume(self, webhook: str) -> Webhook:
        """Lets one that was failing have events again, from where it stopped."""
        ...

    @route("DELETE", "/v1/webhooks/{webhook}", scope="admin", once=True)
    async def remove(self, webhook: str) -> Webhook: ...

    @route("GET", "/v1/webhooks/{webhook}/log", scope="admin")
    async def log(self, webhook: str, *, limit: int = 50) -> ListOfDeliveries:
        """What was sent to it and what came of it, newest first."""
        ...
