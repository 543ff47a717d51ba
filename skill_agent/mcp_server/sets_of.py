"""The sets of a home: where what it offers is put together, and who looks for changes of it."""

from collections.abc import Callable

from skill_agent.workstation import Workstation

from .sets import Changed, Sets


def sets_of() -> Sets:
    """What a home offers to other programs; whose home it is, each visit says."""
    from .offered import all_sets
    from .skill_tools import SkillToolSet

    found = all_sets()
    return Sets(
        tools=(*found.tools, SkillToolSet()), resources=found.resources, prompts=found.prompts
    )


def watching(station: Workstation, changed: Changed) -> Callable[[], None]:
    """Has `changed` called for each agent whose tools are others now, until what it gives is
    called. In the process of the host only."""
    return station.skill_tools.on_change(changed)
