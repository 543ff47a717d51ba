"""A server is there when it is needed, and gone when it is not: started, warm, broken, ended."""

import asyncio
import os
import signal
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from server_pool import HOSTILE, QUICK, hostile, nothing, pooled, runs, told, until

from skill_agent.errors import NotFound, ToolFailed
from skill_agent.mcp_client.calls import Result
from skill_agent.mcp_client.pool import Pool


async def work(pool: Pool, name: str = "x", **arguments: Any) -> Result:
    return await pool.call(name, "work", arguments, progress=nothing)


async def test_it_is_started_once_for_all_that_want_it_and_ended(tmp_path: Path) -> None:
    file = tmp_path / "told"
    async with pooled(tmp_path, {"x": hostile("fine", file)}) as pool:
        assert pool.keeper("x").standing.state == "stopped" and not file.exists()
        results = await asyncio.gather(*(work(pool, text=str(n)) for n in range(5)))
        assert [one.text for one in results] == [f"worked: {{'text': '{n}'}}" for n in range(5)]
        (pid,) = told(file, "pid")
        assert told(file, "cwd") == [str(pool.keeper("x")._around.folder / "x")]  # pyright: ignore[reportPrivateUsage]
        standing = pool.keeper("x").standing
        assert (standing.state, standing.protocol) == ("running", "2025-11-25")
    assert not runs(pid) and told(file, "eof") == [True]
    with pytest.raises(ToolFailed, match="is being closed"):
        await work(pool)


@pytest.mark.parametrize("mode", ["stubborn", "with-child"])
async def test_what_ignores_its_end_is_killed_with_all_it_started(
    tmp_path: Path, mode: str
) -> None:
    file, limits = tmp_path / "told", replace(QUICK, exit_s=0.2)
    async with pooled(tmp_path, {"x": hostile(mode, file)}, limits=limits) as pool:
        await work(pool)
        await until(lambda: mode == "stubborn" or bool(told(file, "child")))
    pids = told(file, "pid") + told(file, "child")
    assert len(pids) == (1 if mode == "stubborn" else 2)
    await until(lambda: not any(runs(pid) for pid in pids))


HOST = """
import asyncio, sys
from pathlib import Path
from server_pool import hostile, nothing, pooled
async def main():
    async with pooled(Path(sys.argv[1]), {"x": hostile(sys.argv[2], Path(sys.argv[3]))}) as pool:
        await pool.call("x", "work", {}, progress=nothing)
        print("ready", flush=True)
        await asyncio.sleep(3600)
asyncio.run(main())
"""


@pytest.mark.deep
@pytest.mark.parametrize("mode", ["stubborn", "with-child"])
async def test_a_host_that_is_killed_leaves_no_server_behind(tmp_path: Path, mode: str) -> None:
    file = tmp_path / "told"
    here = os.pathsep.join((str(HOSTILE.parent), str(HOSTILE.parents[2])))
    host = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", HOST, str(tmp_path), mode, str(file)),
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": here},
    )
    assert host.stdout is not None and await host.stdout.readline() == b"ready\n"
    await until(lambda: mode == "stubborn" or bool(told(file, "child")))
    pids = told(file, "pid") + told(file, "child")
    assert all(runs(pid) for pid in pids)
    host.send_signal(signal.SIGKILL)
    await host.wait()
    await until(lambda: not any(runs(pid) for pid in pids))


async def test_it_is_started_again_after_a_crash(tmp_path: Path) -> None:
    file = tmp_path / "told"
    async with pooled(tmp_path, {"x": hostile("dies-at-times", file)}) as pool:
        with pytest.raises(ToolFailed, match="exit code 3") as caught:
            await work(pool)
        assert "ska mcp logs x" in caught.value.hint
        assert pool.keeper("x").standing.state == "failed"
        assert (await work(pool, text="again")).ok
        assert len(told(file, "pid")) == 2 and pool.keeper("x").standing.state == "running"


async def test_one_that_keeps_dying_is_left_alone_until_it_is_tested(tmp_path: Path) -> None:
    file = tmp_path / "told"
    async with pooled(tmp_path, {"x": hostile("exits", file)}) as pool:
        for _ in range(len(QUICK.waits_s) + 1):
            with pytest.raises(ToolFailed, match="exit code 4: cannot start: no licence"):
                await work(pool)
        begun = len(told(file, "pid"))
        with pytest.raises(ToolFailed, match="left alone: it ended with exit code 4") as caught:
            await work(pool)
        assert len(told(file, "pid")) == begun and "ska mcp test x" in caught.value.hint
        with pytest.raises(ToolFailed, match="cannot be used"):
            await pool.keeper("x").test()
        assert len(told(file, "pid")) > begun


async def test_a_wait_that_is_long_is_told(tmp_path: Path) -> None:
    limits = replace(QUICK, waits_s=(600.0, 600.0))
    async with pooled(tmp_path, {"x": hostile("exits")}, limits=limits) as pool:
        with pytest.raises(ToolFailed, match="cannot be used"):
            await work(pool)
        with pytest.raises(ToolFailed, match="started again in 600 s"):
            await work(pool)


