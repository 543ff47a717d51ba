"""Whether anything runs at its time: jobs do only while a host stays."""

from ..output import narrate
from ..surroundings import Surroundings


def tell_without_host(around: Surroundings) -> None:
    """Says so where no host stays."""
    if around.api:
        return
    from ..host.up import staying_holder

    if staying_holder(around.home) is None:
        narrate(
            "jobs run only while a host is up, and none is now: `ska up` starts one, "
            "`ska service install` with every login"
        )
