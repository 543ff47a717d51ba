"""Agents, models and skills in memory with fixed ids and times, for the screens."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

from skill_agent.acp_client.operations import ListOfPrograms, ProgramOperations
from skill_agent.agents.dna import AgentDNA
from skill_agent.agents.operations import AgentOperations, Agents
from skill_agent.errors import Conflict, NotFound, SkillAgentError, UsageError
from skill_agent.events import AgentsChanged
from skill_agent.events.bus import Bus
from skill_agent.mcp_client.operations import ListOfServers, McpOperations
from skill_agent.models.operations import ModelOperations, Offers
from skill_agent.skills.operations import (
    Activations,
    SkillOperations,
    Skills,
    SkillToolOperations,
)
from skill_agent.team.operations import RoutingOperations
from skill_agent.values import (
    AgentStatus,
    AgentTrust,
    ModelInfo,
    ModelOffer,
    ModelProfile,
    OutsideProgram,
    Skill,
    SkillActivation,
    SkillPage,
    ToolServer,
)

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


class _Stage(Protocol):
    team: Any
    bus: Bus
    sees: bool


class StageAgents(AgentOperations):
    """Keeps what it is given in the stage's team, and tells of it."""

    def __init__(self, stage: _Stage) -> None:
        self._stage = stage
        self.refuses: SkillAgentError | None = None
        self.made: list[dict[str, Any]] = []

    async def list(self) -> Agents:
        return [*self._stage.team]

    async def get(self, slug: str) -> AgentDNA:
        for dna in self._stage.team:
            if dna.slug == slug:
                return dna
        raise NotFound(f"no agent {slug!r}")

    async def new(self, slug: str, fields: dict[str, Any] | None = None) -> AgentDNA:
        if self.refuses is not None:
            raise self.refuses
        self.made.append(fields or {})
        return self._put(AgentDNA.model_validate({"slug": slug, **(fields or {})}))

    async def clone(self, slug: str, new_slug: str, name: str = "") -> AgentDNA:
        dna = await self.get(slug)
        return self._put(dna.model_copy(update={"slug": new_slug, "name": name}))

    async def set_status(self, slug: str, status: AgentStatus) -> AgentDNA:
        return self._put((await self.get(slug)).model_copy(update={"status": status}))

    async def set_model(self, slug: str, model: str) -> AgentDNA:
        if self.refuses is not None:
            raise self.refuses
        dna = await self.get(slug)
        config = dna.model.model_copy(update={"model_name": model})
        return self._put(dna.model_copy(update={"model": config}))

    def _put(self, dna: AgentDNA) -> AgentDNA:
        known = {one.slug: one for one in self._stage.team}
        self._stage.team = (*(known | {dna.slug: dna}).values(),)
        self._stage.bus.publish(AgentsChanged(agent=dna.slug))
        return dna


SMALL = "scripted/small-1.5b"


class StageModels(ModelOperations):
    """One that answers, one that is not installed, one without a key."""

    def __init__(self, stage: _Stage) -> None:
        self._stage = stage
        self.problem: SkillAgentError | None = None

    async def info(self, agent: str, model: str | None = None) -> ModelInfo:
        config = next((one.model.model_name for one in self._stage.team if one.slug == agent), "")
        name = model or config
        if name in ("", "default"):
            name = SMALL
        return ModelInfo(
            name=name, provider=name.partition("/")[0], context_window=8192,
            profile=ModelProfile(vision=self._stage.sees),
        )  # fmt: skip

    async def offers(self) -> Offers:
        if self.problem is not None:
            raise self.problem
        return OFFERS


def _offer(name: str, place: Any, **more: Any) -> ModelOffer:
    said = {key: more.pop(key) for key in ("problem", "fix") if key in more}
    prices = {key: more.pop(key) for key in ("prompt_usd", "completion_usd") if key in more}
    info = ModelInfo(name=name, provider=name.partition("/")[0], **more)
    return ModelOffer(id=name, model=info, place=place, **said, **prices)


