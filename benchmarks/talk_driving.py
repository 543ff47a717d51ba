"""Drives the whole product through labelled turns: a fresh home a case, one load of the models.

What a person said before is told through the product too; the replies to it stand in the case, so
that a turn is not judged by an earlier slip, and cost no model. The day is always the same and
agents answer without chance, so that a run can be repeated.
"""

import asyncio
import os
import re
import shutil
import time
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from in_process import open_in_process
from platformdirs import user_cache_path
from skill_agent.cli.opening.home_files import init_home, read_settings
from skill_agent.store.embedding import OnnxEmbedder
from talk_scoring import MEMORY_KINDS, MEMORY_TOOLS, Answer, Before, Case

from skill_agent.errors import ModelFailed, SkillAgentError
from skill_agent.events import TextDelta, ToolStarted, TurnFailed, TurnFinished, to_json
from skill_agent.files.home import Home, find_home
from skill_agent.host.runtime import Runtime
from skill_agent.models.files.catalogue import EMBEDDER
from skill_agent.models.files.pull import CACHE_VARIABLE
from skill_agent.models.gateway import Gateway
from skill_agent.ports import (
    Embedder,
    EndPart,
    Model,
    ModelGateway,
    ModelPart,
    ModelRequest,
    TextPart,
)
from skill_agent.values import MemoryFilter, ModelInfo, TurnRequest, Usage

LIMIT_S = 120.0
"""A turn that takes longer has failed."""
TODAY = datetime(2026, 11, 30, 9, 0, tzinfo=UTC)
"""A Monday."""
_TEMPERATURE = re.compile(r"(?m)^temperature = .*$")


@dataclass(slots=True)
class Day:
    """The clock of a case: real time, moved to the benchmark's day or before it."""

    back: timedelta = timedelta()
    started: float = field(default_factory=time.monotonic)

    def __call__(self) -> datetime:
        return TODAY - self.back + timedelta(seconds=time.monotonic() - self.started)


class Voice:
    """The real model, but that it says what a case has it say where there is such a thing."""

    def __init__(self, real: Model, shared: "SharedGateway") -> None:
        self._real, self._shared = real, shared

    @property
    def info(self) -> ModelInfo:
        return self._real.info

    async def load(self) -> None:
        await self._real.load()

    async def prefill(self, request: ModelRequest) -> None:
        await self._real.prefill(request)

    async def count_tokens(self, text: str) -> int:
        return await self._real.count_tokens(text)

    async def stream(self, request: ModelRequest) -> AsyncGenerator[ModelPart, None]:
        """Questions with a schema are for the real model always: they are no part of the talk."""
        given = self._shared.given if request.response_schema is None else ""
        if given:
            yield TextPart(text=given)
            yield EndPart(usage=Usage(model=self.info.name))
            return
        self._shared.requests.append(request)
        async with aclosing(self._real.stream(request)) as parts:
            async for part in parts:
                yield part


class SharedGateway:
    """One gateway for the homes of all cases; closing a home leaves its models loaded."""

    def __init__(self, inner: ModelGateway) -> None:
        self._inner = inner
        self.given = ""
        """What the model says next; empty lets it speak for itself."""
        self.requests: list[ModelRequest] = []
        """What the real model was asked in the turn that counts."""

    async def model(self, name: str, *, prefer: str = "") -> Model:
        return Voice(await self._inner.model(name, prefer=prefer), self)

    def check(self, name: str) -> None:
        self._inner.check(name)

    def catalogue(self) -> list[ModelInfo]:
        return self._inner.catalogue()

    async def close(self) -> None:
        """Nothing: the next case has the same models."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """An answer, and how it came about."""

    answer: Answer
    events: tuple[dict[str, Any], ...] = ()
    requests: tuple[ModelRequest, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """Where cases are played: models loaded once, a folder for their homes."""

    folder: Path
    gateway: SharedGateway
    embedder: Embedder
    chosen: dict[str, Any]
    """Settings of every home."""


@asynccontextmanager
async def staged(folder: Path, model: str | None) -> AsyncIterator[Stage]:
    """The models of this person, linked into a home of which all cases have the prompt states."""
    chosen = {"models.default": model} if model else {}
    shared = Home(folder / "shared")
    init_home(shared, chosen)
    source = installed_models()
    for one in source.iterdir():
        target = shared.models / one.name
        if not target.exists() and one.name not in ("kv", ".pull"):
            target.symlink_to(one, target_is_directory=one.is_dir())
    gateway = Gateway(read_settings(shared), shared)
    try:
        await (await gateway.model("default")).load()
        yield Stage(
            folder=folder,
            gateway=SharedGateway(gateway),
            embedder=OnnxEmbedder(shared.models / EMBEDDER),
            chosen=chosen,
        )
    finally:
        await gateway.close()


def installed_models() -> Path:
    """The folder with the embedder: the home's, else the cache that tests take models from.

    Raises SystemExit where it is in neither.
    """
    kept = os.environ.get(CACHE_VARIABLE)
    cache = Path(kept) if kept else user_cache_path("skill-agent") / "models"
    for folder in (find_home().models, cache):
        if (folder / EMBEDDER / "model.onnx").is_file():
            return folder
    raise SystemExit(f"the embedder is not installed: ska models pull {EMBEDDER}")


async def wake(stage: Stage, agent: str) -> float:
    """Has the model read an agent's instructions, as a home does when it is opened; the seconds."""
    async with opened(stage, Home(stage.folder / f"wake-{agent}"), Day()) as runtime:
        begun = time.perf_counter()
        await runtime.turns.prepare(agent)
        return time.perf_counter() - begun


