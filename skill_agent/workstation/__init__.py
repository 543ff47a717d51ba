"""What front ends drive, as groups of operations with their routes."""

from .groups import (
    ErasureDesk,
    ExtractionDesk,
    FeedbackDesk,
    HostDesk,
    MemoryDesk,
    UpkeepDesk,
    UserDesk,
)
from .interface import GROUPS, Workstation, table
from .route import LimitClass, Operation, Route, Scope

__all__ = [
    "GROUPS",
    "ErasureDesk",
    "ExtractionDesk",
    "FeedbackDesk",
    "HostDesk",
    "LimitClass",
    "MemoryDesk",
    "Operation",
    "Route",
    "Scope",
    "UpkeepDesk",
    "UserDesk",
    "Workstation",
    "table",
]
