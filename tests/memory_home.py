"""The memory of a home over real stores, with what reads conversations into it."""

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from fakes import HashEmbedder, StepClock
from skill_agent.store.duckdb_ledger.ledger import DuckLedger
from skill_agent.store.lance_index.index import LanceIndex

from skill_agent.agents.dna import MemoryConfig
from skill_agent.events import MemoriesExtracted
from skill_agent.identifiers import new_id
from skill_agent.memory.book import MemoryBook
from skill_agent.memory.contradictions.reconcile import Reconciler
from skill_agent.memory.extraction.intake import Intake, Taken
from skill_agent.memory.extraction.queue import ExtractionQueue
from skill_agent.memory.extraction.reader import Reader
from skill_agent.memory.extraction.statement import Candidate
from skill_agent.memory.recall.projector import Projector
from skill_agent.memory.recall.updates import Updates
from skill_agent.models.scripted import ScriptedGateway
from skill_agent.ports import Embedder, Model, ModelGateway, ModelRequest
from skill_agent.values import Memory, Message, Session, Source

AGENT = "kyra"
FACT = "The kitchen tap at home drips since the plumber left"
"""What no rule knows, and a model finds."""


@dataclass(slots=True)
class MemoryHome:
    """Everything between a conversation and its memories."""

    ledger: DuckLedger
    projector: Projector
    book: MemoryBook
    clock: StepClock
    intake: Intake
    reconciler: Reconciler
    updates: Updates
    configs: dict[str, MemoryConfig] = field(default_factory=dict)
    events: list[MemoriesExtracted] = field(default_factory=list)

    def reader(
        self,
        model: Model | None = None,
        *,
        gateway: ModelGateway | None = None,
        hosting: bool = True,
        heard: Callable[[MemoriesExtracted], None] | None = None,
    ) -> Reader:
        """A reader with a queue of its own, as a new process would have."""
        return Reader(
            ledger=self.ledger,
            intake=self.intake,
            queue=ExtractionQueue(self.ledger, self.clock),
            gateway=lambda _: gateway or ScriptedGateway(model or {}),
            config=lambda slug: self.configs.get(slug, MemoryConfig()),
            publish=heard or self.events.append,
            clock=self.clock,
            user="me",
            hosting=hosting,
        )

    async def session(self, *texts: str, agent: str = AGENT) -> Session:
        """A conversation in which the person says these things and is answered."""
        now = self.clock()
        session = await self.ledger.create_session(
            Session(id=new_id(), title="talk", agent=agent, created_at=now, updated_at=now)
        )
        await self.say(session.id, *texts, agent=agent)
        return session

    async def say(self, session: str, *texts: str, agent: str = AGENT) -> list[Message]:
        said: list[Message] = []
        for text in texts:
            turn = new_id()
            said.append(await self._save(session, turn, "user", text, agent))
            await self._save(session, turn, "assistant", "I see.", agent)
        return said

    async def _save(self, session: str, turn: str, role, text: str, agent: str) -> Message:
        message = Message(
            id=new_id(),
            session=session,
            turn=turn,
            role=role,
            content=text,
            created_at=self.clock(),
            agent=agent,
        )
        return await self.ledger.save_message(message)

    def candidate(self, content: str, **changed) -> Candidate:
        values = {
            "memory_type": "user_profile",
            "subject": None,
            "importance": 6,
            "confidence": 0.9,
            "quote": content,
            "source": Source(message_ids=(new_id(),)),
            "said_at": self.clock(),
            **changed,
        }
        return Candidate(content=content, **values)

    async def take(self, *candidates: Candidate | str, agent: str = AGENT, **options) -> Taken:
        wanted = [self.candidate(c) if isinstance(c, str) else c for c in candidates]
        options = {"actor": "test", **options}
        return await self.intake.take(wanted, agent=agent, **options)

    async def texts(self, status: str = "active") -> set[str]:
        return {one.content for one in await self.book.list() if one.status == status}

    async def named(self, content: str) -> Memory:
        """The newest memory with just this content."""
        return next(one for one in await self.book.list() if one.content == content)


@asynccontextmanager
async def memory_home(
    folder: Path, clock: StepClock, embedder: Embedder | None = None
) -> AsyncIterator[MemoryHome]:
    """Opens the memory of a folder, which may have been open before."""
    embedder = embedder or HashEmbedder()
    ledger = await DuckLedger.open(folder / "ledger.duckdb", clock)
    projector = Projector(ledger, partial(LanceIndex.open, folder / "index", embedder))
    updates = Updates(ledger)
    book = MemoryBook(ledger, projector, clock, "me", updates=updates)
    parts = {"ledger": ledger, "writer": book, "projector": projector, "clock": clock, "user": "me"}
    home = MemoryHome(
        ledger=ledger,
        projector=projector,
        book=book,
        clock=clock,
        intake=Intake(**parts),
        reconciler=Reconciler(**parts, updates=updates),
        updates=updates,
    )
    try:
        yield home
    finally:
        await projector.close()
        await ledger.close()


def reading(fact: str = FACT) -> Callable[[ModelRequest], str]:
    """What a model says that finds one fact worth keeping, sentence by sentence or in its notes."""

    def answer(request: ModelRequest) -> str:
        asked = request.messages[-1].content
        slots = (request.response_schema or {}).get("properties", {})
        if "verdict" in slots:
            return '{"verdict": "both_true"}'
        if "notes" in slots:
            lines = [json.loads(line) for line in asked.splitlines()]
            heard = [one["id"] for one in lines if fact in one.get("user", "")]
            return json.dumps({"notes": [note(fact, one) for one in heard]})
        if "missed" in slots:
            return '{"missed": [], "wrong": []}'
        return "yes" if fact.split()[1] in asked else "no"

    return answer


def note(content: str, message: str, **changed: object) -> dict[str, object]:
    """One note of a capable model, quoting what it says."""
    values = {"quote": content, "message": message, "type": "semantic", "importance": 5}
    return {"content": content, "confidence": 0.8, **values, **changed}
