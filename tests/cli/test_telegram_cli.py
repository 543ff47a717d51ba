"""`ska telegram`: codes, chats, the token, and how the bot fares."""

import asyncio
import os
import sys
from collections.abc import Iterator

import pytest
from bot_api import TOKEN, bot_api
from chatting import ME, configured
from command_line import Ska
from fakes import HashEmbedder
from skill_agent.bots.telegram import token as kept_token
from skill_agent.cli.opening.home import open_home

from skill_agent.files.home import Home
from skill_agent.models.scripted import ScriptedGateway, ScriptedModel


def test_a_code_stands_alone_on_stdout(ska: Ska) -> None:
    done = ska("telegram", "pair")
    assert done.code == 0, done.err
    assert len(done.out.strip()) == 8
    assert done.out.strip() not in done.err
    assert "ska telegram token" in done.err
    assert set(ska("telegram", "pair", "--json").json) == {"id", "expires"}
    assert ska("telegram", "pair").code == 0
    fourth = ska("telegram", "pair")
    assert fourth.code == 2
    assert "wait to be used" in fourth.err


def test_listing_and_mistakes(ska: Ska) -> None:
    assert ska("telegram", "list", "--json").json == []
    assert "ska telegram pair" in ska("telegram", "list").err
    assert ska("telegram", "approve", "4711").code == 2
    assert "no chat '-1001' waits" in ska("telegram", "approve", "-1001").err
    assert ska("telegram", "approve", "--nonsense").code == 2
    assert ska("telegram", "revoke", "4711").code == 1
    assert ska("telegram", "revoke", "4711", "--yes").code == 2


def test_how_it_fares_without_a_bot(ska: Ska) -> None:
    done = ska("telegram", "status", "--json")
    assert done.code == 0
    assert done.json["state"] == "off"
    assert done.json["id"] == "telegram"
    assert ska("status", "--json").json["telegram"] == "off"


@pytest.fixture
def keyring_in_memory() -> Iterator[None]:
    """The system's keyring, as one that forgets."""
    import keyring
    from keyring.backend import KeyringBackend

    class InMemory(KeyringBackend):
        priority = 1.0  # type: ignore[assignment]

        def __init__(self) -> None:
            super().__init__()
            self.held: dict[tuple[str, str], str] = {}

        def get_password(self, service: str, username: str) -> str | None:
            return self.held.get((service, username))

        def set_password(self, service: str, username: str, password: str) -> None:
            self.held[service, username] = password

        def delete_password(self, service: str, username: str) -> None:
            del self.held[service, username]

    before = keyring.get_keyring()
    keyring.set_keyring(InMemory())
    yield
    keyring.set_keyring(before)


@pytest.mark.usefixtures("keyring_in_memory")
def test_the_token_lies_in_the_keyring_and_in_no_file(ska: Ska) -> None:
    assert kept_token.found_token() == ""
    ska("init", "--yes")
    done = ska("telegram", "token", stdin=f"{TOKEN}\n".encode())
    assert done.code == 0, done.err
    assert TOKEN not in done.out + done.err
    assert kept_token.found_token() == TOKEN
    files = [one for one in ska.home.root.rglob("*") if one.is_file()]
    assert not [one for one in files if TOKEN.encode() in one.read_bytes()]
    assert ska("telegram", "token", stdin=b"nonsense\n").code == 2
    assert ska("telegram", "token", "--forget").code == 0
    assert kept_token.found_token() == ""


async def test_a_host_that_stays_begins_the_bot_where_there_is_a_token(home: Home) -> None:
    async with bot_api() as api:
        configured(home, api)
        os.environ["TELEGRAM_BOT_TOKEN"] = TOKEN
        try:
            opener = open_home(
                home.root,
                role="up",
                hosting=True,
                gateway=ScriptedGateway(ScriptedModel(otherwise="From up.")),
                embedder=HashEmbedder(),
            )
            async with opener as station:
                api.writes(ME, "Hello")
                await api.until(lambda: "From up." in api.texts(ME))
                [status] = await station.bridges.status()
                assert (status.state, status.name) == ("working", "@ska_test_bot")
        finally:
            del os.environ["TELEGRAM_BOT_TOKEN"]
        assert (await station.bridges.status())[0].state == "stopped"


async def test_no_token_costs_no_import(home: Home) -> None:
    async with bot_api() as api:
        configured(home, api)
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-c",
            "import asyncio, sys\n"
            "from skill_agent.cli.opening.home import open_home\n"
            "async def main():\n"
            "    async with open_home(role='up', hosting=True):\n"
            "        await asyncio.sleep(1)\n"
            "asyncio.run(main())\n"
            "sys.exit('telegram' in sys.modules)\n",
            env={**os.environ, "SKILL_AGENT_HOME": str(home.root)},
        )
        assert await process.wait() == 0
        assert api.calls == []
