"""The workstation as whoever asks may use it; what confines a key is said elsewhere."""

from starlette.requests import HTTPConnection

from skill_agent.access.confined import Confined
from skill_agent.api.door.auth import caller_of
from skill_agent.workstation import Workstation


def seen_by(station: Workstation, connection: HTTPConnection) -> Workstation:
    """All of it for the home's own person; for an API key what its scopes let it reach."""
    by = caller_of(connection).requester
    return station if by is None else Confined(station, by)
