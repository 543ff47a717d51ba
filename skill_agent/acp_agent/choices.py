"""What a person chooses in the editor: who answers, and which model.

Older editors show the agents as modes, newer ones show options; both are told, both are taken.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from acp.schema import (
    SessionConfigOptionSelect,
    SessionConfigSelectOption,
    SessionMode,
    SessionModeState,
)

from skill_agent.agents.dna import AgentDNA
from skill_agent.errors import UsageError
from skill_agent.text.nearest import did_you_mean
from skill_agent.text.shaping import one_line
from skill_agent.values import ModelInfo
from skill_agent.workstation import Workstation

from .texts import shown

TEAM = "@team"
"""Whoever fits answers; no agent can have this name."""
AS_SET = "as set"
"""The model each agent has in its settings."""
AGENT, MODEL = "agent", "model"
_MOST_MODELS = 60


@dataclass(frozen=True, slots=True)
class Choices:
    """What there is to choose from in one session."""

    agents: Sequence[AgentDNA]
    models: Sequence[ModelInfo]
    team: bool
    """Whether the choice may be left to the team."""

    def agent(self, mode: str) -> str | None:
        """The agent of a mode; None for the team. Raises UsageError for none of these."""
        if mode == TEAM and self.team:
            return None
        known = [one.slug for one in self.agents]
        if mode not in known:
            raise UsageError(f"there is no mode {mode[:80]!r}", hint=did_you_mean(mode, known))
        return mode

    def model(self, name: str) -> str:
        """The model's name as it is asked for, "" for each agent's own; raises UsageError."""
        known = [one.name for one in self.models]
        if name not in (AS_SET, *known):
            raise UsageError(f"there is no model {name[:80]!r}", hint=did_you_mean(name, known))
        return "" if name == AS_SET else name

    def modes(self, current: str) -> SessionModeState:
        return SessionModeState(
            current_mode_id=current,
            available_modes=[
                SessionMode(id=one, name=name, description=about)
                for one, name, about in self._offered()
            ],
        )

    def options(self, mode: str, model: str) -> list[SessionConfigOptionSelect]:
        """The same as options, and the model where there is more than one."""
        agents = [
            SessionConfigSelectOption(value=one, name=name, description=about)
            for one, name, about in self._offered()
        ]
        found = [
            SessionConfigOptionSelect(
                id=AGENT,
                name="Agent",
                category="mode",
                type="select",
                current_value=mode,
                options=agents,
            )
        ]
        if self.models:
            models = [SessionConfigSelectOption(value=AS_SET, name="As each agent is set")]
            models += [SessionConfigSelectOption(value=m.name, name=m.name) for m in self.models]
            found.append(
                SessionConfigOptionSelect(
                    id=MODEL,
                    name="Model",
                    category="model",
                    type="select",
                    current_value=model or AS_SET,
                    options=models,
                )
            )
        return found

    def _offered(self) -> list[tuple[str, str, str]]:
        offered = [(one.slug, _plain(one.name), _plain(one.tagline)) for one in self.agents]
        team = (TEAM, "Team", "whoever fits the message answers")
        return [team, *offered] if self.team else offered


async def choices_of(station: Workstation, first: str | None) -> Choices:
    """Those of a home; the agent the command names stands first."""
    agents = [one for one in await station.agents.list() if one.status == "active"]
    agents.sort(key=lambda one: one.slug != first)
    models = [
        one
        for one in await station.models.list()
        if one.kind == "chat" and (one.installed or not one.local)
    ]
    return Choices(agents=agents, models=models[:_MOST_MODELS], team=first is None)


def _plain(text: str) -> str:
    return one_line(shown(text, 300), 200)
