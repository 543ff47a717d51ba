"""config.toml and the environment: precedence, origins, and mistakes told all at once."""

import pytest

from skill_agent.agents.schema import agents_schema
from skill_agent.errors import ConfigErrors
from skill_agent.settings.environment import environment_variable
from skill_agent.settings.mistakes import leaves
from skill_agent.settings.parsing import check_default_agent, parse_settings, setting_values
from skill_agent.settings.schema import Settings
from skill_agent.settings.template import default_config_text, settings_schema

FILE = "config.toml"


def mistakes(text: str, env: dict[str, str] | None = None) -> list[str]:
    with pytest.raises(ConfigErrors) as caught:
        parse_settings(text, FILE, env or {})
    assert caught.value.exit_code == 2
    return [str(problem) for problem in caught.value.problems]


def test_nothing_written_gives_the_defaults() -> None:
    settings, origins = parse_settings("", FILE, {})
    assert settings == Settings()
    assert {str(origin) for origin in origins.values()} == {"default"}


def test_the_environment_wins_over_the_file_and_the_file_over_the_default() -> None:
    text = '[models]\ndefault = "a/file"\ntimeout_s = 5\n'
    settings, origins = parse_settings(text, FILE, {"SKILL_AGENT_MODELS_DEFAULT": "b/env"})
    assert (settings.models.default, settings.models.timeout_s) == ("b/env", 5.0)
    assert str(origins["models.default"]) == "env SKILL_AGENT_MODELS_DEFAULT"
    assert str(origins["models.timeout_s"]) == "config.toml:3"
    assert str(origins["tui.theme"]) == "default"


def test_every_setting_has_a_variable_of_the_right_type() -> None:
    env = {
        "SKILL_AGENT_MODELS_FALLBACK": "a/b, c/d",
        "SKILL_AGENT_MODELS_API_BASE": "openai=http://127.0.0.1:8080/v1",
        "SKILL_AGENT_MODELS_ROLES_FAST": "x/y",
        "SKILL_AGENT_MODELS_EMBEDDED_CONTEXT_WINDOW": "4096",
        "SKILL_AGENT_MEMORY_RELEVANCE_FLOOR": "0.5",
    }
    settings, _ = parse_settings("", FILE, env)
    assert settings.models.fallback == ("a/b", "c/d")
    assert settings.models.api_base == {"openai": "http://127.0.0.1:8080/v1"}
    assert settings.models.roles.fast == "x/y"
    assert settings.models.embedded.context_window == 4096
    assert settings.memory.relevance_floor == 0.5
    names = [environment_variable(path) for path, _ in leaves(settings_schema())]
    assert len(set(names)) == len(names) == len(setting_values(settings))


def test_variables_that_are_not_ours_or_empty_are_left_alone() -> None:
    env = {"SKILL_AGENT_HOME": "/x", "SKILL_AGENT_DEBUG": "1", "SKILL_AGENT_MODELS_DEFAULT": " "}
    assert parse_settings("", FILE, env)[0] == Settings()


def test_all_mistakes_of_a_file_and_the_environment_come_together() -> None:
    text = '[models]\ndefualt = "x"\ntimeout_s = "1"\n\n[memroy]\nx = 1\n'
    found = mistakes(text, {"SKILL_AGENT_MEMORY_RELEVANCE_FLOOR": "high"})
    assert len(found) == 4
    assert found[0].startswith(
        'config.toml:2: models.defualt: unknown key; did you mean "default"?'
    )
    assert found[1] == 'config.toml:3: models.timeout_s: expected a number above 0, got "1"'
    assert found[2].startswith('config.toml:5: memroy: unknown key; did you mean "memory"?')
    assert found[3] == (
        'environment: SKILL_AGENT_MEMORY_RELEVANCE_FLOOR: expected a number, got "high"'
    )


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[general]\nuser = 1\n", "config.toml:2: general.user: expected text in quotes"),
        ("[models]\nfallback = 'a/b'\n", "config.toml:2: models.fallback: expected a list"),
        ("[models]\nfallback = [\n 'a/b',\n 3\n]", "config.toml:4: models.fallback[1]: expected"),
        ("models = 3\n", "config.toml:1: models: expected a table, got 3"),
        ("[memory]\nhistory_messages = 2.5\n", "expected a whole number of at least 2, got 2.5"),
        ("[memory]\nrelevance_floor = 2\n", "expected a number from 0 to 1, got 2"),
        ("[general]\ntheme = 'x'\n", 'unknown key; there is "tui.theme"'),
        ("[mcp.servers.a]\nurl = 'ftp://x'\n", "config.toml:2: mcp.servers.a.url: expected an"),
        ("[mcp.servers.a]\nurl = 'example.org'\n", "begins with http:// or https://"),
        ("[acp.programs.a]\ncommand = []\n", "expected a list that is not empty, each text in"),
        ("[models.embedded]\nthreads = true\n", "expected a whole number from 0 to 256, got true"),
    ],
)
def test_a_mistake_names_line_key_and_what_was_expected(text: str, told: str) -> None:
    (found,) = mistakes(text)
    assert told in found


