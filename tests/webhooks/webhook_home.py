"""What tests of webhooks do with a home: add one, say something, have it told."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

from fakes import StepClock

from skill_agent.host.runtime import Runtime
from skill_agent.values import JobRun, NewWebhook, Webhook
from skill_agent.webhooks.webhooks import Webhooks

Opened = Callable[..., AbstractAsyncContextManager[Runtime]]


def hooks_of(runtime: Runtime) -> Webhooks:
    found = runtime.webhooks
    assert isinstance(found, Webhooks)
    return found


def webhooks(runtime: Runtime, clock: StepClock, **parts: Any) -> Webhooks:
    """The home's webhooks once more, with parts of the test's own."""
    return Webhooks(
        **{
            "home": runtime.home,
            "settings": runtime.settings,
            "ledger": runtime.ledger,
            "clock": clock,
            "directory": runtime.directory,
            "delivers": runtime._automation.delivers,
            "publish": runtime._bus.publish,
            "find_run": no_run,
            **parts,
        }
    )


async def no_run(_: str) -> JobRun | None:
    return None


async def looked(hooks: Webhooks) -> None:
    """What there is to tell is told by these."""
    await hooks.look()
    await hooks.settle()


async def told(runtime: Runtime) -> None:
    """What there is to tell is told, as far as it is taken."""
    await looked(hooks_of(runtime))


async def added(runtime: Runtime, url: str, *events: Any, **more: Any) -> Webhook:
    wanted = {"events": events} if events else {}
    return await runtime.webhooks.add(NewWebhook(url=url, **wanted, **more))


async def said(runtime: Runtime, text: str, session: str | None = None, **wishes: Any) -> str:
    """A turn; gives its conversation."""
    async for event in runtime.ask(text, session=session, **wishes):
        session = event.session
    assert session
    return session
