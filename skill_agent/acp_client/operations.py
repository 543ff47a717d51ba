"""What can be asked of the programs agents can run on, as an interface with its routes."""

from typing import Protocol

from skill_agent.route import route
from skill_agent.values import OutsideProgram

ListOfPrograms = list[OutsideProgram]


class ProgramOperations(Protocol):
    """Programs of other makes."""

    @route("GET", "/v1/programs", scope="read", id="programs")
    async def list(self) -> ListOfPrograms:
        """The known ones and those of `[acp.programs]`, by name, and whether they are here."""
        ...
