"""What an outside program tells of its work: its plan, and files it changes."""

from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from .any_event import LONGEST_LINE, AnyEvent, one_line

StepState = Literal["pending", "in_progress", "completed"]
_MARKS = MappingProxyType({"pending": "☐", "in_progress": "▸", "completed": "☑"})
_MOST_COMPARED = 4_000
"""Lines; comparing more takes a while."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanStep:
    """One step of a plan."""

    text: str
    state: StepState = "pending"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanTold(AnyEvent):
    """The whole plan as it is now; each takes the place of the one before."""

    steps: tuple[PlanStep, ...]

    @property
    def line(self) -> str:
        done = sum(step.state == "completed" for step in self.steps)
        now = next((step.text for step in self.steps if step.state == "in_progress"), "")
        told = f"plan: {done} of {len(self.steps)} done"
        return one_line(f"{told}, now: {now}" if now else told)

    @property
    def checklist(self) -> list[str]:
        """A line for each step, with a mark of how it stands."""
        return [f"{_MARKS[step.state]} {step.text}" for step in self.steps]


@dataclass(frozen=True, slots=True, kw_only=True)
class DiffShown(AnyEvent):
    """A change of a file, as the program tells it."""

    path: str
    before: str
    """"" where the file is new."""
    after: str
    call: str = ""
    """The tool call it belongs to."""

    @property
    def line(self) -> str:
        was, now = self.before.splitlines(), self.after.splitlines()
        told = f"{self.path}: {len(was)} lines become {len(now)}" if was else f"{self.path} is new"
        return told[:LONGEST_LINE]

    def unified(self, most: int = 40) -> list[str]:
        """The change as lines of a unified diff, at most so many."""
        from difflib import unified_diff

        was, now = self.before.splitlines(), self.after.splitlines()
        if len(was) + len(now) > _MOST_COMPARED:
            return [self.line]
        lines = [*unified_diff(was, now, self.path, self.path, n=2, lineterm="")]
        rest = len(lines) - most
        return lines if rest <= 0 else [*lines[:most], f"… {rest} more lines"]


OutsideEvent = PlanTold | DiffShown
"""What only agents on outside programs tell."""
