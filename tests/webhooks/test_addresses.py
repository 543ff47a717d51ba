"""Where a webhook may lead: the rules of the HTTP tool, when it is added and at each try."""

import pytest
from fakes import StepClock
from receiver import Receiver
from webhook_home import Opened, added, looked, told, webhooks

from skill_agent.errors import NotFound, StoreError, UsageError
from skill_agent.files.home import Home
from skill_agent.values import NewWebhook
from skill_agent.webhooks.posting import Posting

BODY, HEADERS = b"{}", {"X-Webhook-Event": "message.created"}


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("http://example.org/hook", "unencrypted"),
        ("http://127.0.0.1/", "unencrypted"),
        ("https://127.0.0.1/", "private network"),
        ("https://[::1]/", "private network"),
        ("https://[::ffff:10.0.0.1]/", "private network"),
        ("https://169.254.169.254/latest", "private network"),
        ("https://localhost:8443/", "private network"),
        ("https://0x7f.1/", "private network"),
        ("ftp://example.org/", "not an http"),
        ("https://me:word@example.org/", "user name or password"),
        ("nonsense", "not an http"),
    ],
)
async def test_what_nothing_is_sent_to(clock: StepClock, url: str, told: str) -> None:
    posting = Posting((), clock)
    with pytest.raises(UsageError, match=told):
        await posting.check(url)
    answer = await posting.post(url, BODY, HEADERS)
    assert not answer.taken and answer.status is None


async def test_a_name_that_leads_into_the_private_net_is_found_out_at_each_try(
    clock: StepClock, receiver: Receiver
) -> None:
    """Whatever it led to when it was added: the address that is connected to is the checked one."""
    port = receiver.url.rsplit(":", 1)[1]
    answer = await Posting((), clock).post(f"https://localhost:{port}", BODY, HEADERS)
    assert "private network" in answer.error
    assert receiver.got == []


async def test_no_proxy_of_the_environment_is_asked(
    clock: StepClock, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    answer = await Posting(("127.0.0.1",), clock).post(receiver.url, BODY, HEADERS)
    assert answer.taken and receiver.events == ["message.created"]


async def test_a_host_that_is_allowed_no_more_gets_nothing(
    opened: Opened, receiver: Receiver, clock: StepClock
) -> None:
    async with opened() as runtime:
        hook = await added(runtime, receiver.url, "memory.created")
        await runtime.memory.add("A fact")
        await looked(webhooks(runtime, clock, posting=Posting((), clock)))
        (line,) = await runtime.webhooks.log(hook.id)
        assert "unencrypted" in line.error and receiver.got == []


async def test_a_certificate_that_nobody_vouches_for(clock: StepClock, receiver: Receiver) -> None:
    """What answers there speaks no TLS at all; that is told in words of ours, too."""
    url = receiver.url.replace("http:", "https:")
    answer = await Posting(("127.0.0.1",), clock).post(url, BODY, HEADERS)
    assert answer.error == "no connection could be made" and receiver.got == []


# -- adding --------------------------------------------------------------------------------------


async def test_what_cannot_be_added(
    opened: Opened, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHORT_SECRET", "short")
    url = receiver.url
    async with opened() as runtime:
        hook = await added(runtime, url)
        for new, told_so in (
            (NewWebhook(url=url), f"{hook.id} goes to this address already"),
            (NewWebhook(url=f"{url}/2", events=()), "no event"),
            (NewWebhook(url=f"{url}/2", events=("job.done",)), "job.done"),  # type: ignore[arg-type]
            (NewWebhook(url=f"{url}/2", secret="short"), "16 to 256"),
            (NewWebhook(url=f"{url}/2", secret="ümlaut" * 9), "ASCII"),
            (NewWebhook(url=f"{url}/2", secret="x" * 20, secret_env="HOOK"), "not both"),
            (NewWebhook(url=f"{url}/2", secret_env="NO_SUCH_SECRET"), "NO_SUCH_SECRET is not set"),
            (NewWebhook(url=f"{url}/2", secret_env="SHORT_SECRET"), "16 to 256"),
            (NewWebhook(url=f"{url}/2", secret_env="A=B"), "no name of a variable"),
        ):
            with pytest.raises(UsageError, match=told_so):
                await runtime.webhooks.add(new)
        assert [one.id for one in await runtime.webhooks.list()] == [hook.id]
        assert (await runtime.webhooks.remove(hook.id)).id == hook.id
        for ask in (runtime.webhooks.test, runtime.webhooks.log, runtime.webhooks.remove):
            with pytest.raises(NotFound):
                await ask(hook.id)


async def test_a_secret_of_the_environment_is_kept_nowhere(
    opened: Opened, receiver: Receiver, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = "a secret of the environment"
    monkeypatch.setenv("HOOK_SECRET", secret)
    async with opened() as runtime:
        hook = await added(runtime, receiver.url, "memory.created", secret_env="HOOK_SECRET")
        assert (hook.secret, hook.secret_env) == ("", "HOOK_SECRET")
        await runtime.memory.add("A fact")
        await told(runtime)
        assert receiver.got[0].is_signed(secret)
    for path in home.root.rglob("*"):
        assert not path.is_file() or secret.encode() not in path.read_bytes()
    monkeypatch.delenv("HOOK_SECRET")
    async with opened() as runtime:
        await runtime.memory.add("Another fact")
        await told(runtime)
        (known,) = await runtime.webhooks.list()
        assert (known.state, known.problem) == ("paused", "its secret is not there")
        assert len(receiver.got) == 1
        (note,) = await runtime.ledger.log(kinds=("inbox.item",))
        assert note.new and "its secret is not there" in note.new["text"]


@pytest.mark.parametrize(
    "text",
    [
        "", "{", "[]", "null", '{"version": 2}', '{"version": 1, "webhooks": {}}',
        '{"version": 1, "webhooks": [{}]}', '{"version": 1, "webhooks": [1]}',
    ],
)  # fmt: skip
async def test_a_damaged_file_is_told_and_stands_in_nobodys_way(
    opened: Opened, home: Home, text: str
) -> None:
    async with opened():
        home.webhooks.write_text(text, encoding="utf-8")
    async with opened() as runtime:
        with pytest.raises(StoreError, match=r"webhooks\.json cannot be used"):
            await runtime.webhooks.list()
        await runtime.memory.add("A fact")
