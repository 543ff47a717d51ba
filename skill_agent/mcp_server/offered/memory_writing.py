"""Tools that change memory: keep, correct, archive. What a program writes is the program's: it is
found like any memory and never stands in for what the person said."""

from typing import Any
from uuid import NAMESPACE_URL, uuid5

from skill_agent.errors import Conflict, Forbidden, NotFound, UsageError
from skill_agent.mcp_server.sets import Tell, Told
from skill_agent.mcp_server.visit import Visit
from skill_agent.memory.standing import GIVEN, MOST
from skill_agent.text.redaction import masked
from skill_agent.text.sameness import same
from skill_agent.values import Memory, MemoryType, NewMemory, Origin, Search

from .eyes import memory_of, sees_memory
from .offer import Arguments, Offer, Offers
from .shapes import MEMORY, choice, flag, table, text, whole
from .shown import in_a_line, memory_line, memory_row

BY_PROGRAM: tuple[Origin, ...] = ("client",)
WRITABLE: tuple[MemoryType, ...] = ("semantic", "episodic")
"""What a program may write, and as private `agent_private`; the rest is a person's to give."""
LONGEST = 4_000
_IMPORTANCE = 5
_ALIKE = 8
"""Memories among which one that says the same is looked for."""
_ID = text("The memory's id, or an unambiguous beginning of it.", least=1, most=200)
_REASON = text("Why, in a few words; it stands in the memory's story.", most=500)


def writing() -> Offers:
    """The tools."""
    return Offers(_remember(), _correct(), _forget())


def _remember() -> Offer:
    return Offer(
        name="remember",
        title="Remember",
        description=(
            "Keep one lasting fact, decision or preference for every agent and program of the "
            "user, as one sentence that stands by itself (who, what, when). No secrets, nothing "
            "that only matters now. What is known already is answered with the memory there is."
        ),
        scope="memory",
        takes=table(
            {
                "content": text("The sentence.", least=1, most=LONGEST),
                "memory_type": choice("semantic (a fact; where left out) or episodic (an event).",
                                      WRITABLE),
                "subject": text("Dotted category, e.g. project.release.", most=100),
                "importance": whole("5 where left out.", least=1, most=MOST),
                "private": flag("Only you see it later, no other agent."),
                "key": text("Yours; asked again with it, the memory kept before is given.",
                            least=1, most=200),
            },
            optional=("memory_type", "subject", "importance", "private", "key"),
        ),
        gives=table(
            {
                "memory": MEMORY,
                "kept": choice("Whether it is new, or was known already.", ("new", "known")),
                "masked": flag("A credential in it was masked: memory keeps none."),
            }
        ),
        run=_kept,
        writes=True,
    )  # fmt: skip


async def _kept(visit: Visit, arguments: Arguments, tell: Tell) -> Told:
    new = _new(visit, arguments)
    known = await _known(visit, new)
    memory = known or await visit.station.memory.add(new)
    data = {
        "memory": memory_row(memory),
        "kept": "known" if known else "new",
        "masked": masked(new.content) != new.content,
    }
    return Told(data=data, text=f"{'known already' if known else 'kept'}:\n{memory_line(memory)}")


def _new(visit: Visit, arguments: Arguments) -> NewMemory:
    private, key = arguments.get("private", False), arguments.get("key")
    told: MemoryType = "episodic" if arguments.get("memory_type") == "episodic" else "semantic"
    return NewMemory(
        arguments["content"].strip(),
        memory_type="agent_private" if private else told,
        subject=arguments.get("subject") or None,
        importance=arguments.get("importance", _IMPORTANCE),
        agent=visit.agent if private else None,
        source_type="explicit",
        origins=BY_PROGRAM,
        metadata=_source(visit),
        actor=visit.agent,
        reason=f"told by {in_a_line(visit.client, 80)}",
        # Of its own agent: no client guesses another's, nor a memory's id.
        key=None if key is None else str(uuid5(NAMESPACE_URL, f"mcp:{visit.agent}:{key}")),
    )


