"""Chores that are due although no host stays: done by a process of their own, after a command that
needed the home, so that nothing waits for them."""

import os
import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from skill_agent.files.home import Home
    from skill_agent.workstation import Workstation

ROLE = "chores"
"""What that process is to its person."""


async def are_due(runtime: "Workstation") -> bool:
    """Whether this process holds the home, will not stay, and a chore's time has passed."""
    # Only what holds a home has it. To ask for its class would load all that a host is made of, and
    # so would the settings in a process that only attaches.
    due = getattr(runtime, "chores_due", None)
    if due is None:
        return False
    wanted = runtime.settings.jobs
    return wanted.enabled and wanted.after_commands and await due()


def begin(home: "Home") -> None:
    """Starts the process, in a session of its own, and waits for nothing."""
    from skill_agent.files.refusals import is_read_only

    if is_read_only(home.root) or not os.access(home.root, os.W_OK):
        return
    subprocess.Popen(
        # -P: a folder that happens to lie in the working directory is no code of ours.
        [sys.executable, "-P", "-m", "skill_agent.cli", "--home", str(home.root), "jobs", "chores"],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        cwd=home.root, start_new_session=True,
    )  # fmt: skip
