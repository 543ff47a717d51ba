"""What front ends drive, as groups of operations with their routes."""

from skill_agent.memory.operations import MemoryOperations
from skill_agent.route import LimitClass, Operation, Route, Scope

from .interface import GROUPS, Workstation, table

__all__ = [
    "GROUPS",
    "LimitClass",
    "MemoryOperations",
    "Operation",
    "Route",
    "Scope",
    "Workstation",
    "table",
]