@pytest.mark.parametrize("mode", ["start-hangs", "list-hangs"])
async def test_one_that_never_answers_is_given_up(tmp_path: Path, mode: str) -> None:
    async with pooled(tmp_path, {"x": hostile(mode)}, start_timeout_s=1.5) as pool:
        with pytest.raises(ToolFailed, match=r"within 1\.5 s|in time"):
            await pool.tools("x")


async def test_a_call_that_takes_too_long_is_told_and_the_server_kept(tmp_path: Path) -> None:
    file = tmp_path / "told"
    async with pooled(tmp_path, {"x": hostile("call-hangs", file)}, call_timeout_s=0.2) as pool:
        with pytest.raises(ToolFailed, match="in time; it still runs"):
            await work(pool)
        await pool.tools("x")
        methods = [one.get("method") for one in told(file, "read")]
        assert "notifications/cancelled" in methods and "ping" in methods
        assert len(told(file, "pid")) == 1


async def test_one_that_does_not_answer_at_all_any_more_is_ended(tmp_path: Path) -> None:
    file = tmp_path / "told"
    async with pooled(tmp_path, {"x": hostile("deaf", file)}, call_timeout_s=0.2) as pool:
        with pytest.raises(ToolFailed, match="nor does it answer at all"):
            await work(pool)
        assert not any(runs(pid) for pid in told(file, "pid"))
        assert [tool.name for tool in await pool.tools("x")] == ["work"]
        assert len(told(file, "pid")) == 2


async def test_signs_of_progress_give_it_more_time(tmp_path: Path) -> None:
    came: list[tuple[float, float | None, str]] = []
    async with pooled(tmp_path, {"x": hostile("progress")}, call_timeout_s=0.6) as pool:
        result = await pool.call("x", "work", {}, progress=lambda *one: came.append(one))
        assert result.text == "at last" and came
        assert "\x1b" not in came[0][2]


async def test_progress_without_end_ends(tmp_path: Path) -> None:
    limits = replace(QUICK, most_patience=3)
    servers = {"x": hostile("endless-progress")}
    async with pooled(tmp_path, servers, limits=limits, call_timeout_s=0.2) as pool:
        with pytest.raises(ToolFailed, match="in time"):
            await work(pool)


async def test_one_that_nobody_uses_is_ended_and_started_anew(tmp_path: Path) -> None:
    file = tmp_path / "told"
    async with pooled(tmp_path, {"x": hostile("fine", file)}, idle_minutes=0.002) as pool:
        await work(pool)
        await until(lambda: pool.keeper("x").standing.state == "stopped")
        await work(pool)
        assert len(told(file, "pid")) == 2


async def test_one_that_is_to_be_idle_for_no_time_serves_each_call(tmp_path: Path) -> None:
    async with pooled(tmp_path, {"x": hostile("fine")}, idle_minutes=0) as pool:
        assert (await work(pool)).ok
        await until(lambda: pool.keeper("x").standing.state == "stopped")


async def test_cancelling_a_call_tells_the_server(tmp_path: Path) -> None:
    file = tmp_path / "told"
    async with pooled(tmp_path, {"x": hostile("call-hangs", file)}) as pool:
        task = asyncio.create_task(work(pool))
        await until(lambda: any(one.get("method") == "tools/call" for one in told(file, "read")))
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await until(
            lambda: "notifications/cancelled" in [m.get("method") for m in told(file, "read")]
        )
        assert pool.keeper("x").standing.state == "running"


async def test_one_that_ends_on_the_newer_beginning_is_begun_with_as_of_old(tmp_path: Path) -> None:
    async with pooled(tmp_path, {"x": hostile("handshake-only")}) as pool:
        assert (await work(pool)).ok


async def test_config_toml_counts_as_it_is_now(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    config = tmp_path / "home" / "config.toml"
    async with pooled(tmp_path, {"x": hostile("fine", first)}) as pool:
        await work(pool)
        line = f'command = "{sys.executable}"\nargs = ["{HOSTILE}", "fine", "{second}"]\n'
        config.write_text(f"[mcp.servers.y]\n{line}")
        assert pool.names() == ["y"]
        assert (await work(pool, "y")).ok
        await until(lambda: not any(runs(pid) for pid in told(first, "pid")))
        with pytest.raises(NotFound, match="no server 'x'"):
            await work(pool)
        config.write_text("[mcp.servers.y]\ncommand = 3\n")
        assert pool.names() == ["y"] and "config.toml:2" in pool.configured.problem
        assert (await work(pool, "y")).ok and len(told(second, "pid")) == 1
        config.write_text(f"[mcp.servers.y]\nenabled = false\n{line}")
        with pytest.raises(ToolFailed, match="switched off"):
            await work(pool, "y")
        assert not pool.configured.problem and pool.names() == []


async def test_what_cannot_be_started_says_what_to_do(tmp_path: Path) -> None:
    nowhere = {"command": sys.executable, "cwd": str(tmp_path / "nowhere")}
    servers = {"x": {"command": "no-such-program-anywhere"}, "y": nowhere}
    async with pooled(tmp_path, servers) as pool:
        with pytest.raises(ToolFailed, match="there is no program no-such") as caught:
            await work(pool)
        assert "install it" in caught.value.hint
        with pytest.raises(ToolFailed, match="cannot be started in"):
            await work(pool, "y")
