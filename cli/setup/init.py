"""`ska init`: makes a home, chooses a model and fetches what is missing; changes nothing twice.

Nothing is fetched without a person's word or the command itself; other commands never do.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated

import typer

from skill_agent.errors import NotFound, PullFailed, SkillAgentError
from skill_agent.files.home import Home
from skill_agent.files.private import read_text, write_private

from ..options import YesOption, single
from ..output import emit_text, narrate
from ..surroundings import Surroundings, on_this_machine
from .embedding_offer import asked_embedder, named_embedder, take_up
from .fetching import fetch, size_text

if TYPE_CHECKING:
    from skill_agent.settings.schema import Settings
    from skill_agent.values import ModelTrial

EMBEDDED = "embedded/"

app = single()


@app.command()
def init(
    ctx: typer.Context,
    model: Annotated[
        str | None,
        typer.Option(
            "--model",
            "-m",
            metavar="NAME",
            help="Default model: one of `ska models list`, or any provider/model.",
        ),
    ] = None,
    embedder: Annotated[
        str | None,
        typer.Option("--embedder", metavar="NAME", help="What finds memories by meaning."),
    ] = None,
    yes: YesOption = False,
    no_pull: Annotated[bool, typer.Option("--no-pull", help="Fetch no model now.")] = False,
    offline: Annotated[
        bool, typer.Option("--offline", help="Use no network: fetch nothing, look for nothing.")
    ] = False,
) -> None:
    """Set up a home: settings, agents, skills and a model.

    Run it as often as you like: what is there stays as it is, what is missing is added. The
    verified model runs on this machine and needs no key. You are asked once: where the hub answers,
    the most able model that fits this machine is offered too, and an Ollama that is running or a
    key in the environment. Such a model is tried before it becomes the default. Where your locale
    is not English, you are asked a second time: for an embedder that knows your language.

    \b
    Examples:
      ska init
      ska init --yes --model smollm2-135m
      ska init --embedder use-multilingual-3
      ska init --model openai/gpt-4o-mini --no-pull
      ska --home /tmp/trial init --offline
    """  # fmt: skip
    around = on_this_machine(ctx)
    home = set_up(
        around,
        model=model,
        embedder=embedder,
        yes=yes,
        pull=not (no_pull or offline),
        look=not offline,
    )
    emit_text(str(home.root))


def set_up(
    around: Surroundings,
    *,
    model: str | None = None,
    embedder: str | None = None,
    yes: bool = False,
    pull: bool = True,
    look: bool = True,
    first_use: bool = False,
) -> Home:
    """Makes the home whole; narrates on stderr and asks for a model at most, and for an embedder
    where the locale's language wants another.

    On `first_use` somebody waits for something else: a person who wants no model gets no home
    (NotFound), and agents are not woken ahead. Raises ConfigError, NotFound or PullFailed.
    """
    from ..opening.home_files import init_home, read_settings

    home, asked = around.home, not yes and around.interactive
    name = _named(model, home) if model else ""
    reads = named_embedder(embedder) if embedder else None
    plan = _Plan(name=name, ask=asked, fetch=pull, untried=pull and _unverified(name))
    if home.exists:
        now = read_settings(home)  # a mistake in it is told before anything else happens
        plan = replace(plan, untried=plan.untried and name != now.models.default)
    elif not name:
        plan = _choose(around, plan, look=look)
        if first_use and plan.declined:
            raise NotFound(f"no home at {home.root}", hint="ska init")
        if reads is None and not first_use:
            reads = asked_embedder(around, ask=asked and plan.fetch)
    begin_with = plan.meanwhile if plan.untried else plan.name
    made = init_home(home, {"models.default": begin_with} if begin_with else None)
    narrate(f"made {', '.join(made)} in {home.root}" if made else f"{home.root} is set up")
    if plan.fetch:
        plan = _fetched(around, home, plan)
    if plan.name and read_settings(home).models.default != plan.name:
        _set(home, plan.name)
    if reads and (not plan.fetch or take_up(around, home, reads, must=embedder is not None)):
        _set(home, EMBEDDED + reads.name, role="embed")
    settings = read_settings(home)
    missing = [name for name in _needed(settings) if not _here(name, home)]
    asleep = not home.kv_cache.is_dir() or not any(home.kv_cache.iterdir())
    ready = settings.models.default.startswith(EMBEDDED) and not missing
    if plan.fetch and asleep and ready and not first_use:
        _wake(around)
    _say_next(settings.models.default, missing)
    return home


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plan:
    """What was decided so far."""

    name: str
    """The default model to be; empty leaves it as it is."""
    ask: bool
    """A person may still be asked something."""
    fetch: bool
    untried: bool = False
    """It becomes the default only once it was tried."""
    meanwhile: str = ""
    """The default of a new home until then; empty is that of the settings."""
    declined: bool = False


def _choose(around: Surroundings, plan: _Plan, *, look: bool) -> _Plan:
    """The default model of a new home; a person is asked, once."""
    from skill_agent.models.files.catalogue import entry
    from skill_agent.settings.schema import RoleSettings

    from .offers import ask_which, look_around

    found = look_around(around.home, hub=plan.ask and plan.fetch and look, providers=look)
    first, *others = found.offers
    if plan.ask and (plan.fetch or others):
        embedder = entry(RoleSettings().embed)
        extra = f"{size_text(embedder.size)} more are fetched for {embedder.good_at}"
        chosen = ask_which(around, found, extra if plan.fetch else "")
        if chosen is None:
            return replace(plan, name=first.name, ask=False, fetch=False, declined=True)
        return replace(
            plan, name=chosen.name, ask=False, untried=chosen.untried, meanwhile=first.name
        )
    if found.warning:
        narrate(f"warning: {found.warning}")
    for other in others:
        narrate(f"{other.label}; to use it: ska init --model {other.name}")
    return replace(plan, name=first.name)


def _needed(settings: "Settings", default: str = "") -> list[str]:
    """The models of this machine that a home cannot do without, with another default if named."""
    wanted = (settings.models.roles.embed, default or settings.models.default)
    return [name for name in dict.fromkeys(wanted) if name.startswith(EMBEDDED)]


def _fetched(around: Surroundings, home: Home, plan: _Plan) -> _Plan:
    """Fetches what is missing, and tries a model that is not verified before it is the default."""
    from ..opening.home_files import read_settings

    settings = read_settings(home)
    wanted = _needed(settings, plan.name)
    missing = [one for one in wanted if not _here(one, home)]
    if missing and plan.ask and not _agreed(around, missing):
        return replace(plan, fetch=False)
    try:
        for name in missing:
            _fetch(around, home, name)
        problem = _fault(around, plan.name) if plan.untried else ""
    except PullFailed as failed:
        if not plan.untried or _here(plan.name, home):
            raise
        problem = failed.message
    if not problem:
        return plan
    fallback = settings.models.default
    narrate(f"{plan.name} is not made the default: {problem}. It stays {fallback}")
    if fallback.startswith(EMBEDDED) and not _here(fallback, home):
        _fetch(around, home, fallback)
    return replace(plan, name=fallback)


def _agreed(around: Surroundings, missing: Sequence[str]) -> bool:
    """The one question where the model is given already."""
    from skill_agent.models.files.catalogue import entry

    from .offers import cost_text

    models = [entry(name) for name in missing]
    titles = " and ".join(f"{one.title} ({one.licence})" for one in models)
    return around.confirm(f"Fetch {titles}: {cost_text(sum(one.likely_size for one in models))}?")


def _unverified(name: str) -> bool:
    """Whether it is a model of this machine that was not tried with everything here."""
    from skill_agent.models.files.catalogue import TINY, VERIFIED

    return name.startswith(EMBEDDED) and name.removeprefix(EMBEDDED) not in (VERIFIED, TINY)


def _fault(around: Surroundings, name: str) -> str:
    """Tries a model here and says what it did; why it should not be used, empty if nothing is."""
    from skill_agent.models.trial import fault

    from ..event_loop import run

    async def tried() -> "ModelTrial":
        async with around.open_home(role="init") as runtime:
            return await runtime.models.test(name, progress=lambda *said: narrate(said[2]))

    narrate(f"trying {name}: loading it, one reply, one form to fill in")
    try:
        trial = run(tried())
    except SkillAgentError as problem:
        return problem.message
    narrate(f"it said {trial.text!r} after {trial.seconds:.1f} s")
    return fault(trial)


def _named(model: str, home: Home) -> str:
    """`provider/model`; a bare name must be one of the catalogue's or a file of the person's own.
    Raises NotFound."""
    if "/" in model and not model.startswith(EMBEDDED):
        return model
    from skill_agent.models.files.catalogue import entry
    from skill_agent.models.files.installed import loose_file

    bare = model.removeprefix(EMBEDDED)
    return EMBEDDED + (bare if loose_file(bare, home) else entry(bare).name)


def _here(name: str, home: Home) -> bool:
    from skill_agent.models.files.installed import installed

    return installed(name, home)


def _fetch(around: Surroundings, home: Home, name: str) -> None:
    from skill_agent.models.files.catalogue import entry

    model = entry(name)
    size = size_text(model.likely_size)
    narrate(f"fetching {model.title} ({size}, {model.licence}): {model.good_at}")
    fetch(around, home, name)


def _wake(around: Surroundings) -> None:
    """Lets the agents read their instructions now: their first replies then start in seconds."""
    from ..event_loop import run

    async def prepare() -> None:
        async with around.open_home(role="init") as runtime:
            default = runtime.settings.general.default_agent
            agents = [one for one in await runtime.agents.list() if one.status == "active"]
            agents.sort(key=lambda one: one.slug != default)
            for number, agent in enumerate(agents, start=1):
                narrate(f"waking {agent.name} ({number} of {len(agents)})")
                await runtime.turns.prepare(agent.slug)

    try:
        run(prepare())
    except SkillAgentError as problem:
        narrate(f"not now: {problem.message}")


def _set(home: Home, name: str, *, role: str = "") -> None:
    """Sets `models.default`, or a role, in config.toml and leaves everything else in it alone."""
    import tomlkit

    document = tomlkit.parse(read_text(home.config))
    table = document.setdefault("models", tomlkit.table())
    if role:
        table = table.setdefault("roles", tomlkit.table())
    if table.get(role or "default") == name:
        return
    table[role or "default"] = name
    write_private(home.config, tomlkit.dumps(document))
    narrate(f"the {role or 'default'} model is now {name}")


def _say_next(model: str, missing: Sequence[str]) -> None:
    for name in missing:
        narrate(f"not here yet: {name}; ska models pull {name.removeprefix(EMBEDDED)}")
    if missing and model in missing:
        return
    narrate(f"ready with {model}. Next:")
    narrate('  ska ask "@kyra hello"   one question')
    narrate("  ska                     the workstation")