def _source(visit: Visit) -> dict[str, Any]:
    return {"client": {name: in_a_line(said, 80) for name, said in visit.told.items()}}


async def _known(visit: Visit, new: NewMemory) -> Memory | None:
    """What was kept under this key, or a memory that says the same to those who would see it.
    Raises Conflict where the key stands for something else."""
    content = masked(new.content)
    if new.key is not None:
        try:
            before = await visit.station.memory.get(new.key)
        except NotFound:
            return None
        if before.content != content or not sees_memory(visit, before):
            raise Conflict("this key stands for another memory", hint="use a fresh key")
        return before
    if not content:
        raise UsageError("a memory needs content", hint="one sentence that stands by itself")
    wanted = Search(content, agent=visit.agent, limit=_ALIKE, kinds=("memory",))
    for found in await visit.station.memory.search(wanted):
        memory = found.memory
        wide_enough = memory and (new.agent is not None or memory.agent is None)
        if memory and wide_enough and memory.status == "active" and same(memory.content, content):
            return memory
    return None


# -- correct, forget -----------------------------------------------------------------------------


def _correct() -> Offer:
    return Offer(
        name="correct_memory",
        title="Correct a memory",
        description=(
            "Put right what a memory says: a new version takes its place, the old one stays in its "
            "story. Give the whole sentence as it should be. What the user pinned, and what they "
            "are and the team is, only they change."
        ),
        scope="memory",
        takes=table(
            {
                "memory_id": _ID,
                "content": text("The whole sentence as it should be.", least=1, most=LONGEST),
                "reason": _REASON,
            },
            optional=("reason",),
        ),
        gives=table({"memory": MEMORY, "replaced": text("The id of the old version.")}),
        run=_corrected,
        writes=True,
        destroys=True,
    )


async def _corrected(visit: Visit, arguments: Arguments, tell: Tell) -> Told:
    old = await memory_of(visit, arguments["memory_id"])
    _check_open(old)
    new = await visit.station.memory.corrected(
        old.id,
        arguments["content"],
        origins=BY_PROGRAM,
        told=_source(visit),
        reason=arguments.get("reason", "") or "corrected",
        actor=visit.agent,
    )
    data = {"memory": memory_row(new), "replaced": old.id}
    return Told(data=data, text=f"corrected:\n{memory_line(new)}")


def _forget() -> Offer:
    return Offer(
        name="forget_memory",
        title="Forget a memory",
        description=(
            "Take a memory out of recall. It is archived, not erased: the user can restore it. "
            "Use it for what is wrong or was not meant to be kept; for what has changed, correct "
            "it instead."
        ),
        scope="memory",
        takes=table({"memory_id": _ID, "reason": _REASON}, optional=("reason",)),
        gives=table({"memory": MEMORY}),
        run=_forgotten,
        writes=True,
        destroys=True,
    )


async def _forgotten(visit: Visit, arguments: Arguments, tell: Tell) -> Told:
    old = await memory_of(visit, arguments["memory_id"])
    if old.status != "archived":
        _check_open(old)
        reason = arguments.get("reason", "")
        old = await visit.station.memory.forget(old.id, reason=reason, actor=visit.agent)
    return Told(data={"memory": memory_row(old)}, text=f"archived:\n{memory_line(old)}")


def _check_open(memory: Memory) -> None:
    """Raises Forbidden for what a person gave its standing or has to decide, and UsageError for
    what stands no longer."""
    hint = "remember what is right beside it; the user decides with `ska memory`"
    if memory.pinned or memory.memory_type in GIVEN:
        why = "pinned" if memory.pinned else f"of type {memory.memory_type}"
        raise Forbidden(f"memory {memory.id} is {why}: only the user changes it", hint=hint)
    if memory.status == "disputed":
        raise Forbidden(f"memory {memory.id} is in dispute: only the user decides", hint=hint)
    if memory.status != "active":
        hint = (
            f"its successor is {memory.superseded_by}" if memory.superseded_by else "search_memory"
        )
        raise UsageError(f"memory {memory.id} is {memory.status}", hint=hint)
