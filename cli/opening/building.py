"""What a runtime is made of: stores, models, directory, skills, joined for one home.

Imported by a process that holds a home, and by nobody else. Heavy things load when first needed.
"""

import contextlib
import logging
import logging.handlers
import os
from collections.abc import Callable
from functools import cache
from io import TextIOWrapper
from typing import TYPE_CHECKING, Any

from skill_agent.agents.directory import AgentDirectory
from skill_agent.errors import ConfigErrors
from skill_agent.files.home import Home
from skill_agent.host.runtime import Runtime
from skill_agent.memory.recall.projector import Projector
from skill_agent.settings.parsing import check_default_agent
from skill_agent.skills.book import SkillBook, skill_roots
from skill_agent.text.redaction import redact
from skill_agent.tools.approvals import RuleBook

from ...scheduler.alarms import SchedulerAlarms
from ...scheduler.calendar import LocalCalendar
from ...store.duckdb_ledger.copies import DuckCopies
from ...store.duckdb_ledger.ledger import DuckLedger
from ...store.duckdb_tables.reader import DuckTables
from .home_files import read_settings
from .options import OpenOptions

if TYPE_CHECKING:
    from skill_agent.host.presence import Presence
    from skill_agent.ports import Embedder, MemoryIndex, ModelGateway
    from skill_agent.settings.schema import Settings

_log = logging.getLogger(__name__)


async def build(home: Home, presence: "Presence", options: OpenOptions) -> Runtime:
    """The runtime of a home whose lock this process has; raises ConfigErrors, LedgerTooNew."""
    settings = read_settings(home)
    skillbook = SkillBook(skill_roots(home), rules=RuleBook(home.rules).rules)
    directory = _directory(home, skillbook)
    _look_at(directory, settings, home)
    ledger = await DuckLedger.open(
        home.ledger,
        options.clock,
        user=settings.general.user,
        index=home.index,
        only_reads=options.only_reads,
    )

    @cache
    def embedder() -> "Embedder":
        return options.embedder or _embedder(home, settings)

    projector = Projector(ledger, _index_opener(home, settings, options, embedder))
    return Runtime(
        home=home,
        settings=settings,
        ledger=ledger,
        copies=DuckCopies(),
        projector=projector,
        directory=directory,
        skillbook=skillbook,
        gateway=options.gateway or _gateway(settings, home),
        tables=DuckTables(),
        clock=options.clock,
        calendar=(calendar := LocalCalendar()),
        alarms=SchedulerAlarms(calendar),
        hosting=options.hosting,
        presence=presence,
        embedder=embedder,
    )


def _look_at(directory: AgentDirectory, settings: "Settings", home: Home) -> None:
    """A mistake in agents.toml is told to whoever needs that agent; memory, conversations and the
    other agents are there. Raises ConfigErrors for a default agent that is none."""
    try:
        team = directory.team
    except ConfigErrors:
        team = None
    if directory.error:
        _log.warning("agents.toml: %s", directory.error.message)
    elif team:
        check_default_agent(settings, team.slugs, str(home.config))


def _gateway(settings: "Settings", home: Home) -> "ModelGateway":
    from skill_agent.models.gateway import Gateway

    return Gateway(settings, home)


def _directory(home: Home, skillbook: "SkillBook") -> AgentDirectory:
    def known() -> list[str]:
        return [skill.name for skill in skillbook.skills()]

    return AgentDirectory(home.agents, known_skills=known)


def _index_opener(
    home: Home, settings: "Settings", options: OpenOptions, embedder: "Callable[[], Embedder]"
) -> "Callable[[], Any]":
    async def opened() -> "MemoryIndex":
        from ...store.embedders.choosing import embedder_named
        from ...store.lance_index.index import LanceIndex

        def named(name: str) -> "Embedder | None":
            return embedder_named(name, home.models, threads=settings.models.embedded.threads or 2)

        return await LanceIndex.open(
            home.index, embedder(), options.clock, named=named, only_reads=options.only_reads
        )

    return opened


def _embedder(home: Home, settings: "Settings") -> "Embedder":
    from ...store.embedders.choosing import chosen_embedder

    threads = settings.models.embedded.threads or 2
    return chosen_embedder(settings.models.roles.embed, home.models, threads=threads)


class _Redacting(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return redact(super().format(record))


class _LogFile(logging.handlers.RotatingFileHandler):
    def _open(self) -> TextIOWrapper:
        """Private whatever the umask says, also once the folder was opened to others."""
        handle = os.open(self.baseFilename, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        return TextIOWrapper(os.fdopen(handle, "ab"), encoding=self.encoding, errors=self.errors)

    def handleError(self, record: logging.LogRecord) -> None:
        """A log that cannot be written stops nobody, and is no matter for the screen."""


def log_to(home: Home) -> Callable[[], None]:
    """Sends our log lines to the home's log file, secrets removed; returns how to stop that."""
    file = home.logs / "skill-agent.log"
    with contextlib.suppress(OSError):
        file.parent.mkdir(mode=0o700, exist_ok=True)
    handler = _LogFile(file, maxBytes=1_000_000, backupCount=3, encoding="utf-8", delay=True)
    handler.setFormatter(_Redacting("%(asctime)s %(levelname)s %(name)s %(message)s"))
    logger = logging.getLogger("skill_agent")
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    logger.propagate = False

    def stop() -> None:
        logger.removeHandler(handler)
        handler.close()

    return stop
