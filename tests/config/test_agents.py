"""agents.toml -> Team, and what is told of its mistakes."""

import pytest

from skill_agent.agents.dna import AgentDNA
from skill_agent.agents.identity import identity_text
from skill_agent.agents.parsing import Team, parse_agents
from skill_agent.errors import ConfigErrors
from skill_agent.files.bundled import bundled_agents_path, bundled_skills_path
from skill_agent.skills.book import SkillBook
from skill_agent.text.shaping import estimate_tokens

FILE = "agents.toml"


def mistakes(text: str) -> list[str]:
    with pytest.raises(ConfigErrors) as caught:
        parse_agents(text, FILE)
    return [str(problem) for problem in caught.value.problems]


@pytest.fixture
def seed() -> Team:
    text = bundled_agents_path().read_text(encoding="utf-8")
    return parse_agents(text, FILE, SkillBook([bundled_skills_path()]).names())


def test_the_seed_team_loads_without_a_warning(seed: Team) -> None:
    assert seed.slugs == ("kyra", "luke", "ada", "max")
    assert seed.warnings == ()
    assert all(agent.status == "active" for agent in seed.agents)


def test_the_seed_team_shows_every_field_somewhere(seed: Team) -> None:
    text = bundled_agents_path().read_text(encoding="utf-8")
    parts = [AgentDNA, *(field.annotation for field in AgentDNA.model_fields.values())]
    for part in parts:
        for name in getattr(part, "model_fields", {}):
            assert name == "slug" or name in text, name


def test_the_seed_prompts_are_short_enough_for_a_small_model(seed: Team) -> None:
    assert {agent.slug: estimate_tokens(identity_text(agent)) for agent in seed.agents} == {
        agent.slug: pytest.approx(200, abs=50) for agent in seed.agents
    }


def test_an_empty_table_is_an_agent_with_the_teams_skills() -> None:
    team = parse_agents('[team]\nshared_skill_names = ["a", "b"]\n[agents.zoe-x]\n', FILE)
    (zoe,) = team.agents
    assert (zoe.slug, zoe.name, zoe.status) == ("zoe-x", "Zoe X", "active")
    assert zoe.effective_skills == ("a", "b")


def test_effective_skills_are_shared_plus_custom_minus_disabled() -> None:
    text = """
    [team]
    shared_skill_names = ["weather", "clock"]
    [agents.a]
    custom_skill_names = ["code", "clock"]
    disabled_skill_names = ["weather"]
    [agents.b]
    shared_skill_names = []
    """
    first, second = parse_agents(text, FILE).agents
    assert first.effective_skills == ("clock", "code")
    assert second.effective_skills == ()


def test_the_order_of_the_file_is_kept() -> None:
    assert parse_agents("[agents.z]\n[agents.a]\n[agents.m]\n", FILE).slugs == ("z", "a", "m")


def test_all_mistakes_come_together_in_the_files_order() -> None:
    text = """\
[agnets.x]
[agents.Kyra]
[agents.luke]
personality.tone = "freindly"
[[agents.luke.personality.voice_examples]]
user_message = "x"
[agents.luke.boundaries]
escalates_to = "kyr"
max_autonomi = "x"
[agents.luke.model]
temperature = 3
custom_tiers = [{ tier = "fast" }]
"""
    found = mistakes(text)
    assert [problem.split(":")[1] for problem in found] == [
        "1", "2", "4", "5", "8", "9", "11", "12",
    ]  # fmt: skip
    assert 'did you mean "agents"?' in found[0]
    assert "expected a lower-case letter" in found[1]
    assert 'did you mean "friendly"?' in found[2]
    assert "voice_examples[0].agent_response: this key is required" in found[3]
    assert 'did you mean "Kyra"?' in found[4]
    assert 'did you mean "max_autonomy"?' in found[5]
    assert "agents.luke.model.temperature: expected a number from 0 to 2, got 3" in found[6]
    assert "custom_tiers[0].model_name: this key is required" in found[7]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "no agent: add a table"),
        ("agents = 3", "agents: expected a table, got 3"),
        ("[agents]\nkyra = 'x'", 'agents.kyra: expected a table, got "x"'),
        ("[agents.a]\nslug = 'b'", 'agents.a.slug: the table\'s name is the slug: expected "a"'),
        ("[agents.a.boundaries]\nescalates_to = 'a'", "an agent cannot escalate to itself"),
        ("[agents.a]\nname = ''", "expected text in quotes of 1 to 60 characters"),
        ("[agents.a]\npersonality = []", "agents.a.personality: expected a table, got a list"),
        ("[agents.a.personality.traits]\nkind = 'very'", "traits.kind: expected a number"),
        ("[agents.a]\nstatus = 'asleep'", '"draft", "active", "paused", "archived"'),
        ("[agents.a]\ncreated_at = 'soon'", "expected a date and time such as"),
        ('[agents."a b"]\n', 'agents."a b": expected a lower-case letter'),
        ("team = []\n[agents.a]", "team: expected a table, got a list"),
    ],
)
def test_a_mistake_says_what_was_expected(text: str, told: str) -> None:
    (found,) = mistakes(text)
    assert told in found


def test_unknown_skills_warn_with_their_line_and_the_nearest() -> None:
    text = '[team]\nshared_skill_names = [\n  "clock",\n  "wether",\n]\n[agents.a]\n'
    team = parse_agents(text, FILE, ("weather", "clock"))
    (warning,) = team.warnings
    assert str(warning) == (
        'agents.toml:4: team.shared_skill_names: unknown skill "wether"; did you mean "weather"?'
    )


def test_a_forced_tier_above_the_cap_warns() -> None:
    text = '[agents.a.model]\nforce_tier = "powerful"\nmax_tier = "fast"\n'
    (warning,) = parse_agents(text, FILE).warnings
    assert (warning.line, warning.key) == (2, "agents.a.model.force_tier")


def test_provider_overrides_take_anything() -> None:
    text = '[agents.a.model.provider_overrides]\nstop = ["x", "y"]\nextra = { a = 1.5 }\n'
    (agent,) = parse_agents(text, FILE).agents
    assert agent.model.provider_overrides == {"stop": ["x", "y"], "extra": {"a": 1.5}}
