"""An item to whatever Apprise reaches: mail, chats, phones.

An Apprise URL holds passwords, so a target has a name in its place: `apprise:NAME` stands for the
URL in the environment variable SKILL_AGENT_APPRISE_NAME, or in the keyring under `skill-agent`,
`apprise:NAME`. The URL is read when something is sent, and told nobody.
"""

import asyncio
import logging
import os
import re
from collections.abc import Callable
from importlib.util import find_spec

from skill_agent.errors import NotDelivered, UsageError
from skill_agent.ports import Sink
from skill_agent.values import InboxItem

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
_SERVICE = "skill-agent"

Secret = Callable[[str], str | None]


class AppriseSink(Sink):
    """`apprise:NAME`"""

    kind = "apprise"

    def __init__(self, secret: Secret | None = None) -> None:
        """`secret` gives the URL of a name; it may block."""
        self._secret = secret or url_of

    def check(self, address: str) -> None:
        if "://" in address:
            raise UsageError(
                "an Apprise URL holds secrets and is not kept here",
                hint=f"give it a name: {variable_of('NAME')} in the environment, or "
                f"`keyring set {_SERVICE} apprise:NAME`; the target is then apprise:NAME",
            )
        if not _NAME.fullmatch(address):
            raise UsageError(
                f"no name of an Apprise URL: {address[:40]!r}",
                hint="apprise:NAME, in small letters, digits, - and _",
            )

    def missing(self, address: str) -> str:
        if find_spec("apprise") is None:
            return "Apprise is not installed"
        if not self._secret(address):
            return f"there is no URL named {address}"
        return ""

    async def send(self, item: InboxItem, address: str) -> str:
        await asyncio.to_thread(self._send, item, address)
        return ""

    def _send(self, item: InboxItem, address: str) -> None:
        if find_spec("apprise") is None:
            raise NotDelivered(
                "Apprise is not installed", hint='pip install "skill-agent[apprise]"', again=False
            )
        url = self._secret(address)
        if not url:
            raise NotDelivered(
                f"there is no URL named {address}",
                hint=f"{variable_of(address)} in the environment of the host, or "
                f"`keyring set {_SERVICE} apprise:{address}`",
                again=False,
            )
        import apprise

        # It writes addresses, and what they answer, into the log.
        logging.getLogger("apprise").setLevel(logging.CRITICAL + 1)
        reached = apprise.Apprise(asset=apprise.AppriseAsset(app_id=_SERVICE, app_desc=_SERVICE))
        if not reached.add(url):
            raise NotDelivered(f"Apprise does not understand the URL of {address}", again=False)
        if not reached.notify(title=item.title, body=item.text or item.title):
            raise NotDelivered(f"{address} did not take it")


def variable_of(name: str) -> str:
    """The environment variable a name stands for."""
    return f"SKILL_AGENT_APPRISE_{name.upper().replace('-', '_')}"


def url_of(name: str) -> str | None:
    """From the environment, else from the keyring."""
    if url := os.environ.get(variable_of(name)):
        return url
    import keyring
    from keyring.errors import KeyringError

    try:
        return keyring.get_password(_SERVICE, f"apprise:{name}")
    except (KeyringError, RuntimeError, OSError):
        return None
