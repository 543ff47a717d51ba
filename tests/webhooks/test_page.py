"""`docs/webhooks.md`: what it gives to receivers is run as it stands there."""

import os
import re
import subprocess
import time
from pathlib import Path
from typing import Any

from receiver import Got, Receiver
from webhook_home import Opened, added, told

from skill_agent.values import WEBHOOK_EVENTS

PAGE = Path(__file__).parents[2] / "docs" / "webhooks.md"


def block(language: str) -> str:
    (found,) = re.findall(rf"^```{language}\n(.*?)^```$", PAGE.read_text("utf-8"), re.M | re.S)
    return found


def named(got: Got) -> dict[str, str]:
    """Headers as they are written."""
    written = ("X-Webhook-Timestamp", "X-Webhook-Signature")
    return {name: got.headers[name.lower()] for name in written}


async def test_the_python_of_the_page_knows_what_is_genuine(
    opened: Opened, receiver: Receiver
) -> None:
    known: dict[str, Any] = {}
    exec(compile(block("python"), str(PAGE), "exec"), known)
    is_genuine = known["is_genuine"]
    async with opened() as runtime:
        hook = await added(runtime, receiver.url, "memory.created")
        clock = runtime._clock
        clock.now = clock.now.fromtimestamp(time.time(), clock.now.tzinfo)  # type: ignore[attr-defined]
        await runtime.memory.add("A fact")
        await told(runtime)
    (got,) = receiver.got
    assert is_genuine(hook.secret, named(got), got.body)
    assert not is_genuine(hook.secret, named(got), got.body + b" ")
    assert not is_genuine("another secret of somebody", named(got), got.body)
    old = {**named(got), "X-Webhook-Timestamp": str(int(time.time()) - 3_600)}
    assert not is_genuine(hook.secret, old, got.body)
    later = {**named(got), "X-Webhook-Timestamp": str(int(time.time()) + 60)}
    assert not is_genuine(hook.secret, later, got.body), "the time is signed, too"


def test_the_shell_of_the_page_signs_as_we_do(receiver: Receiver) -> None:
    secret = "whsec_" + "0f" * 32
    around = {**os.environ, "SECRET": secret, "URL": receiver.url, "no_proxy": "127.0.0.1"}
    subprocess.run(["sh", "-eu", "-c", block("sh")], check=True, env=around, timeout=60)
    (got,) = receiver.got
    assert got.is_signed(secret) and got.event == "webhook.test"


def test_the_page_names_every_event() -> None:
    rows = re.findall(r"^\| `([a-z_]+\.[a-z_]+)` \|", PAGE.read_text("utf-8"), re.M)
    assert tuple(rows) == WEBHOOK_EVENTS
