"""What loads but gives an agent more, or the person less, than is probably meant."""

import re
from collections.abc import Iterator

from skill_agent.settings.mistakes import shown

from .dna import AgentDNA

_TIERS = ("fast", "balanced", "powerful")
_SERVER = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,31}")


def doubts_of(agent: AgentDNA) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Each doubt with the key it stands at, below the agent's table."""
    force, most = agent.model.force_tier, agent.model.max_tier
    if force and most and _TIERS.index(force) > _TIERS.index(most):
        yield ("model", "force_tier"), f'"{force}" is above max_tier "{most}", which is used'
    yield from _reach(agent)
    yield from _servers(agent)
    yield from _left_out(agent)


def _reach(agent: AgentDNA) -> Iterator[tuple[tuple[str | int, ...], str]]:
    limits = agent.boundaries
    if limits.allow_private_addresses:
        yield (
            ("boundaries", "allow_private_addresses"),
            "whatever leads this agent to a URL reaches this machine and its network too",
        )
    for index, domain in enumerate(limits.allowed_domains):
        name = domain.strip().removeprefix("*.").strip(".")
        if "*" in name or not name:
            said = f"{shown(domain)} matches no host; name them, or write *.example.org"
        elif domain.strip().startswith("*.") and "." not in name:
            said = f"{shown(domain)} lets this agent read every host of .{name} without asking"
        else:
            continue
        yield ("boundaries", "allowed_domains", index), said


def _servers(agent: AgentDNA) -> Iterator[tuple[tuple[str | int, ...], str]]:
    for index, one in enumerate(agent.mcp):
        name, colon, pattern = one.partition(":")
        if not _SERVER.fullmatch(name.strip()) or (colon and not pattern.strip()):
            said = f"{shown(one)} names no tools; write SERVER, or SERVER:read_* for some of its"
            yield ("mcp", index), said


def _left_out(agent: AgentDNA) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Rules of the agent that its own template has no place for."""
    persona = agent.personality
    template = persona.system_prompt_template
    if not template:
        return
    rules = {
        "always_rules": persona.always_rules,
        "never_rules": (*persona.never_rules, *agent.boundaries.cannot_do),
        "custom_instructions": persona.custom_instructions.strip(),
    }
    for field, said in rules.items():
        if said and f"{{{field}}}" not in template:
            yield (
                ("personality", "system_prompt_template"),
                f"it has no {{{field}}}, so the model is not told this agent's {field}",
            )
