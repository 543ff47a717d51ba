"""The programs of other makes that an agent can run on."""

from skill_agent.settings.schema import AcpSettings

from .operations import ListOfPrograms, ProgramOperations


class Programs(ProgramOperations):
    """The known ones and those of the settings."""

    def __init__(self, settings: AcpSettings) -> None:
        self._settings = settings

    async def list(self) -> ListOfPrograms:
        return []