OFFERS = [
    _offer(SMALL, "embedded", size_bytes=1_100_000_000, context_window=8192,
           note="everyday talk on a small machine", roles=("default",)),
    _offer("embedded/qwen3-8b", "embedded", size_bytes=5_200_000_000, context_window=16384,
           size_estimated=True, note="long answers, tools", problem="the model is not installed",
           fix="ska models pull qwen3-8b"),
    _offer("ollama/llama3", "ollama", problem="Ollama does not answer",
           fix="start it with `ollama serve`"),
    _offer("openai/gpt-4o-mini", "remote", prompt_usd=0.15, completion_usd=0.6,
           note="named in config.toml", context_window=128_000),
    _offer("anthropic/claude-sonnet-4-5", "remote", prompt_usd=3.0, completion_usd=15.0,
           problem="anthropic needs a key: ANTHROPIC_API_KEY is not set",
           fix="export ANTHROPIC_API_KEY=…"),
]  # fmt: skip


class StageServers(McpOperations):
    async def list(self) -> ListOfServers:
        return [ToolServer(name="github", transport="stdio", target="npx gh", state="running")]


class StagePrograms(ProgramOperations):
    async def list(self) -> ListOfPrograms:
        return [OutsideProgram(name="claude", command=("claude",), hint="npm install it")]


class StageTrust(RoutingOperations):
    async def trust(self, slug: str) -> AgentTrust:
        if slug == "kyra":
            return AgentTrust(id=slug, trust=0.71, good=9, bad=1)
        return AgentTrust(id=slug, trust=0.5)


def skill(name: str, trust: Any = "trusted", **more: Any) -> Skill:
    usual = {"description": f"What {name} is for.", "path": f"/opt/skills/{name}", "digest": "d"}
    return Skill(name=name, trust=trust, **{**usual, **more})


class StageSkills(SkillOperations):
    """Skills that are read and approved."""

    def __init__(self) -> None:
        self.known: dict[str, Skill] = {}
        self.findings: tuple[str, ...] = ()
        self.text = "Ask the service.\n\n1. Find the place.\n2. Say the weather."

    def put(self, *skills: Skill) -> None:
        self.known |= {one.name if one.loaded else one.path: one for one in skills}

    async def list(self) -> Skills:
        return [*self.known.values()]

    async def page(self, skill: str) -> SkillPage:
        one = self.known[skill]
        return SkillPage(
            id=skill, skill=one, text=self.text if one.loaded else "",
            files=("references/codes.md",) if one.loaded else (), findings=self.findings,
        )  # fmt: skip

    async def approve(self, name: str, digest: str, *, agent: str = "*") -> Skill:
        if digest != self.known[name].digest:
            raise Conflict(f"{name} has changed since you read it", hint="read it again first")
        return self._put(replace(self.known[name], trust="approved", approved_for=(agent,)))

    async def revoke(self, name: str, *, agent: str | None = None) -> Skill:
        if not self.known[name].approved_for:
            raise NotFound(f"no approval of {name!r} is stored")
        return self._put(replace(self.known[name], trust="not approved", approved_for=()))

    def _put(self, one: Skill) -> Skill:
        self.known[one.name] = one
        return one


class StageSkillTools(SkillToolOperations):
    def __init__(self) -> None:
        self.active: dict[tuple[str, str], SkillActivation] = {}

    async def list(self, *, agent: str | None = None) -> Activations:
        return [one for one in self.active.values() if agent in (None, one.agent)]

    async def activate(self, name: str, agent: str, *, actor: str = "person") -> SkillActivation:
        if name == "odd":
            raise UsageError("that one is taken", hint="deactivate another")
        made = SkillActivation(skill=name, agent=agent, tool=f"skill_{name}", at=NOON)
        self.active[agent, name] = made
        return made

    async def deactivate(self, name: str, agent: str, *, actor: str = "person") -> SkillActivation:
        return self.active.pop((agent, name))


def shelf(skills: StageSkills, home: Path = Path("/home/ada/.skill-agent")) -> StageSkills:
    """One of each kind."""
    skills.put(
        skill("code-review", allowed_tools=("read_file",), licence="Apache-2.0"),
        skill("weather"),
        skill("tides", "not approved", path=str(home / "skills/tides"),
              description="When the sea is high, and where."),
        skill("recipes", "changed", path="/home/ada/.agents/skills/recipes",
              description="What to cook with what there is."),
        skill("gardening", "approved", path=str(home / "skills/gardening"), approved_for=("*",)),
        skill("broken", "not approved", path=str(home / "skills/broken"), loaded=False,
              description="", reason="SKILL.md has no front matter"),
    )  # fmt: skip
    skills.findings = ("description: longer than other programs take",)
    return skills
