"""An item of the inbox to a webhook: `webhook:ID`."""

from skill_agent.ports import Sink
from skill_agent.values import InboxItem

from .webhooks import Webhooks


class WebhookSink(Sink):
    """The webhooks of a home as a way out of it."""

    kind = "webhook"

    def __init__(self, webhooks: Webhooks) -> None:
        self._webhooks = webhooks

    def check(self, address: str) -> None:
        self._webhooks.check(address)

    def missing(self, address: str) -> str:
        return self._webhooks.missing(address)

    async def send(self, item: InboxItem, address: str) -> str:
        return await self._webhooks.send_item(item, address)
