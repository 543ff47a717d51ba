"""What can be done with config.toml, as an interface with its routes.

On the machine of the home alone: settings say which programs may be started there.
"""

from typing import Protocol

from skill_agent.route import route
from skill_agent.values import Setting

ListOfSettings = list[Setting]  # `list` is a method


class ConfigOperations(Protocol):
    """The settings as config.toml and the environment have them now."""

    @route("GET", "/v1/config", scope="admin", local=True)
    async def list(self) -> ListOfSettings:
        """Every setting with its value, where that comes from, and what it may be."""
        ...

    @route("PATCH", "/v1/config/{key}", scope="admin", local=True)
    async def set(self, key: str, value: str, *, before: str | None = None) -> Setting:
        """Writes one setting into config.toml, if all of it is sound then. `value` is what one
        would write without quotes; lists with commas, or as TOML has them. Refused where the
        setting is no longer what `before` says it was."""
        ...

    @route("DELETE", "/v1/config/{key}", scope="admin", local=True)
    async def unset(self, key: str, *, before: str | None = None) -> Setting:
        """Takes one setting out of config.toml, so that its default holds."""
        ...
