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
        ("[agents.a]\nruns = { acp = [] }", "agents.a.runs.acp: name a program, or give a command"),
        ("[agents.a]\nruns = { acp = '' }", "agents.a.runs.acp: name a program, or give a command"),
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


def test_provider_overrides_are_options_of_sampling() -> None:
    text = '[agents.a.model.provider_overrides]\nstop = ["x", "y"]\ntop_p = 0.5\nmirostat = 2\n'
    (agent,) = parse_agents(text, FILE).agents
    assert agent.model.provider_overrides == {"stop": ["x", "y"], "top_p": 0.5, "mirostat": 2}


@pytest.mark.parametrize(
    ("override", "told"),
    [
        ("api_base = 'http://x/v1'", "addresses stand in config.toml: [models] api_base = {"),
        ("base_url = 'http://x/v1'", "addresses stand in config.toml"),
        ("custom_llm_provider = 'openai'", "addresses stand in config.toml"),
        ("extra_headers = { a = 'b' }", "addresses stand in config.toml"),
        ("api_key = 'x'", "keys stand in the environment"),
        ("model = 'openai/x'", "model_name in agents.toml"),
        ("messages = []", "messages is no option of a reply"),
        ("tools = []", "tools is no option of a reply"),
        ("extra_body = { model = 'x' }", "extra_body is no option of a reply"),
        ("top_p = 7", "top_p is a number from 0 to 1, not 7"),
        ("top_k = nan", "inf and nan are no numbers here"),
        ("logit_bias = { a = 2026-01-01 }", "logit_bias is no value that can be sent"),
    ],
)
def test_an_override_of_anything_else_is_a_mistake(override: str, told: str) -> None:
    (found,) = mistakes(f"[agents.a]\n[agents.a.model.provider_overrides]\n{override}\n")
    assert told in found
    assert found.startswith("agents.toml:3: agents.a.model.provider_overrides.")


@pytest.mark.parametrize(
    ("table", "key", "told"),
    [
        ("boundaries.allow_private_addresses = true", "allow_private_addresses", "this machine"),
        ("boundaries.allowed_domains = ['*']", "allowed_domains[0]", "matches no host"),
        ("boundaries.allowed_domains = ['a.org', '*.com']", "allowed_domains[1]", "of .com"),
        ("boundaries.allowed_domains = ['a.*.org']", "allowed_domains[0]", "matches no host"),
        (
            "boundaries.cannot_do = ['lie']\npersonality.system_prompt_template = 'Be {name}.'",
            "system_prompt_template",
            "no {never_rules}",
        ),
        (
            "personality.always_rules = ['ask']\npersonality.system_prompt_template = 'x'",
            "system_prompt_template",
            "no {always_rules}",
        ),
    ],
)
def test_what_gives_more_than_is_meant_warns(table: str, key: str, told: str) -> None:
    (warning,) = parse_agents(f"[agents.a]\n{table}\n", FILE).warnings
    assert warning.key.endswith(key) and told in warning.said
    assert warning.line == table.count("\n") + 2


def test_a_template_with_every_rule_warns_of_nothing() -> None:
    text = "[agents.a.personality]\nnever_rules = ['x']\nsystem_prompt_template = '{never_rules}'"
    assert parse_agents(text, FILE).warnings == ()
