"""What is known of one agent, asked of the home all at once; what cannot be told says so."""

import asyncio
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from skill_agent.errors import SkillAgentError
from skill_agent.values import (
    AgentTrust,
    ModelInfo,
    OutsideProgram,
    Session,
    Skill,
    SkillActivation,
    ToolServer,
    UsageTotals,
)

if TYPE_CHECKING:
    from skill_agent.agents.dna import AgentDNA
    from skill_agent.workstation import Workstation

T = TypeVar("T")
TALKS, LOOKED_THROUGH = 5, 100
"""Talks shown, and the newest of all agents among which they are looked for."""


@dataclass(frozen=True, slots=True)
class Untold:
    """In place of what could not be asked."""

    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """One agent, with what stands around it."""

    dna: "AgentDNA"
    model: "ModelInfo | Untold"
    memories: "Mapping[str, int] | Untold"
    trust: "AgentTrust | Untold"
    usage: "UsageTotals | Untold"
    talks: "list[Session] | Untold"
    skills: "list[Skill] | Untold"
    tools: "list[SkillActivation] | Untold"
    servers: "list[ToolServer] | Untold"
    programs: "list[OutsideProgram] | Untold"
    rules: "list[str] | Untold"


async def facts_of(runtime: "Workstation", dna: "AgentDNA") -> Facts:
    """Asks only what this agent has anything of."""
    slug = dna.slug
    # `gather` knows the types of six answers at most.
    model, memories, trust, usage, talks = await asyncio.gather(
        _told(runtime.models.info(slug)),
        _told(runtime.memory.types(agent=slug)),
        _told(runtime.routing.trust(slug)),
        _told(runtime.figures.usage(by="agent", agent=slug)),
        _told(_talks(runtime, slug)),
    )
    skills, tools, servers, programs, rules = await asyncio.gather(
        _told(runtime.skills.list()),
        _told(runtime.skill_tools.list(agent=slug)),
        _told(_servers(runtime) if dna.mcp else _none()),
        _told(_programs(runtime) if dna.runs else _none()),
        _told(rules_of(runtime, slug)),
    )
    return Facts(
        dna=dna, model=model, memories=memories, trust=trust, usage=usage, talks=talks,
        skills=skills, tools=tools, servers=servers, programs=programs, rules=rules,
    )  # fmt: skip


async def _told(asked: Awaitable[T]) -> "T | Untold":
    try:
        return await asked
    except SkillAgentError as error:
        return Untold(error.message)


async def _none() -> list[Any]:
    return []


async def _servers(runtime: "Workstation") -> list[ToolServer]:
    return await runtime.mcp.list()


async def _programs(runtime: "Workstation") -> list[OutsideProgram]:
    return await runtime.programs.list()


async def _talks(runtime: "Workstation", slug: str) -> list[Session]:
    newest = await runtime.conversations.list(limit=LOOKED_THROUGH)
    return [one for one in newest if one.agent == slug][:TALKS]


async def rules_of(runtime: "Workstation", slug: str) -> list[str]:
    """What it may do unasked because the person said "always"; approved skills stand elsewhere."""
    mine = [one for one in await runtime.approvals.rules() if one.split(" ", 1)[0] in ("*", slug)]
    return [one for one in mine if " activate_skill:" not in one]
