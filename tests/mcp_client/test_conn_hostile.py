"""A server that means no good gets nothing through, and the others go on."""

import asyncio
import contextlib
import re
import resource
from collections.abc import Awaitable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp.shared.message import SessionMessage
from mcp_types import JSONRPCNotification
from server_pool import QUICK, hostile, nothing, pooled, told

from skill_agent.errors import ToolFailed
from skill_agent.mcp_client.calls import FoundTool, Result
from skill_agent.mcp_client.limits import Limits
from skill_agent.mcp_client.pace import paced
from skill_agent.mcp_client.pool import Pool
from skill_agent.programs.error_log import last_lines

MB = 1 << 20
CONTROLS = [chr(code) for code in (*range(9), *range(14, 32), 127, 0x9B)]


def clean(text: str) -> bool:
    return not any(char in text for char in CONTROLS)


@contextmanager
def no_more_than(most: int) -> Iterator[None]:
    """Fails where this process takes so much more memory at any moment within."""
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
    before = peak()
    yield
    assert peak() - before < most


def peak() -> int:
    """The most memory this process ever took, in bytes."""
    status = Path("/proc/self/status")
    if status.exists():
        found = re.search(r"VmHWM:\s*(\d+) kB", status.read_text())
        assert found
        return int(found[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def kept_in(log: Path) -> int:
    """Bytes of a log, and of the one before it."""
    return sum(one.stat().st_size for one in log.parent.glob(f"{log.name}*"))


async def work(pool: Pool, **arguments: Any) -> Result:
    return await pool.call("bad", "work", arguments, progress=nothing)


async def refused(asked: Awaitable[object]) -> ToolFailed:
    with pytest.raises(ToolFailed) as caught:
        await asked
    assert caught.value.hint and clean(caught.value.message)
    return caught.value


async def others_work(pool: Pool) -> None:
    """The next call, of another server."""
    assert (await pool.call("good", "work", {"text": "hi"}, progress=nothing)).text.startswith(
        "worked: {'text': 'hi'}"
    )


def servers(mode: str, file: Path | None = None) -> dict[str, Any]:
    return {"bad": hostile(mode, file), "good": hostile("fine")}


async def test_a_message_of_fifty_megabytes_is_not_read_into_memory(tmp_path: Path) -> None:
    async with pooled(tmp_path, servers("huge")) as pool:
        await others_work(pool)
        await pool.tools("bad")
        with no_more_than(25 * MB):
            problem = await refused(work(pool))
        assert "52,4" in problem.message and "4,194,304 is the most" in problem.message
        assert [tool.name for tool in await pool.tools("bad")] == ["work"]
        await others_work(pool)


async def test_a_long_text_is_cut_and_says_so(tmp_path: Path) -> None:
    async with pooled(tmp_path, servers("long")) as pool:
        result = await work(pool)
        assert result.cut and len(result.text) < 201_000 and clean(result.text)
        assert result.text.endswith("characters more]")


async def test_what_is_no_text_is_told_by_kind_and_size(tmp_path: Path) -> None:
    async with pooled(tmp_path, servers("kinds")) as pool:
        text = (await work(pool)).text
        assert clean(text) and "[image: image/png" in text and "3,000 bytes, not kept]" in text
        assert "[resource file:///etc/passwd]\nroot:x\n[end of resource]" in text


async def test_a_schema_of_its_own_is_not_run_here(tmp_path: Path) -> None:
    """With a longer text its pattern would take this process for hours."""
    async with pooled(tmp_path, servers("schema")) as pool:
        assert (await pool.tools("bad"))[0].output_schema
        assert (await work(pool)).text == '{"a": "aaaaaaaaaa!"}'


async def test_of_ten_thousand_tools_a_bounded_number_is_kept(tmp_path: Path) -> None:
    async with pooled(tmp_path, servers("many")) as pool:
        assert len(await pool.tools("bad")) == 2_000
        assert "more than 2,000" in pool.keeper("bad").standing.problem
        await others_work(pool)


async def test_pages_without_end_come_to_one(tmp_path: Path) -> None:
    limits = replace(QUICK, pages=5)
    async with pooled(tmp_path, servers("pages"), limits=limits) as pool:
        assert [tool.name for tool in await pool.tools("bad")] == [f"tool_{n}" for n in range(5)]
        assert pool.keeper("bad").standing.problem


async def test_names_that_cannot_be_shown_are_told_and_not_offered(tmp_path: Path) -> None:
    async with pooled(tmp_path, servers("names")) as pool:
        found = await pool.tools("bad")
        assert all(clean(tool.name) and len(tool.name) <= 128 for tool in found)
        offered = [tool.name for tool in found if not tool.problem]
        assert offered == ["a/../../etc/passwd", "twin", "work"]
        problems = {tool.problem for tool in found}
        assert "its name has 2,000 characters; 128 is the most" in problems
        assert {"it has no name", "its name is there twice"} <= problems
        assert sum("cannot be seen" in tool.problem for tool in found) == 3


async def test_descriptions_are_cut_and_cleaned_and_schemas_bounded(tmp_path: Path) -> None:
    async with pooled(tmp_path, servers("injection")) as pool:
        found: dict[str, FoundTool] = {tool.name: tool for tool in await pool.tools("bad")}
        said = found["work"]
        assert clean(said.description) and clean(said.title) and len(said.description) < 4_100
        assert "‹U+202E›" in said.description and not said.problem
        assert "nested too deep" in found["deep"].problem
        assert "another document" in found["away"].problem
        assert "200,0" in found["wide"].problem and found["wide"].parameters == {"type": "object"}


async def test_a_changed_description_has_another_digest_and_is_told(tmp_path: Path) -> None:
    async with pooled(tmp_path, servers("changes")) as pool:
        changed: list[str] = []
        stop = pool.on_changed(changed.append)
        (before,) = await pool.tools("bad")
        assert await pool.tools("bad") == [before] and not changed
        await work(pool)
        (after,) = await pool.tools("bad")
        assert changed == ["bad"] and before.digest != after.digest
        assert after.description == "Now it deletes."
        stop()


async def test_a_thousand_notices_of_change_are_told_once(tmp_path: Path) -> None:
    limits = replace(QUICK, messages_a_second=5_000)
    async with pooled(tmp_path, servers("changes-much"), limits=limits) as pool:
        changed: list[str] = []
        pool.on_changed(changed.append)
        await pool.tools("bad")
        await work(pool)
        assert changed == ["bad"]


@pytest.mark.parametrize("mode", ["garbage", "wrong-ids", "twice"])
async def test_nonsense_on_the_wire_is_passed_over(tmp_path: Path, mode: str) -> None:
    async with pooled(tmp_path, servers(mode)) as pool:
        for _ in range(2):
            assert (await work(pool)).text == {"wrong-ids": "right", "twice": "first"}.get(
                mode, "worked"
            )
        await others_work(pool)


async def test_nonsense_without_end_does_not_fill_the_disk(tmp_path: Path) -> None:
    async with pooled(tmp_path, servers("garbage-flood")) as pool:
        assert (await work(pool)).text == "worked"
        assert kept_in(pool.keeper("bad").log.file) < 250_000


async def test_a_listing_that_is_none_is_told(tmp_path: Path) -> None:
    async with pooled(tmp_path, servers("list-broken")) as pool:
        assert "cannot be used" in (await refused(pool.tools("bad"))).message
        await others_work(pool)


async def test_two_hundred_megabytes_of_errors_neither_block_it_nor_fill_the_disk(
    tmp_path: Path,
) -> None:
    async with pooled(tmp_path, servers("floods")) as pool:
        await others_work(pool)
        with no_more_than(25 * MB):
            assert (await work(pool, text="x")).text == "worked: {'text': 'x'}"
        log = pool.keeper("bad").log.file
        await pool.end()
        assert kept_in(log) < 200_000 and log.stat().st_mode & 0o777 == 0o600
        assert "bytes more were dropped" in last_lines(log, 1)[0]


async def test_notices_without_end_leave_the_others_alone(tmp_path: Path) -> None:
    async with pooled(tmp_path, servers("endless-notices"), call_timeout_s=0.5) as pool:
        await others_work(pool)
        await pool.tools("bad")
        with no_more_than(25 * MB):
            await refused(work(pool))
            await others_work(pool)


async def test_more_than_so_many_notices_a_second_wait() -> None:
    sends, reads = anyio.create_memory_object_stream[SessionMessage | Exception](100)
    loop, ended = asyncio.get_running_loop(), asyncio.Event()
    notice = JSONRPCNotification(jsonrpc="2.0", method="notifications/message")
    for _ in range(25):
        sends.send_nowait(SessionMessage(notice))
    sends.close()
    begun = loop.time()
    async with reads, paced(reads, replace(QUICK, messages_a_second=20), ended) as passed:
        assert len([one async for one in passed]) == 25
    assert loop.time() - begun > 0.9 and ended.is_set()


async def test_what_it_asks_of_us_is_refused(tmp_path: Path) -> None:
    for mode, said in (("samples", "ampling"), ("roots", "oots"), ("reads", "ethod not found")):
        file = tmp_path / mode
        async with pooled(tmp_path, servers(mode, file)) as pool:
            assert said in (await work(pool)).text
        (begun,) = [one for one in told(file, "read") if one.get("method") == "initialize"]
        assert begun["params"]["capabilities"] == {}


async def test_a_question_goes_to_the_person_cleaned(tmp_path: Path) -> None:
    asked: list[Any] = []

    async def elicits(server: str, message: str, schema: dict[str, Any]) -> dict[str, Any] | None:
        asked.append((server, message, schema["properties"]))
        return {"name": "Ada"} if len(asked) == 1 else None

    async with pooled(tmp_path, servers("elicits"), elicits=elicits) as pool:
        accepted = (await work(pool)).text
        assert '"action": "accept"' in accepted and '"name": "Ada"' in accepted
        assert '"action": "decline"' in (await work(pool)).text
    server, message, properties = asked[0]
    assert (server, properties) == ("bad", {"name": {"type": "string"}})
    assert clean(message) and message.endswith("Who?")


async def test_it_may_not_ask_on_and_on(tmp_path: Path) -> None:
    asked: list[str] = []

    async def elicits(server: str, message: str, schema: dict[str, Any]) -> dict[str, Any] | None:
        asked.append(message)
        return {"text": "yes"}

    async with pooled(tmp_path, servers("asks-on"), elicits=elicits) as pool:
        assert (await work(pool)).text == "decline"
    assert len(asked) == 10


async def test_an_address_to_open_is_declined_unseen(tmp_path: Path) -> None:
    async def elicits(server: str, message: str, schema: dict[str, Any]) -> dict[str, Any] | None:
        raise AssertionError(message)

    async with pooled(tmp_path, servers("opens"), elicits=elicits) as pool:
        assert '"action": "decline"' in (await work(pool)).text
        assert any("declined" in line for line in pool.keeper("bad").log.last)


async def test_it_gets_little_of_the_environment(tmp_path: Path) -> None:
    env = {"PATH": "/usr/bin", "LC_ALL": "C", "OPENAI_API_KEY": "sk-not-yours", "MINE": "yes"}
    given = {"bad": hostile("env", env=["MINE", "NOT_SET"])}
    async with pooled(tmp_path, given, env=env) as pool:
        text = (await work(pool)).text
        assert '"MINE": "yes"' in text and '"LC_ALL": "C"' in text
        assert "sk-not-yours" not in text and "OPENAI" not in text and "SKILL_AGENT" not in text


async def test_a_value_it_was_given_is_not_in_its_log(tmp_path: Path) -> None:
    env = {"PATH": "/usr/bin", "WORD": "out of memory"}
    async with pooled(tmp_path, {"bad": hostile("dies", env=["WORD"])}, env=env) as pool:
        problem = await refused(work(pool))
        assert "exit code 3" in problem.message and "[redacted]" in problem.message
        log = pool.keeper("bad").log.file.read_text()
        assert "hunter2secret" not in log and "out of memory" not in log and clean(log.strip())


def test_the_limits_are_those_that_are_documented() -> None:
    limits = Limits()
    assert (limits.message_bytes, limits.tools, limits.text_chars) == (4 << 20, 2_000, 200_000)
