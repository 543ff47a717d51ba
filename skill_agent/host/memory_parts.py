"""Everything a home can do with its memory, joined once; the runtime hands it out.

Nothing is decided here: each part is made with what it needs of the others, and they are begun
and ended in the right order.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial

from skill_agent.agents.directory import AgentDirectory
from skill_agent.events import Event, MemoryUpdated
from skill_agent.files.home import Home
from skill_agent.imports.imports import Imports
from skill_agent.memory.book import MemoryBook
from skill_agent.memory.care.consolidate import Consolidator
from skill_agent.memory.care.expiry import Expiry
from skill_agent.memory.care.upkeep import Upkeep
from skill_agent.memory.contradictions.reconcile import Reconciler
from skill_agent.memory.extraction.intake import Intake
from skill_agent.memory.extraction.model import able, extraction_model
from skill_agent.memory.extraction.queue import ExtractionQueue
from skill_agent.memory.extraction.reader import Reader
from skill_agent.memory.extraction.ways import Ways
from skill_agent.memory.feedback import Feedback
from skill_agent.memory.hot import HotCache
from skill_agent.memory.recall.projector import Projector
from skill_agent.memory.recall.summed import is_summary
from skill_agent.memory.recall.updates import Updates
from skill_agent.memory.summaries.compaction import Read, Shield
from skill_agent.memory.summaries.keeping import SummaryKeeper
from skill_agent.memory.writer import LedgerWriter
from skill_agent.models.local.encoder import reranker_named
from skill_agent.ports import Clock, Ledger, Model, ModelGateway
from skill_agent.privacy.erasure import Eraser
from skill_agent.privacy.user_data import UserData
from skill_agent.settings.schema import Settings
from skill_agent.text.redaction import masked, redact
from skill_agent.turns.compactor import Compactor
from skill_agent.turns.workbench import PATIENTLY_S
from skill_agent.values import Backup, Memory, Message

_log = logging.getLogger(__name__)


class MemoryParts:
    """The parts around the memory of one open home."""

    def __init__(
        self,
        *,
        home: Home,
        settings: Settings,
        ledger: Ledger,
        projector: Projector,
        directory: AgentDirectory,
        gateway: Callable[[str], ModelGateway],
        clock: Clock,
        publish: Callable[[Event], None],
        hosting: bool,
        read: Read | None,
        backups: Callable[[datetime], Sequence[Backup]],
    ) -> None:
        """`gateway` gives the models in an agent's name. `hosting` says that the process stays:
        only then work is begun unasked. `read` stands in for the reader where messages leave a
        prompt. `backups` gives those made since a moment."""
        self._ledger, self._gateway, self._directory = ledger, gateway, directory
        self._settings, self._hosting, self._publish = settings, hosting, publish
        self._comparing: asyncio.Task[None] | None = None
        self._to_compare = False
        user = settings.general.user
        self.hot = HotCache(ledger, clock)
        told = self._written
        self._writer = LedgerWriter(ledger, projector, told)
        self.updates = Updates(ledger)
        self.reconciler = self._reconciler(projector, clock)
        self.book = MemoryBook(
            ledger,
            projector,
            clock,
            user,
            told,
            partial(self.reconcile, PATIENTLY_S),
            self._slugs,
            self.updates,
            reranker_named(settings.models, home),
            settings.models.default,
        )
        self.queue = ExtractionQueue(ledger, clock)
        self.summaries = SummaryKeeper(
            ledger=ledger, writer=self._writer, clock=clock, user=user, readable=self._readable
        )
        self.reader = self._reader(projector, directory, clock, publish)
        self.shield = Shield(ledger, read or self.reader.read_now, able=able)
        self.compactor = Compactor(
            self.shield, publish=publish, clock=clock, slow=self._is_slow, hosting=hosting
        )
        self.upkeep = self._upkeep(projector, clock)
        self.feedback = Feedback(ledger, self.book, clock)
        self.eraser = self._eraser(projector, home, clock, backups)
        self.user_data = self._user_data(projector, home, clock)
        self.imports = self._imports(projector, clock)

    def _user_data(self, projector: Projector, home: Home, clock: Clock) -> UserData:
        return UserData(
            ledger=self._ledger,
            projector=projector,
            eraser=self.eraser,
            home=home,
            clock=clock,
            user=self._settings.general.user,
            changed=self._purged,
            agents=self._slugs,
        )

    def _imports(self, projector: Projector, clock: Clock) -> Imports:
        general = self._settings.general
        return Imports(
            ledger=self._ledger,
            projector=projector,
            queue=self.queue,
            eraser=self.eraser,
            writer=self._writer,
            clock=clock,
            default_agent=general.default_agent,
            agents=self._slugs,
            changed=self._purged,
        )

    def _reconciler(self, projector: Projector, clock: Clock) -> Reconciler:
        general = self._settings.general
        return Reconciler(
            ledger=self._ledger,
            writer=self._writer,
            projector=projector,
            clock=clock,
            user=general.user,
            updates=self.updates,
            told=self._brought_up_to_date,
            # What is compared there is of no one agent: the default one pays.
            model=partial(extraction_model, self._gateway(general.default_agent)),
        )

    def _eraser(
        self,
        projector: Projector,
        home: Home,
        clock: Clock,
        backups: Callable[[datetime], Sequence[Backup]],
    ) -> Eraser:
        return Eraser(
            ledger=self._ledger,
            projector=projector,
            home=home,
            clock=clock,
            user=self._settings.general.user,
            purged=self._purged,
            backups=backups,
        )

    async def _brought_up_to_date(self, older: Memory, newer: Memory) -> None:
        """Tells the conversation in which the newer one was said."""
        sources = await self._ledger.messages_by_id(newer.source.message_ids)
        turn = next((one.turn for one in sources.values()), "")
        self._publish(
            MemoryUpdated(
                session=newer.source.session or "",
                turn=turn,
                agent=newer.agent or self._settings.general.default_agent,
                older=masked(older.content),
                newer=masked(newer.content),
                memory_id=newer.id,
            )
        )

    async def _readable(self, messages: Sequence[Message], agent: str) -> list[Message]:
        return await self.reader.readable(messages, agent)

    def _written(self, memories: Sequence[Memory]) -> None:
        self.hot.changed(memories)
        if any(is_summary(one.subject) and one.status == "archived" for one in memories):
            self.summaries.forgotten()

    def _purged(self) -> None:
        self.hot.clear()
        self.updates.clear()
        self.summaries.forgotten()

    def _slugs(self) -> tuple[str, ...]:
        return self._directory.team.slugs

    def _reader(
        self,
        projector: Projector,
        directory: AgentDirectory,
        clock: Clock,
        publish: Callable[[Event], None],
    ) -> Reader:
        user = self._settings.general.user
        intake = Intake(
            ledger=self._ledger, writer=self._writer, projector=projector, clock=clock, user=user
        )
        return Reader(
            ledger=self._ledger,
            intake=intake,
            queue=self.queue,
            gateway=self._gateway,
            config=lambda slug: directory.get(slug).memory,
            publish=publish,
            clock=clock,
            user=user,
            hosting=self._hosting,
            reconciler=self.reconciler,
            team_memory=self._settings.features.team_memory,
            ways=Ways(self._ledger, self._writer, clock, user),
        )

    def _upkeep(self, projector: Projector, clock: Clock) -> Upkeep:
        general, ledger = self._settings.general, self._ledger
        return Upkeep(
            ledger,
            Consolidator(ledger, self._writer, projector, clock, general.user),
            self.summaries,
            Expiry(ledger, self._writer, clock, {"episodic": self._settings.memory.episodic_days}),
            clock,
            # What is summed up there is of no one agent: the default one pays.
            partial(extraction_model, self._gateway(general.default_agent)),
        )

    async def begin(self) -> str:
        """Finishes what a crash cut short and begins the background work of a process that stays;
        gives a sentence for the person where an erasure is still owed."""
        owed = await self.eraser.finish()
        if self._hosting:
            self.reader.start()
        return owed

    async def reconcile(self, seconds: float) -> None:
        """Sets what was kept at once against what is known, and waits for that no longer than this:
        a long backlog is compared beside the talking. Never raises."""
        self._to_compare = True
        if self._comparing is None or self._comparing.done():
            self._comparing = asyncio.create_task(self._compare(), name="reconcile")
        await asyncio.wait([self._comparing], timeout=seconds)

    async def _compare(self) -> None:
        """As long as somebody asks for it and there is something new; one such task at a time."""
        while self._to_compare:
            self._to_compare = False
            try:
                done = await self.reconciler.catch_up()
            except Exception as problem:  # the wall of this task; the next turn asks again
                _log.warning("comparing new memories: %s", redact(str(problem)))
                return
            self._to_compare = self._to_compare or (done.behind and done.looked_at > 0)

    async def settle(self) -> None:
        """Returns once the rules have read what was said and no compaction is under way."""
        await self.reader.settle()
        await self.compactor.settled()

    async def close(self) -> None:
        """Lets the rules finish reading, ends the rest; the stores are still open."""
        if self._comparing is not None:
            self._comparing.cancel()
            await asyncio.gather(self._comparing, return_exceptions=True)
        await self.compactor.close()
        await self.reader.close()

    def _is_slow(self, model: Model) -> bool:
        """Whether nobody should wait for a compaction: who reads with a local model takes long."""
        models = self._settings.models
        return model.info.local or (models.roles.extract or models.default).startswith("embedded/")
