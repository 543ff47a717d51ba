"""agents.toml: text in, the team out; every mistake of the file reported together.

Pure: no file is opened.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from skill_agent.errors import ConfigError, ConfigErrors, UsageError
from skill_agent.settings.mistakes import MOST_MISTAKES, check, dotted, shown, unknown_key
from skill_agent.settings.parsing import not_a_table, read_table, value_at
from skill_agent.settings.toml_places import KeyPath, line_of
from skill_agent.text.nearest import did_you_mean

from .dna import AgentDNA, TeamTable
from .doubts import doubts_of
from .sampling import checked_option

RESERVED = ("recommend",)
"""Slugs that would hide a path beside those of agents."""
MOST_AGENTS = 2_000
"""Of one file; more would take seconds to read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Team:
    """agents.toml as values: the agents in the file's order."""

    agents: tuple[AgentDNA, ...] = ()
    shared_skills: tuple[str, ...] = ()
    warnings: tuple[ConfigError, ...] = ()
    """What loads but is probably not meant."""
    mistakes: tuple[ConfigError, ...] = ()
    """Why agents of the file are not among these, or the file could not be read at all."""
    refused: tuple[str, ...] = ()
    """The slugs of those."""

    @property
    def slugs(self) -> tuple[str, ...]:
        return tuple(agent.slug for agent in self.agents)

    @property
    def error(self) -> ConfigErrors | None:
        """The mistakes as one error."""
        if not self.mistakes:
            return None
        return ConfigErrors(self.mistakes, hint="mend these, then run `ska agents validate`")


# -- agents.toml -----------------------------------------------------------------------------


def parse_agents(text: str, file: str, known_skills: Collection[str] | None = None) -> Team:
    """The whole team; raises ConfigErrors. With `known_skills`, names that are not there warn."""
    team = read_agents(text, file, known_skills)
    if error := team.error:
        raise error
    return team


def read_agents(text: str, file: str, known_skills: Collection[str] | None = None) -> Team:
    """The agents whose tables are in order, with the mistakes of the others; of a file that is
    no TOML, or mistaken all over, none."""
    problems: list[ConfigError] = []
    data, places = read_table(text, file, problems)
    if problems:
        return Team(mistakes=tuple(problems))
    shared, problems = _shared(data, file, places)
    agents: list[AgentDNA] = []
    tables = list(_agent_tables(data, file, places, problems))
    for slug, table in tables[:MOST_AGENTS]:
        agent, found = _agent(slug, table, shared, file, places)
        problems += found
        agents += [agent] if agent and not found else []
        if len(problems) >= MOST_MISTAKES:
            return _all_over(problems)
    problems += islice(_escalations(data, file, places), MOST_MISTAKES)
    if len(tables) > MOST_AGENTS:
        said = f"{len(tables)} agents; {MOST_AGENTS} are the most"
        return Team(mistakes=(ConfigError(said, file=file, key="agents"),))
    if not data.get("agents") and not problems:
        problems = [ConfigError("no agent: add a table such as [agents.kyra]", file=file)]
    if len(problems) >= MOST_MISTAKES:
        return _all_over(problems)
    return _team(agents, shared, problems, data, known_skills, file, places)


def _all_over(problems: list[ConfigError]) -> Team:
    problems = sorted(problems, key=lambda problem: problem.line)[:MOST_MISTAKES]
    more = ConfigError(f"{MOST_MISTAKES} mistakes or more; nothing of it is used")
    return Team(mistakes=(*problems, more))


def _team(
    agents: list[AgentDNA],
    shared: tuple[str, ...],
    problems: list[ConfigError],
    data: Mapping[str, Any],
    known_skills: Collection[str] | None,
    file: str,
    places: Mapping[KeyPath, int],
) -> Team:
    wrong = _mistaken(data, problems)
    whole = [agent for agent in agents if agent.slug not in wrong]
    warnings = islice(_warnings(whole, data, known_skills, file, places), MOST_MISTAKES)
    return Team(
        agents=tuple(whole),
        shared_skills=shared,
        warnings=tuple(warnings),
        mistakes=tuple(sorted(problems, key=lambda problem: problem.line)),
        refused=wrong,
    )


def _mistaken(data: Mapping[str, Any], problems: list[ConfigError]) -> tuple[str, ...]:
    """The slugs of the tables in which mistakes stand."""
    tables = data.get("agents")
    if not problems or not isinstance(tables, dict):
        return ()
    keys = [f"{problem.key}." for problem in problems]
    named = {slug: (f"{table}.", f"{table}[") for slug in tables if (table := _table(slug))}
    return tuple(
        slug for slug, begun in named.items() if any(key.startswith(begun) for key in keys)
    )


def _table(slug: str) -> str:
    return dotted(("agents", slug))


def _shared(
    data: Mapping[str, Any], file: str, places: Mapping[KeyPath, int]
) -> tuple[tuple[str, ...], list[ConfigError]]:
    unknown = (name for name in data if name not in ("team", "agents"))
    problems = [
        ConfigError(
            unknown_key(name, ("team", "agents")),
            file=file,
            line=line_of(places, (name,)),
            key=dotted((name,)),
        )
        for name in islice(unknown, MOST_MISTAKES)
    ]
    table = data.get("team", {})
    if not isinstance(table, dict):
        problems.append(not_a_table(("team",), table, file, places))
        table = {}
    team, found = check(TeamTable, table, file=file, places=places, prefix=("team",))
    return (team.shared_skill_names if team else ()), problems + found


