"""The sets of a home: where what it offers is put together."""

from skill_agent.workstation import Workstation

from .sets import Changed, Sets


def sets_of(station: Workstation, changed: Changed) -> Sets:
    """What a home offers to other programs; `changed` is to be called when a list of tools is
    another one."""
    return Sets()
