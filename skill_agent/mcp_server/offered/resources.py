"""What can be read by its address: memories, skills, agents, conversations."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from types import MappingProxyType
from urllib.parse import quote

from mcp import types

from skill_agent.errors import Forbidden, NotFound
from skill_agent.mcp_server.visit import Visit
from skill_agent.skills.trust import NOT_APPROVED, how_to_approve

from .addresses import Address, address_of, scheme_of
from .agents import agent_row
from .eyes import (
    conversation_of,
    memory_of,
    newest_conversations,
    nothing_like,
    page_of,
    seen_now,
    title_for,
)
from .personas import agent_of, agents_of
from .shown import in_a_line, lines, moment, shown
from .skill_texts import FILE, said_of, skill_of, skills_of, text_of, trusted

_MOST = 100
"""Of each kind on the list; the templates reach the rest."""
_CONVERSATIONS, _AMONG = 20, 40
_MEMORIES = 30
_LINES = 100
WHOLE = 100_000
"""Characters of one memory."""

Text = Callable[[Visit, Address], Awaitable[tuple[str, str]]]
"""Its kind of text, and the text."""


class HomeResources:
    """The resources of a home."""

    async def resources(self, visit: Visit) -> Sequence[types.Resource]:
        """Agents, skills, what is pinned, the newest conversations."""
        if not visit.may("read"):
            return []
        return [
            *await _agents(visit),
            *await _skills(visit),
            *await _memories(visit),
            *await _conversations(visit),
        ]

    async def templates(self, visit: Visit) -> Sequence[types.ResourceTemplate]:
        return [*_TEMPLATES] if visit.may("read") else []

    async def read(self, visit: Visit, uri: str) -> types.TextResourceContents | None:
        """None for another scheme; raises NotFound for what is not there, or not to be seen."""
        if not (scheme := scheme_of(uri)):
            return None
        visit.demand("read")
        address = address_of(uri)
        if address is None:
            raise nothing_like("resource", uri, f"{scheme}://… without steps up or odd signs")
        kind, text = await _READ[scheme](visit, address)
        return types.TextResourceContents(uri=uri, mime_type=kind, text=text)


_TEMPLATES = (
    types.ResourceTemplate(
        name="memory",
        title="A memory",
        uri_template="memory://{id}",
        description="One memory with who said it and when.",
        mime_type="text/markdown",
    ),
    types.ResourceTemplate(
        name="skill",
        title="A skill's file",
        uri_template="skill://{name}/{+path}",
        description="A file of a skill's folder; SKILL.md holds its instructions.",
    ),
    types.ResourceTemplate(
        name="agent",
        title="An agent",
        uri_template="agent://{slug}",
        description="What an agent is for, and what it can use.",
        mime_type="text/markdown",
    ),
    types.ResourceTemplate(
        name="conversation",
        title="A conversation",
        uri_template="conversation://{id}{?after}",
        description="A transcript, page by page; its last line says where the next one begins.",
        mime_type="text/markdown",
    ),
)


# -- the list ------------------------------------------------------------------------------------


async def _agents(visit: Visit) -> list[types.Resource]:
    return [
        types.Resource(
            name=f"agent-{one.slug}",
            title=in_a_line(one.name, 60),
            uri=f"agent://{one.slug}",
            description=in_a_line(one.tagline, 200),
            mime_type="text/markdown",
        )
        for one in (await agents_of(visit))[:_MOST]
    ]


async def _skills(visit: Visit) -> list[types.Resource]:
    return [
        types.Resource(
            name=f"skill-{one.name}",
            title=one.name,
            uri=f"skill://{quote(one.name)}/{FILE}",
            description=said_of(visit, one),
            mime_type="text/markdown",
        )
        for one in (await skills_of(visit))[:_MOST]
    ]


async def _memories(visit: Visit) -> list[types.Resource]:
    found = await seen_now(visit, pinned=True, statuses=("active",), limit=_MEMORIES)
    return [
        types.Resource(
            name=f"memory-{one.id}",
            title=in_a_line(one.content, 80),
            uri=f"memory://{quote(one.id, safe='')}",
            description="Pinned by the user.",
            mime_type="text/markdown",
        )
        for one in found
    ]


async def _conversations(visit: Visit) -> list[types.Resource]:
    return [
        types.Resource(
            name=f"conversation-{one.id}",
            title=await title_for(visit, one) or None,
            uri=f"conversation://{quote(one.id, safe='')}",
            description=f"With {in_a_line(one.agent, 60)}, last on {moment(one.updated_at)[:10]}.",
            mime_type="text/markdown",
        )
        for one in await newest_conversations(visit, _CONVERSATIONS, _AMONG)
    ]


# -- one of them ---------------------------------------------------------------------------------


async def _memory(visit: Visit, address: Address) -> tuple[str, str]:
    found = await memory_of(visit, address.name)
    wrote = ", ".join(found.origins) or "the user or their agents"
    about = (
        f"type: {found.memory_type}; status: {found.status}; importance: {found.importance}; "
        f"version: {found.version}; kept: {moment(found.created_at)}; written by: {wrote}"
    )
    return "text/markdown", f"{shown(found.content, WHOLE)}\n\n({about}; {found.id})\n"


async def _skill(visit: Visit, address: Address) -> tuple[str, str]:
    """Of one that was not approved its name alone; its other files nobody reads."""
    found = await skill_of(visit, address.name)
    path = address.path or FILE
    kind = "text/markdown" if path.lower().endswith(".md") else "text/plain"
    if trusted(visit, found):
        return kind, text_of(found, path)
    if path != FILE:
        raise Forbidden(f"the skill {found.name} was not approved", hint=how_to_approve(found.name))
    return kind, f"# {found.name}\n\n{NOT_APPROVED} ({how_to_approve(found.name)})\n"


async def _agent(visit: Visit, address: Address) -> tuple[str, str]:
    dna = await agent_of(visit, address.name)
    if dna.slug != address.name:
        raise NotFound(f"no agent {address.name!r}", hint=f"agent://{dna.slug}")
    row = agent_row(dna)
    listed = {"Can do": "can_do", "Skills": "skills", "Tools": "tools"}
    told = [f"{head}: {', '.join(row[name])}" for head, name in listed.items() if row[name]]
    head = f"# {row['name']} (@{row['slug']})\n\n{row['tagline']}\n"
    return "text/markdown", lines(
        head, [f"Status: {row['status']}", f"Model: {row['model']}", *told]
    )


async def _conversation(visit: Visit, address: Address) -> tuple[str, str]:
    session = await conversation_of(visit, address.name)
    found, following = await page_of(visit, session.id, after=address.after, limit=_LINES)
    told: list[str] = []
    for one in found:
        who = "user" if one.role == "user" else one.agent or "assistant"
        wrote = f" [from {', '.join(one.origins)}]" if one.origins else ""
        told.append(f"**{who}** ({moment(one.created_at)}){wrote}: {shown(one.content)}\n")
    if following is not None:
        told.append(f"(more: conversation://{session.id}?after={following})")
    title = await title_for(visit, session) or session.id
    return "text/markdown", lines(f"# {title}\n", told)


_READ: Mapping[str, Text] = MappingProxyType(
    {"memory": _memory, "skill": _skill, "agent": _agent, "conversation": _conversation}
)