def _agent_tables(
    data: Mapping[str, Any],
    file: str,
    places: Mapping[KeyPath, int],
    problems: list[ConfigError],
) -> Iterator[tuple[str, dict[str, Any]]]:
    tables = data.get("agents", {})
    if not isinstance(tables, dict):
        problems.append(not_a_table(("agents",), tables, file, places))
        return
    for slug, table in tables.items():
        if isinstance(table, dict):
            yield slug, table
        else:
            problems.append(not_a_table(("agents", slug), table, file, places))


def _agent(
    slug: str,
    table: Mapping[str, Any],
    shared: tuple[str, ...],
    file: str,
    places: Mapping[KeyPath, int],
) -> tuple[AgentDNA | None, list[ConfigError]]:
    written = table.get("slug", slug)
    if slug in RESERVED:
        said = f"{shown(slug)} is a word of the API; choose another slug"
        path = ("agents", slug)
        problem = ConfigError(said, file=file, line=line_of(places, path), key=dotted(path))
        return None, [problem]
    data = {"name": slug.replace("-", " ").title(), "shared_skill_names": shared, **table}
    agent, problems = check(
        AgentDNA, {**data, "slug": slug}, file=file, places=places, prefix=("agents", slug)
    )
    if written != slug:
        path = ("agents", slug, "slug")
        said = f"the table's name is the slug: expected {shown(slug)}, got {shown(written)}"
        problems.append(ConfigError(said, file=file, line=line_of(places, path), key=dotted(path)))
    problems += islice(_overrides(slug, table, file, places), MOST_MISTAKES)
    return agent, [_readable_slug(problem, slug) for problem in problems]


def _overrides(
    slug: str, table: Mapping[str, Any], file: str, places: Mapping[KeyPath, int]
) -> Iterator[ConfigError]:
    """Options that no agent may set: some would send its prompts, with all it remembers, to a
    server of the table's choosing."""
    options = value_at(table, ("model", "provider_overrides"))
    for name, value in options.items() if isinstance(options, dict) else ():
        try:
            checked_option(name, value)
        except UsageError as wrong:
            path = ("agents", slug, "model", "provider_overrides", name)
            said = f"{wrong.message}; {wrong.hint}" if wrong.hint else wrong.message
            yield ConfigError(said, file=file, line=line_of(places, path), key=dotted(path))


def _readable_slug(problem: ConfigError, slug: str) -> ConfigError:
    """The pattern of a slug in words, for the one mistake people make most."""
    if not problem.key.endswith(".slug") or "matching" not in problem.message:
        return problem
    wanted = "a lower-case letter, then lower-case letters, digits, - or _, at most 40 in all"
    return ConfigError(
        f"expected {wanted}, got {shown(slug)}",
        file=problem.file,
        line=problem.line,
        key=dotted(("agents", slug)),
    )


def _escalations(
    data: Mapping[str, Any], file: str, places: Mapping[KeyPath, int]
) -> Iterator[ConfigError]:
    # From the tables, so that an agent with other mistakes is neither skipped nor missed.
    tables: Any = data.get("agents")
    if not isinstance(tables, dict):
        return
    for slug, table in tables.items():
        path = ("agents", slug, "boundaries", "escalates_to")
        target = value_at(data, path) if isinstance(table, dict) else None
        if not isinstance(target, str) or (target in tables and target != slug):
            continue
        if target == slug:
            said = "an agent cannot escalate to itself"
        else:
            meant = did_you_mean(target, tables) or f"agents here: {', '.join(islice(tables, 20))}"
            said = f"expected the slug of an agent, got {shown(target)}; {meant}"
        yield ConfigError(said, file=file, line=line_of(places, path), key=dotted(path))


def _warnings(
    agents: list[AgentDNA],
    data: Mapping[str, Any],
    known: Collection[str] | None,
    file: str,
    places: Mapping[KeyPath, int],
) -> Iterator[ConfigError]:
    lists: list[tuple[KeyPath, Any]] = [(("team", "shared_skill_names"), data.get("team", {}))]
    fields = (
        "shared_skill_names", "custom_skill_names", "disabled_skill_names", "craft_skill_names"
    )  # fmt: skip
    for agent in agents:
        table = data["agents"][agent.slug]
        lists += [(("agents", agent.slug, field), table) for field in fields]
    for path, table in lists:
        names = value_at(table, (path[-1],))
        for index, name in enumerate(names if isinstance(names, list) else ()):
            if known is None or not isinstance(name, str) or name in known:
                continue
            meant = did_you_mean(name, known) or "`ska skills list` shows what there is"
            said = f"unknown skill {shown(name)}; {meant}"
            line = line_of(places, (*path, index))
            yield ConfigError(said, file=file, line=line, key=dotted(path))
    for agent in agents:
        for key, said in doubts_of(agent):
            path = ("agents", agent.slug, *key)
            yield ConfigError(said, file=file, line=line_of(places, path), key=dotted(path))
