"""Cancelled at every step that a task takes, and in trees of any shape: nothing is left behind."""

import asyncio
import contextlib
from collections.abc import Coroutine, Generator, Iterator
from typing import Any

import pytest
from fakes import HashEmbedder, OpenRuntime, StepClock
from giving import engine, no_task_left, task
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from in_process import open_in_process

from skill_agent.errors import SkillAgentError
from skill_agent.host.runtime import Runtime
from skill_agent.identifiers import new_id
from skill_agent.models.scripted import Gate, ScriptedGateway, ScriptedModel
from skill_agent.values import AgentTask, Allowance

MOST_STEPS = 200


class Counted(Coroutine[Any, Any, Any]):
    """A coroutine that says so when it takes its nth step."""

    def __init__(self, inner: Coroutine[Any, Any, Any], steps: "Steps") -> None:
        self._inner, self._steps = inner, steps

    def send(self, value: Any) -> Any:
        self._steps.taken()
        return self._inner.send(value)

    def throw(self, *error: Any) -> Any:
        return self._inner.throw(*error)

    def close(self) -> None:
        self._inner.close()

    def __await__(self) -> Generator[Any, Any, Any]:
        raise NotImplementedError


class Steps:
    """Counts the steps of tasks of one name, and cancels somebody at one of them."""

    def __init__(self, name: str, at: int) -> None:
        self.name, self.at, self.count = name, at, 0
        self.victim: asyncio.Task[Any] | None = None

    def taken(self) -> None:
        current = asyncio.current_task()  # not every version tells a factory the name
        if current is None or not current.get_name().startswith(self.name):
            return
        self.count += 1
        if self.count == self.at and self.victim is not None:
            self.victim.cancel()

    @contextlib.contextmanager
    def counting(self) -> Iterator[None]:
        loop = asyncio.get_running_loop()

        def made(loop: Any, work: Any, *, name: str | None = None, **more: Any) -> Any:
            return asyncio.Task(Counted(work, self), loop=loop, name=name, **more)

        before = loop.get_task_factory()
        loop.set_task_factory(made)
        try:
            yield
        finally:
            loop.set_task_factory(before)


@pytest.mark.deep
@pytest.mark.parametrize("whose", ["caller", "task", "turn"])
async def test_cancelled_at_every_step(open_runtime: OpenRuntime, whose: str) -> None:
    """Whoever waits for a task is cancelled as the caller, the task or its turn takes a step."""
    async with open_runtime(ScriptedModel(otherwise="Done at last.")) as runtime:
        tasks = engine(runtime)
        for at in range(1, MOST_STEPS):
            key, steps = new_id(), Steps(whose, at)
            with steps.counting():
                steps.victim = asyncio.create_task(
                    tasks.run(task(f"Number {at}", key=key)), name="caller"
                )
                (done,) = await asyncio.gather(steps.victim, return_exceptions=True)
            with no_task_left():
                pass
            assert not tasks._work.jobs and not tasks._work.by_turn
            assert tasks._work.line.running("luke") == 0
            found = await tasks._work.records.get(key)
            assert found is None or found.ended
            if isinstance(done, AgentTask):
                assert found == done and done.status == "completed"
            if steps.count < at:
                break
        else:
            raise AssertionError("it takes more steps than were tried")
        assert at > 2


TREES = st.recursive(
    st.just(()), lambda inner: st.lists(inner, min_size=1, max_size=3).map(tuple), max_leaves=5
)
FATES = st.sampled_from(["done", "done", "fails", "waits", "writes on"])
AGENTS = ("luke", "ada", "max")


@pytest.mark.deep
@settings(
    deadline=None, max_examples=6, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(tree=TREES, data=st.data())
def test_in_a_tree_of_any_shape(
    tree: tuple[Any, ...], data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("tree")
    asyncio.run(_grown(folder / "home", tree, data))


async def _grown(home: Any, tree: tuple[Any, ...], data: st.DataObject) -> None:
    never = asyncio.Event()
    replies: dict[str, Any] = {
        "done": ["Done."],
        "fails": [SkillAgentError("odd")],
        "waits": ["Well ", Gate(never), "done."],
        "writes on": ["word " * 20] * 200,
    }
    model = ScriptedModel(otherwise=lambda _: replies[data.draw(FATES)])
    gateway = ScriptedGateway(model)
    parts: dict[str, Any] = {"embedder": HashEmbedder(), "clock": StepClock(), "gateway": gateway}
    async with open_in_process(home, create=True, **parts) as runtime:
        caps: dict[str, int] = {}
        whole = asyncio.create_task(_branch(runtime, tree, None, 0, data, caps))
        await asyncio.sleep(data.draw(st.sampled_from([0.0, 0.05, 0.3])))
        loop = asyncio.get_running_loop()
        began = loop.time()
        with no_task_left():
            whole.cancel()
            await asyncio.gather(whole, return_exceptions=True)
        assert loop.time() - began < 5.0, "a second, on a machine that does nothing else"
        asked = len(model.requests)
        for one in await runtime.tasks.list(limit=100):
            assert one.ended, one
            cap = caps[one.id]
            assert one.tokens_used <= cap + 150, "no more than what one call wrote beyond"
        await asyncio.sleep(0.02)
        assert len(model.requests) == asked
        assert not engine(runtime)._work.jobs


async def _branch(
    runtime: Runtime, shape: tuple[Any, ...], above: str | None, depth: int,
    data: st.DataObject, caps: dict[str, int],
) -> None:  # fmt: skip
    """A task, and beside it those it gives to others."""
    tasks, key = engine(runtime), new_id()
    caps[key] = cap = data.draw(st.integers(20, 200))
    agent = AGENTS[depth % len(AGENTS)]
    with contextlib.suppress(SkillAgentError):
        new = task(
            f"At depth {depth}", to=agent, key=key, parent_task=above,
            created_by=AGENTS[depth - 1] if above else "person",
            allowance=Allowance(max_tokens=cap, timeout_s=data.draw(st.sampled_from([0.2, 30.0]))),
        )  # fmt: skip
        work = asyncio.create_task(tasks.run(new))
        try:
            while not work.done() and await tasks._work.records.get(key) is None:  # noqa: ASYNC110
                await asyncio.sleep(0.002)
            parts = [_branch(runtime, one, key, depth + 1, data, caps) for one in shape]
            await asyncio.gather(work, *parts)
        finally:
            work.cancel()
            await asyncio.wait([work])
