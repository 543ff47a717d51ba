"""The composition root: the one place that joins core, stores and models into a runtime.

Everything heavy is imported when first needed, not here.
"""

import logging
import logging.handlers
import os
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from skill_agent.bundled import bundled_agents_path
from skill_agent.config import check_default_agent, parse_settings
from skill_agent.config_text import default_config_text
from skill_agent.directory import AgentDirectory
from skill_agent.errors import NotFound
from skill_agent.home import Home, find_home
from skill_agent.private_files import read_text, write_private
from skill_agent.safety import redact

if TYPE_CHECKING:
    from skill_agent.dna import Settings
    from skill_agent.ports import Clock, Embedder, MemoryIndex, ModelGateway, Progress
    from skill_agent.runtime import Runtime
    from skill_agent.skillbook import SkillBook

EMBEDDER = "all-minilm-l6-v2"


def _utc_now() -> datetime:
    return datetime.now(UTC)


@asynccontextmanager
async def open_home(
    path: str | os.PathLike[str] | None = None,
    *,
    create: bool = False,
    hosting: bool = False,
    gateway: "ModelGateway | None" = None,
    embedder: "Embedder | None" = None,
    clock: "Clock" = _utc_now,
) -> AsyncIterator["Runtime"]:
    """Opens a home and gives its runtime; the entry point for scripts and every front end.

    `path` defaults to SKILL_AGENT_HOME, then the platform's data directory. With `create` a
    missing home is made first. `hosting` says that the process stays open and may read, tidy up and
    prepare in the background. `gateway`, `embedder` and `clock` replace the real ones.
    Raises NotFound where there is no home, HomeBusy while another process owns it, ConfigError
    for a mistake in its files, LedgerTooNew for a ledger of a newer version.
    """
    home = find_home(path)
    if not home.exists:
        if not create:
            raise NotFound(f"there is no skill-agent home at {home.root}", hint="ska init")
        init_home(home)
    settings = read_settings(home)
    async with AsyncExitStack() as stack:
        runtime = await _build(home, settings, stack, gateway, embedder, clock, hosting=hosting)
        stack.push_async_callback(runtime.close)
        await runtime.begin()
        yield runtime


def init_home(home: Home, chosen: dict[str, Any] | None = None) -> list[str]:
    """Makes what a home lacks and leaves the rest alone; returns the names of what was made.

    `chosen` are settings by dotted key for a new config.toml.
    """
    made: list[str] = []
    for folder in (home.root, home.skills, home.models, home.logs, home.run, home.drafts):
        if not folder.is_dir():
            folder.mkdir(parents=True, mode=0o700)
            made.append(f"{folder.name}/")
        folder.chmod(0o700)
    if not home.agents.exists():
        write_private(home.agents, bundled_agents_path().read_text(encoding="utf-8"))
        made.append(home.agents.name)
    if not home.config.exists():
        write_private(home.config, default_config_text(chosen))
        made.append(home.config.name)
    return made


def read_settings(home: Home) -> "Settings":
    """The home's settings with the environment's on top; raises ConfigErrors."""
    settings, _ = parse_settings(read_text(home.config), str(home.config), dict(os.environ))
    return settings


def pull_model(name: str, home: Home, progress: "Progress | None" = None) -> Path:
    """Fetches and verifies a model, and readies an embedder for speed; returns where it lies.

    Raises NotFound for an unknown name, PullFailed with every source tried.
    """
    from skill_agent.models.pull import pull

    path = pull(name, home, progress, environ=_with_cache(os.environ))
    if (path / "model.onnx").is_file():
        from ..store.quantise import quantise

        quantise(path)
    return path


def _with_cache(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment with the user's cache folder, where it names none itself: a second home
    links what the first one fetched. Set but empty means no cache."""
    from platformdirs import user_cache_path

    from skill_agent.models.pull import CACHE_VARIABLE

    if CACHE_VARIABLE in environ:
        return dict(environ)
    cache = user_cache_path("skill-agent") / "models"
    cache.mkdir(parents=True, exist_ok=True)
    return {**environ, CACHE_VARIABLE: str(cache)}


async def _build(
    home: Home,
    settings: "Settings",
    stack: AsyncExitStack,
    gateway: "ModelGateway | None",
    embedder: "Embedder | None",
    clock: "Clock",
    *,
    hosting: bool,
) -> "Runtime":
    from skill_agent.memory.projector import Projector
    from skill_agent.runtime import Runtime
    from skill_agent.skillbook import SkillBook, skill_roots

    from ..store.ledger import DuckLedger
    from ..store.lock import HomeLock

    stack.enter_context(HomeLock(home.lock))
    stack.callback(_log_to(home))
    skillbook = SkillBook(skill_roots(home))
    directory = _directory(home, skillbook)
    check_default_agent(settings, directory.team.slugs, str(home.config))
    ledger = await DuckLedger.open(home.ledger, clock, user=settings.general.user)
    projector = Projector(ledger, _index_opener(home, settings, embedder, clock))
    return Runtime(
        home=home,
        settings=settings,
        ledger=ledger,
        projector=projector,
        directory=directory,
        skillbook=skillbook,
        gateway=gateway or _gateway(settings, home),
        clock=clock,
        hosting=hosting,
    )


def _gateway(settings: "Settings", home: Home) -> "ModelGateway":
    from skill_agent.models.gateway import Gateway

    return Gateway(settings, home)


def _directory(home: Home, skillbook: "SkillBook") -> AgentDirectory:
    def known() -> list[str]:
        return [skill.name for skill in skillbook.skills()]

    return AgentDirectory(home.agents, known_skills=known)


def _index_opener(
    home: Home, settings: "Settings", embedder: "Embedder | None", clock: "Clock"
) -> "Callable[[], Any]":
    async def opened() -> "MemoryIndex":
        from ..store.embed import embedder_named
        from ..store.index import LanceIndex

        def named(name: str) -> "Embedder | None":
            return embedder_named(name, home.models, threads=settings.models.embedded.threads or 2)

        wanted = embedder or _embedder(home, settings)
        return await LanceIndex.open(home.index, wanted, clock, named=named)

    return opened


def _embedder(home: Home, settings: "Settings") -> "Embedder":
    """The shipped embedder on onnxruntime, words alone until it is pulled; any other name through
    sentence-transformers."""
    from ..store.embed import OnnxEmbedder, SentenceTransformerEmbedder, WordsOnly

    name = settings.models.roles.embed.removeprefix("embedded/")
    folder = home.models / name
    if (folder / "model.onnx").is_file():
        return OnnxEmbedder(folder, threads=settings.models.embedded.threads or 2)
    if name == EMBEDDER:
        return WordsOnly()
    return SentenceTransformerEmbedder(name.removeprefix("sentence-transformers/"))


class _Redacting(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return redact(super().format(record))


def _log_to(home: Home) -> Callable[[], None]:
    """Sends our log lines to the home's log file, secrets removed; returns how to stop that."""
    file = home.logs / "skill-agent.log"
    handler = logging.handlers.RotatingFileHandler(
        file, maxBytes=1_000_000, backupCount=3, encoding="utf-8", delay=True
    )
    handler.setFormatter(_Redacting("%(asctime)s %(levelname)s %(name)s %(message)s"))
    logger = logging.getLogger("skill_agent")
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    logger.propagate = False

    def stop() -> None:
        logger.removeHandler(handler)
        handler.close()

    return stop
