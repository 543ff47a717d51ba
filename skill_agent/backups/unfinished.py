"""A restore that was cut short before its last step, told to whoever would make a new home."""

from skill_agent.errors import StoreError
from skill_agent.files.home import Home


def check_not_half_restored(home: Home) -> None:
    """Raises StoreError where a restored home only waits to be given its name."""
    if not home.root.exists() and home.restored.is_dir():
        raise StoreError(
            f"restoring {home.root} was cut short before its last step: {home.restored} is whole "
            "and waits to be put in its place",
            hint=f"mv '{home.restored}' '{home.root.resolve()}'",
        )
