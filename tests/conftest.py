"""A home of its own for every test, runtimes over real stores, lanes and search profiles."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from itertools import count
from pathlib import Path

import pytest
import searching  # noqa: F401 - its profile holds from the first test on
from fakes import HashEmbedder, OpenRuntime, StepClock
from run_report import RunReport

from skill_agent.files.home import Home
from skill_agent.host.runtime import Runtime
from skill_agent.models.scripted import ScriptedGateway, ScriptedModel
from skill_agent.models.wire.litellm_ready import litellm_ready

REAL_FOLDERS = frozenset({
    "acp_agent", "acp_client", "api", "attach", "bots", "cli", "mcp_client", "mcp_server",
    "programs", "store", "tui",
})  # fmt: skip
"""Whose tests run whole stores, servers, screens or processes."""
REAL_FIXTURES = frozenset({"open_runtime", "gateway", "model_home"})
REAL_NAMES = frozenset({
    "DuckLedger", "DuckTables", "LanceIndex", "open_home", "open_runtime", "subprocess",
})  # fmt: skip
REAL_HELPERS = frozenset({"crash", "memory_home", "model_files", "shelf"})
"""What makes a test of another folder such a one: a fixture it asks for, a name its module has, or
where that name comes from."""


def pytest_configure(config: pytest.Config) -> None:
    # A shell ignores Ctrl+C for what it starts in the background, and children inherit that; the
    # tests of Ctrl+C would wait for ever.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    # nohup has SIGHUP ignored, for good, in whatever it starts.
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    for name in [*os.environ]:
        ours = name.startswith("SKILL_AGENT_") and name != "SKILL_AGENT_MODEL_CACHE"
        if ours or name.endswith("_API_KEY"):
            del os.environ[name]
    # No test finds the token of a bot of this machine's person, nor asks a keyring.
    os.environ.pop("TELEGRAM_BOT_TOKEN", None)
    os.environ["PYTHON_KEYRING_BACKEND"] = "keyring.backends.null.Keyring"
    # Hundreds of processes are started here; each would compile the whole product anew.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    config.pluginmanager.register(RunReport())
    if "PYTEST_XDIST_WORKER" in os.environ:
        # In a thread, beside a test whose filters make warnings errors, its import may break off.
        asyncio.run(litellm_ready())


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Gives every test its lane. `deep` and `slow` say so themselves; `real` and `fast` follow from
    where a test lies and what it takes."""
    real_modules: dict[object, bool] = {}
    for item in items:
        if getattr(getattr(item, "function", None), "is_hypothesis_test", False):
            item.add_marker("search")
        if item.get_closest_marker("deep") or item.get_closest_marker("slow"):
            continue
        module = getattr(item, "module", None)
        if module not in real_modules:
            real_modules[module] = is_real(item.path, module)
        asked = REAL_FIXTURES.intersection(getattr(item, "fixturenames", ()))
        item.add_marker("real" if real_modules[module] or asked else "fast")
    # Screens collect garbage after each turn, through all that other tests have loaded: they come
    # first, while that is little.
    items.sort(key=lambda item: "tui" not in item.path.parts)


def is_real(path: Path, module: object) -> bool:
    """Whether all tests of a module are taken for such that run stores or processes."""
    if path.relative_to(Path(__file__).parent).parts[0] in REAL_FOLDERS:
        return True
    names = vars(module) if module is not None else {}
    origins = {getattr(one, "__module__", None) for one in names.values()}
    return bool(REAL_NAMES & names.keys() or REAL_HELPERS & origins)


_homes = count()


@pytest.fixture(autouse=True)
def _own_surroundings(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """No test sees the machine's home. The folder is made for those alone that ask for one."""
    if "tmp_path" in request.fixturenames:
        home = request.getfixturevalue("tmp_path") / "home"
    else:
        home = tmp_path_factory.getbasetemp() / f"no-home-{next(_homes)}"
    os.environ["SKILL_AGENT_HOME"] = str(home)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """The paths of a home that is not made yet."""
    return Home(tmp_path / "home")


@pytest.fixture
def clock() -> StepClock:
    return StepClock()


@pytest.fixture
def open_runtime(home: Home, clock: StepClock) -> OpenRuntime:
    """Opens the test's home over real stores: `open_runtime(model)`."""
    from in_process import open_in_process

    @asynccontextmanager
    async def opened(model: ScriptedModel) -> AsyncIterator[Runtime]:
        opener = partial(open_in_process, home.root, create=True)
        gateway = ScriptedGateway(model)
        async with opener(gateway=gateway, embedder=HashEmbedder(), clock=clock) as runtime:
            yield runtime

    return opened