@asynccontextmanager
async def opened(stage: Stage, home: Home, day: Day) -> AsyncIterator[Runtime]:
    """A new home over the stage's models; gone when it is closed."""
    init_home(home, stage.chosen)
    greedy(home)
    parts = {"gateway": stage.gateway, "embedder": stage.embedder, "clock": day}
    try:
        async with open_in_process(home.root, **parts) as runtime:
            yield runtime
    finally:
        stage.gateway.given = ""
        shutil.rmtree(home.root, ignore_errors=True)


async def play(stage: Stage, case: Case) -> Ran:
    """One case from an empty home to its answer; what goes wrong in the turn is in the answer."""
    day = Day()
    async with opened(stage, Home(stage.folder / case.id), day) as runtime:
        stage.gateway.requests.clear()
        try:
            sessions = await told(runtime, stage.gateway, case, day)
            stage.gateway.given = ""
            stage.gateway.requests.clear()
            ran = await asked(runtime, case, sessions.get("now"))
        except SkillAgentError as problem:
            ran = Ran(answer=Answer(problem=problem.message))
        await runtime.settle()
        memories = await runtime.memory.list(MemoryFilter(statuses=("active",), limit=200))
    kept = tuple(one.content for one in memories)
    requests = tuple(stage.gateway.requests)
    return replace(ran, answer=replace(ran.answer, memories=kept), requests=requests)


def greedy(home: Home) -> None:
    """Every agent of the home takes the likeliest word always."""
    text, count = _TEMPERATURE.subn("temperature = 0.0", home.agents.read_text(encoding="utf-8"))
    if not count:
        raise SystemExit("no agent in agents.toml has a temperature to set")
    home.agents.write_text(text, encoding="utf-8")


async def told(runtime: Runtime, gateway: SharedGateway, case: Case, day: Day) -> dict[str, str]:
    """Lets everything happen that was before; the ids of the conversations by their names.

    Raises ModelFailed where one of those turns did not end well.
    """
    sessions: dict[str, str] = {}
    for one in case.before:
        earlier = one.memory or one.session != "now"
        day.back = timedelta(days=one.days_ago if earlier else 0)
        if one.memory:
            await runtime.memory.add(one.memory)
            continue
        gateway.given = one.reply
        wish = request(case, one, sessions.get(one.session))
        async with aclosing(runtime.turns.ask(wish)) as events:
            async for event in events:
                sessions[one.session] = event.session
                if isinstance(event, TurnFailed):
                    raise ModelFailed(f"what was said before failed: {event.message}")
        await runtime.settle()
    await runtime.memory.settle()
    day.back = timedelta()
    return sessions


def request(case: Case, one: Before | Case, session: str | None) -> TurnRequest:
    """What is said and piped, as the command line joins them."""
    said = one.say if isinstance(one, Case) else one.said
    text = "\n\n".join(part for part in (said, one.piped.strip()) if part)
    return TurnRequest(text, session=session, agent=case.agent, interactive=False)


async def asked(runtime: Runtime, case: Case, session: str | None) -> Ran:
    """The turn that counts, up to its reply or the first tool that decides it."""
    listener = _Listener(case)
    begun, processor = time.perf_counter(), time.process_time()
    try:
        async with asyncio.timeout(LIMIT_S):
            async with aclosing(runtime.turns.ask(request(case, case, session))) as events:
                async for event in events:
                    listener.heard(event, time.perf_counter() - begun)
                    if listener.decided:
                        break
    except TimeoutError:
        listener.answer = replace(listener.answer, problem=f"no reply in {LIMIT_S:.0f} s")
    answer = replace(
        listener.answer,
        total_s=time.perf_counter() - begun,
        processor_s=time.process_time() - processor,
    )
    return Ran(answer=answer, events=tuple(listener.events))


class _Listener:
    """Makes an answer of a turn's events."""

    def __init__(self, case: Case) -> None:
        self.answer = Answer()
        self.events: list[dict[str, Any]] = []
        self.decided = False
        """Which tool begins is all that counts of a turn with one."""
        self._own = MEMORY_TOOLS if case.kind in MEMORY_KINDS else ()

    def heard(self, event: object, seconds: float) -> None:
        match event:
            case TextDelta():
                if not self.answer.first_s and event.text.strip():
                    self.answer = replace(self.answer, first_s=seconds)
                return
            case ToolStarted():
                begun = " ".join([event.tool, *(str(one) for one in event.arguments.values())])
                self.answer = replace(self.answer, tools=(*self.answer.tools, begun))
                self.decided = event.tool not in self._own
            case TurnFinished():
                self.answer = replace(
                    self.answer,
                    text=event.text,
                    prompt_tokens=event.usage.prompt_tokens,
                    cached_tokens=event.usage.cached_tokens,
                )
            case TurnFailed():
                self.answer = replace(
                    self.answer, problem=event.message or event.reason, text=event.text
                )
            case _:
                pass
        self.events.append(to_json(event))  # pyright: ignore[reportArgumentType]
