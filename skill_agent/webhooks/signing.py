"""How a receiver knows who sent an event, and when: HMAC-SHA256 over `TIMESTAMP.BODY`.

The time is signed with the body, so that a request that was overheard cannot be sent again later.
"""

import hashlib
import hmac
import re
import secrets
from collections.abc import Sequence
from datetime import datetime

from skill_agent.errors import UsageError
from skill_agent.values import Origin, SentEvent

SECRET_BYTES = 32
FEWEST, MOST = 16, 256
"""Characters of a secret that is given."""
_PREFIX = "whsec_"
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,99}")


def new_secret() -> str:
    return _PREFIX + secrets.token_hex(SECRET_BYTES)


def checked_secret(secret: str) -> str:
    """One that was given; raises UsageError for one that is soon found, or cannot be typed."""
    if not (FEWEST <= len(secret) <= MOST and secret.isascii() and secret.isprintable()):
        raise UsageError(
            f"a secret has {FEWEST} to {MOST} printable ASCII characters",
            hint="leave it out and one is made, or: openssl rand -hex 32",
        )
    return secret


def checked_variable(name: str) -> str:
    """The name of a variable of the environment; raises UsageError for what is none."""
    if not _VARIABLE.fullmatch(name):
        raise UsageError(
            f"{name[:100]!a} is no name of a variable", hint="as in --secret-env HOOK_SECRET"
        )
    return name


def signature(secret: str, timestamp: int, body: bytes) -> str:
    """What `X-Webhook-Signature` says."""
    signed = b"%d.%s" % (timestamp, body)
    return "sha256=" + hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()


def headers_of(
    event: SentEvent, event_id: str, body: bytes, *, secret: str, at: datetime,
    origins: Sequence[Origin] = (),
) -> dict[str, str]:  # fmt: skip
    """The headers of one try; `origins` is who wrote text in it, beside person and program."""
    timestamp = int(at.timestamp())
    named = {"X-Webhook-Origins": ", ".join(origins)} if origins else {}
    return {
        "Content-Type": "application/json",
        "X-Webhook-Event": event,
        "X-Webhook-ID": event_id,
        "X-Webhook-Timestamp": str(timestamp),
        "X-Webhook-Signature": signature(secret, timestamp, body),
        **named,
    }
