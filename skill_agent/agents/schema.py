"""The JSON schema of agents.toml, made from the models in `dna`."""

from typing import Any

from skill_agent.settings.template import DIALECT, described

from . import dna


def agents_schema() -> dict[str, Any]:
    """The JSON schema of agents.toml: `[team]` and one table per agent, named by its slug."""
    agent = described(dna.AgentDNA.model_json_schema(), dna)
    team = described(dna.TeamTable.model_json_schema(), dna)
    parts = agent.pop("$defs")
    pattern = agent["properties"].pop("slug")["pattern"]
    agent.pop("required", None)
    return {
        "$schema": DIALECT,
        "$id": "skill-agent:agents.toml",
        "title": "agents.toml",
        "type": "object",
        "properties": {
            "team": team,
            "agents": {
                "type": "object",
                "minProperties": 1,
                "propertyNames": {"pattern": pattern},
                "additionalProperties": {"$ref": "#/$defs/AgentDNA"},
            },
        },
        "required": ["agents"],
        "additionalProperties": False,
        "$defs": {**parts, "AgentDNA": agent},
    }
