"""What killed processes said was on disk, and whether a home holds it; used by `crash.py`."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from crash_model import Hashed, gateway
from in_process import open_in_process
from skill_agent.store.lance_index.items import ItemTable
from skill_agent.store.lance_index.places import Places

from skill_agent.files.home import Home
from skill_agent.host.runtime import Runtime
from skill_agent.memory.life import previous
from skill_agent.values import Memory, MemoryFilter, Message

_ALL = 1_000_000
_ERASED_TEXTS = 60
"""Of what was erased the newest texts are looked for each time."""


@dataclass(slots=True)
class Acknowledged:
    """What is on disk, by the word of the processes, and what earlier checks saw of it."""

    memories: dict[str, str] = field(default_factory=dict)
    """By id; the text is empty where it was not told."""
    replies: dict[str, str] = field(default_factory=dict)
    replaced: dict[str, str] = field(default_factory=dict)
    """What stands in their place, where that was told."""
    gone: set[str] = field(default_factory=set)
    """Forgotten or expired."""
    pinned: set[str] = field(default_factory=set)
    closed: set[str] = field(default_factory=set)
    compacted: Counter[str] = field(default_factory=Counter)
    going: dict[str, None] = field(default_factory=dict)
    """Memories and messages somebody began to erase: there or not, both is right."""
    erased: set[str] = field(default_factory=set)
    texts: dict[str, str] = field(default_factory=dict)
    """Of everything seen in a check."""
    lines: Counter[str] = field(default_factory=Counter)
    trouble: list[str] = field(default_factory=list)

    def take(self, line: str) -> None:
        """One line of a killed process."""
        kind, *rest = line.split(" ")
        self.lines[kind] += 1
        match kind, rest:
            case "added", [one, *words]:
                self.memories[one] = " ".join(words)
            case "imported" | "extracted" | "saved" | "failed", ids:
                self.memories |= {one: self.memories.get(one, "") for one in ids}
            case "corrected", [old, new, *words]:
                self.memories[new] = " ".join(words)
                self.replaced[old] = new
            case "merged" | "summarised", ids:
                self.replaced |= dict.fromkeys(ids, "")
            case "forgot" | "expired", ids:
                self.gone.update(ids)
            case "restoring", [one]:
                self.gone.discard(one)
                self.pinned.discard(one)  # to be forgotten takes the pin away
            case "pinned", [one]:
                self.pinned.add(one)
            case "erasing", ids:
                self.going |= dict.fromkeys(ids)
            case "erased", ids:
                self.erased.update(ids)
            case "reply", [one, *words]:
                self.replies[one] = " ".join(words)
            case "closed", [one]:
                self.closed.add(one)
            case "compacted", [one]:
                self.compacted[one] += 1
            case "trouble", words:
                self.trouble.append(" ".join(words))
            case _:
                pass


async def wrong(home: Path, told: Acknowledged) -> list[str]:
    """Everything that is not as it was acknowledged, a sentence each; opens the home and closes it
    again."""
    async with open_in_process(home, gateway=gateway(), embedder=Hashed()) as runtime:
        problems = [*told.trouble, *(await runtime.memory.verify()).problems]
        memories = {m.id: m for m in await runtime.memory.list(MemoryFilter(limit=_ALL))}
        sessions = await runtime.conversations.list(limit=_ALL)
        spoken = [m for one in sessions for m in await runtime.conversations.messages(one.id)]
        problems += _kept(memories, told)
        problems += _consistent(memories, told)
        problems += await _conversations(runtime, told, {one.id for one in sessions})
        problems += await _jobs(runtime)
        await runtime.memory.settle()
        status = await runtime.memory.status()
        problems += [f"index: {status.problem}"] * bool(status.problem)
        texts = _erased_texts(told, memories, {one.id for one in spoken})
        for text, where in (await runtime.ledger.occurrences(texts)).items():
            if any((where.memories, where.messages, where.notes, where.changes, where.titles)):
                problems.append(f"erased, but the ledger still says {text!r}: {where}")
    problems += _indexed(home, memories.values(), spoken)
    problems += _in_files(home, texts)
    told.texts |= {one.id: one.content for one in (*memories.values(), *spoken)}
    return problems


def _kept(memories: dict[str, Memory], told: Acknowledged) -> Iterator[str]:
    """Every acknowledged memory, and what was acknowledged to be done to it."""
    for one in told.erased & memories.keys():
        yield f"memory {one} was erased and is there"
    for one in told.memories.keys() - memories.keys() - told.going.keys():
        yield f"memory {one} is missing"
    for one, text in told.memories.items():
        if text and one in memories and memories[one].content != text:
            yield f"memory {one} was {text!r} and is {memories[one].content!r}"
    for old, new in told.replaced.items():
        if old in memories and memories[old].superseded_by is None:
            yield f"memory {old} was replaced by {new or 'another'} and does not say so"
    for one in told.gone & memories.keys():
        if memories[one].status not in ("archived", "superseded"):
            yield f"memory {one} was forgotten and is {memories[one].status}"
    for one in told.pinned & memories.keys():
        if memories[one].status == "active" and not memories[one].pinned:
            yield f"memory {one} was pinned and is not"


def _consistent(memories: dict[str, Memory], told: Acknowledged) -> Iterator[str]:
    """Versions and disputes, each against the other side."""
    for one in memories.values():
        successor = one.superseded_by
        if successor is not None and successor not in memories and successor not in told.going:
            yield f"memory {one.id} was replaced by {successor}, which does not exist"
        if one.status == "superseded" and successor is None:
            yield f"memory {one.id} is superseded by nothing"
        if one.status in ("active", "disputed") and successor is not None:
            yield f"memory {one.id} is {one.status} and replaced by {successor}"
        for old in previous(one):
            if old in memories and memories[old].superseded_by is None:
                yield f"memory {one.id} replaces {old}, which does not say so"
        if one.status == "disputed":
            others = [memories[other] for other in one.contradicts if other in memories]
            if not any(o.status == "disputed" and one.id in o.contradicts for o in others):
                yield f"memory {one.id} is disputed by nothing"


async def _conversations(
    runtime: Runtime, told: Acknowledged, open_sessions: set[str]
) -> list[str]:
    """Replies, closed sessions, and summaries with the memories they name."""
    known = await runtime.ledger.messages_by_id(sorted({*told.replies, *told.erased}))
    problems = [
        f"reply {one} is missing" for one in told.replies.keys() - known.keys() - told.going.keys()
    ]
    problems += [f"message {one} was erased and is there" for one in told.erased & known.keys()]
    problems += [
        f"reply {one} was {text!r} and is {known[one].content!r}"
        for one, text in told.replies.items()
        if one in known and " ".join(known[one].content.split()) != " ".join(text.split())
    ]
    problems += [f"session {one} was closed and is not" for one in told.closed & open_sessions]
    rows = await runtime.ledger.log(kinds=("compacted",), limit=_ALL)
    noted = Counter(row.entity for row in rows)
    problems += [
        f"session {one} was summed up {count} times, the log knows of {noted[one]}"
        for one, count in told.compacted.items()
        if noted[one] < count
    ]
    named = {one for row in rows for one in (row.new or {}).get("memories", ())}
    there = await runtime.ledger.memories_by_id(sorted(named))
    lost = named - there.keys() - told.going.keys()
    return problems + [f"a summary names memory {one}, which does not exist" for one in lost]


async def _jobs(runtime: Runtime) -> list[str]:
    running = await runtime.extractions.list(("running",), limit=_ALL)
    return [f"extraction {job.id} is stuck as running" for job in running]


def _erased_texts(told: Acknowledged, memories: dict[str, Memory], spoken: set[str]) -> list[str]:
    """What the newest erased things said; those with a number are like nothing else."""
    gone = [one for one in told.going if one not in memories and one not in spoken]
    texts = [told.texts.get(one) or told.memories.get(one, "") for one in gone]
    return [text for text in texts if any(map(str.isdigit, text))][-_ERASED_TEXTS:]


def _indexed(home: Path, memories: Iterable[Memory], spoken: Iterable[Message]) -> Iterator[str]:
    """The index's rows against the ledger's: each once, the same text, the same status."""
    rows = ItemTable(Places(Home(home).index).serving).read()
    told = rows.select(["id", "status", "text"]).to_pylist() if rows is not None else []
    found = {row["id"]: (row["status"], row["text"]) for row in told}
    if len(found) != len(told):
        yield f"the index holds {len(told) - len(found)} items twice"
    truth = {one.id: (one.status, one.content) for one in memories}
    for one in spoken:
        if one.role in ("user", "assistant") and one.content.strip():
            truth[one.id] = (found.get(one.id, ("active",))[0], one.content)
    for one in truth.keys() - found.keys():
        yield f"{one} is not in the index"
    for one in found.keys() - truth.keys():
        yield f"{one} is in the index and not in the ledger"
    for one in truth.keys() & found.keys():
        if truth[one] != found[one]:
            yield f"{one} is indexed as {found[one]} and is {truth[one]}"


def _in_files(home: Path, texts: Iterable[str]) -> Iterator[str]:
    """Erased texts in the bytes of any file of the home."""
    wanted = [text.encode() for text in texts]
    for file in home.rglob("*") if wanted else ():
        content = file.read_bytes() if file.is_file() else b""
        yield from (f"erased, but {file} holds {text!r}" for text in wanted if text in content)