@pytest.mark.parametrize(
    ("text", "line", "told"),
    [
        ("a = 1\nb = nonsense\n", 2, "Invalid value in: b = nonsense"),
        ("[models\n", 1, "in: [models"),
        ("a = 1\na = 2\n", 2, "Cannot overwrite a value"),
        ('a = """\nopen', 2, "Unterminated string"),
        ("a = " + "[" * 3000, 1, "not valid TOML"),
    ],
)
def test_a_syntax_error_names_its_line(text: str, line: int, told: str) -> None:
    with pytest.raises(ConfigErrors) as caught:
        parse_settings(text, FILE, {})
    assert caught.value.line == line
    assert told in str(caught.value)


def test_a_mistaken_variable_is_named_with_its_nearest() -> None:
    (found,) = mistakes("", {"SKILL_AGENT_MODELS_DEFALT": "x"})
    assert 'did you mean "SKILL_AGENT_MODELS_DEFAULT"?' in found
    (found,) = mistakes("", {"SKILL_AGENT_MODELS_TIMEOUT_S": "-1"})
    assert found == "environment: SKILL_AGENT_MODELS_TIMEOUT_S: expected a number above 0, got -1.0"
    for odd in ("nan", "inf", "9" * 5000):
        (found,) = mistakes("", {"SKILL_AGENT_MODELS_TIMEOUT_S": odd})
        assert "expected a number, got" in found
    (found,) = mistakes("", {"SKILL_AGENT_MODELS_API_BASE": "http://x"})
    assert "expected NAME=VALUE,NAME=VALUE" in found


def test_a_byte_order_mark_is_no_mistake() -> None:
    assert parse_settings('\ufeff[general]\nuser = "x"\n', FILE, {})[0].general.user == "x"


def test_the_default_text_parses_to_the_defaults_also_when_all_is_taken_in() -> None:
    text = default_config_text()
    assert parse_settings(text, FILE, {})[0] == Settings()
    taken_in = "\n".join(
        line.removeprefix("# ") if _is_setting(line) else line for line in text.splitlines()
    )
    settings, origins = parse_settings(taken_in, FILE, {})
    assert settings == Settings()
    assert {origin.kind for origin in origins.values()} == {"file"}


def _is_setting(line: str) -> bool:
    return line.startswith("# ") and line.split()[2:3] == ["="] and line.split()[1].islower()


def test_the_default_text_explains_every_key() -> None:
    lines = default_config_text().splitlines()
    for index, line in enumerate(lines):
        if _is_setting(line):
            assert lines[index - 1].startswith("# "), line


def test_chosen_values_are_written_as_settings() -> None:
    chosen = {"models.default": 'a/"quoted"', "models.fallback": ["x/y"], "models.timeout_s": 9}
    settings, origins = parse_settings(default_config_text(chosen), FILE, {})
    assert settings.models.default == 'a/"quoted"'
    assert settings.models.fallback == ("x/y",)
    assert {key for key, origin in origins.items() if origin.kind == "file"} == set(chosen)


def test_the_default_agent_must_exist() -> None:
    check_default_agent(Settings(), ("luke", "kyra"), FILE)
    with pytest.raises(ConfigErrors, match="expected the slug of an agent") as caught:
        check_default_agent(Settings(), ("luke", "kira"), FILE, 4)
    assert 'did you mean "kira"?' in str(caught.value)
    assert caught.value.line == 4


def test_schemas_describe_keys_and_refuse_unknown_ones() -> None:
    schema = settings_schema()
    models = schema["$defs"]["ModelSettings"]
    assert models["additionalProperties"] is False
    assert "litellm" in models["properties"]["default"]["description"]
    agents = agents_schema()
    assert "slug" not in agents["$defs"]["AgentDNA"]["properties"]
    assert agents["required"] == ["agents"]
