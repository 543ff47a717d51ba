"""Keeps the terminal for the app alone while it runs.

Native libraries write warnings and panics straight to file descriptors 1 and 2, over whatever is
drawn. Both are pointed at a log file, and the app is given its own copy of the terminal.
"""

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def own_terminal(log: Path) -> Iterator[None]:
    """Inside, anything but the app that writes to stdout or stderr writes to the log."""
    log.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    kept_out, kept_err = os.dup(1), os.dup(2)
    real_out, real_err = sys.__stdout__, sys.__stderr__
    sink = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    # Textual draws through sys.__stderr__, which a person may have sent elsewhere, and measures
    # through sys.__stdout__: both become the terminal on stdout.
    screen = os.fdopen(os.dup(1), "w", encoding="utf-8", errors="replace")
    sys.__stdout__ = sys.__stderr__ = screen  # type: ignore[misc]
    try:
        os.dup2(sink, 1)
        os.dup2(sink, 2)
        yield
    finally:
        with contextlib.suppress(OSError, ValueError):
            screen.flush()
        os.dup2(kept_out, 1)
        os.dup2(kept_err, 2)
        sys.__stdout__, sys.__stderr__ = real_out, real_err  # type: ignore[misc]
        for descriptor in (kept_out, kept_err, sink):
            os.close(descriptor)
        screen.close()
