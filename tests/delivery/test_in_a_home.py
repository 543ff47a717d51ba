"""The inbox in an open home: erased with what it came from, taken along, taken up after a kill."""

import asyncio
import json
import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest
from fakes import OpenRuntime
from told_home import Recording, told_home, until

from skill_agent.access.confined import Confined
from skill_agent.errors import NotFound
from skill_agent.files.home import Home
from skill_agent.host.runtime import Runtime
from skill_agent.models.scripted import ScriptedModel
from skill_agent.values import Dispatch, InboxItem, Purge, Requester

SAID = "Roland keeps seven herons"
DAILY = Dispatch(title=f"About {SAID}", text=f"He said: {SAID}", sort="summary", agent="kyra")


async def tell(runtime: Runtime, dispatch: Dispatch = DAILY) -> InboxItem:
    """Returns once every way of it has ended."""
    item = await runtime._automation.delivers.deliver(dispatch)
    async with asyncio.timeout(60):
        while (await runtime.inbox.standing()).waiting:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    return await runtime.inbox.get(item.id)


def files(home: Home) -> list[Path]:
    return sorted(home.inbox.glob("*.md")) if home.inbox.exists() else []


async def test_with_its_conversation_an_item_goes_and_its_ways(open_runtime: OpenRuntime) -> None:
    async with open_runtime(ScriptedModel(otherwise="Yes.")) as runtime:
        async for _ in runtime.ask("Who keeps birds?"):
            pass
        session = (await runtime.conversations.find("latest")).id
        about = replace(DAILY, session=session, targets=("telegram:1",))
        item = await runtime._automation.delivers.deliver(about)
        await runtime.inbox.read(item.id)
        plain = replace(DAILY, text="nothing", title="Another")
        other = await runtime._automation.delivers.deliver(plain)
        await runtime.ledger.purge(Purge(sessions=(session,), actor="person"))
        assert [one.id for one in await runtime.inbox.list()] == [other.id]
        standing = await runtime.inbox.standing()
        assert (standing.unread, standing.waiting) == (1, 0)
        assert SAID not in str(await runtime.ledger.log(limit=1_000))
        bot = Recording("telegram")
        runtime._automation.add_sink(bot)
        await asyncio.sleep(0)
        assert bot.tries == []


async def test_with_a_memory_goes_what_repeats_it(open_runtime: OpenRuntime, home: Home) -> None:
    async with open_runtime(ScriptedModel(otherwise="Yes.")) as runtime:
        kept = await runtime.memory.add(SAID)
        item = await tell(runtime, replace(DAILY, targets=("file",)))
        other = await tell(runtime, replace(DAILY, title="Another", text="x", targets=("file",)))
        assert len(files(home)) == 2
        await runtime.inbox.read(item.id)
        await runtime.inbox.read(item.id, read=False)
        plan = await runtime.eraser.plan([kept.id])
        await runtime.eraser.erase([kept.id], expected=plan.digest)
        assert [one.id for one in await runtime.inbox.list()] == [other.id]
        assert (await runtime.inbox.standing()).unread == 1
        (left,) = files(home)
        assert SAID not in left.read_text()


async def test_the_person_takes_it_along_and_erases_it_all(
    open_runtime: OpenRuntime, home: Home, tmp_path: Path
) -> None:
    async with open_runtime(ScriptedModel(otherwise="Yes.")) as runtime:
        await tell(runtime, replace(DAILY, targets=("file",), origins=("web",)))
        await runtime.user_data.export(str(tmp_path / "me.zip"))
        with zipfile.ZipFile(tmp_path / "me.zip") as archive:
            notes = json.loads(archive.read("conversations.json"))["notes"]
        kinds = {one["kind"] for one in notes}
        assert {"inbox.item", "inbox.way"} <= kinds and SAID in json.dumps(notes)
        plan = await runtime.user_data.plan_purge()
        await runtime.user_data.erase(expected=plan.digest)
        assert await runtime.inbox.list() == [] and files(home) == []
        assert (await runtime.inbox.standing()).unread == 0
        assert SAID not in str(await runtime.ledger.log(limit=1_000))


async def test_a_key_without_admin_sees_nothing_private(open_runtime: OpenRuntime) -> None:
    async with open_runtime(ScriptedModel(otherwise="Yes.")) as runtime:
        plain = await tell(runtime, replace(DAILY, title="Plain"))
        secret = await tell(runtime, replace(DAILY, private=True))
        narrow = Confined(runtime, Requester(key="k", name="k", scopes=frozenset({"read"})))
        assert [one.id for one in await narrow.inbox.list(limit=1)] == [plain.id]
        for call in (narrow.inbox.get(secret.id), narrow.inbox.read(secret.id)):
            with pytest.raises(NotFound):
                await call
        assert (await narrow.inbox.read(plain.id)).read_at is not None
        wide = Confined(runtime, Requester(key="k", name="k", scopes=frozenset({"admin"})))
        assert len(await wide.inbox.list()) == 2 and await wide.inbox.get(secret.id)


KILLED = """
import asyncio, os, sys
sys.path[:0] = {paths!r}
from pathlib import Path
from told_home import Recording, told_home
from skill_agent.values import Dispatch

class Deadly(Recording):
    async def send(self, item, address):
        if {moment!r} == "before":
            os._exit(9)
        Path({told!r}).open("a").write(item.title + "\\n")
        os._exit(9)

async def main():
    async with told_home(Path({folder!r}), Deadly("desktop")) as home:
        ways = ("desktop", "telegram")
        await home.delivering.deliver(Dispatch(title="Done", text="x", targets=ways))
        await asyncio.sleep(60)

asyncio.run(main())
"""


async def _killed(folder: Path, moment: str) -> list[str]:
    """What was told after a kill at a moment of the first try, and a new opening."""
    here = Path(__file__).parent
    code = KILLED.format(
        paths=[str(here), str(here.parent)], moment=moment, told=str(folder / "told"),
        folder=str(folder),
    )  # fmt: skip
    done = await asyncio.to_thread(
        subprocess.run, [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    assert done.returncode == 9, done.stderr
    desktop, bot = Recording("desktop"), Recording("telegram")
    async with told_home(folder, desktop, bot) as home:
        await until(lambda: bool(desktop.taken and bot.taken))
        await home.settle()
        assert (desktop.taken, bot.taken) == (["Done"], ["Done"])
        assert (await home.inbox.standing()).waiting == 0
    told = folder / "told"
    return told.read_text().split() if told.exists() else []


async def test_a_kill_before_a_way_was_gone_loses_nothing(tmp_path: Path) -> None:
    assert await _killed(tmp_path, "before") == []


async def test_a_kill_before_it_was_noted_tells_once_more(tmp_path: Path) -> None:
    """The one moment in which a thing may be told twice, where the other side cannot tell."""
    assert await _killed(tmp_path, "after") == ["Done"]
