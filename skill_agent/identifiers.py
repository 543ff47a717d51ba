"""Identifiers and times: UUIDv7 strings (RFC 9562), which sort by the moment they were made."""

import random
import time
from datetime import UTC, datetime
from uuid import UUID


def new_id() -> str:
    """A fresh UUIDv7: 48 bits of milliseconds, then random bits."""
    milliseconds = time.time_ns() // 1_000_000
    # Not the system's own source of chance: that costs a system call for each event of a turn.
    value = milliseconds << 80 | random.getrandbits(80)
    value = (value & ~(0xF << 76)) | (0x7 << 76)
    value = (value & ~(0x3 << 62)) | (0x2 << 62)
    return str(UUID(int=value))


def made_ago(identifier: str) -> float:
    """Seconds since an id was made; 0 for one that tells no time, or one to come."""
    try:
        found = UUID(identifier)
    except ValueError:
        return 0.0
    return max(time.time() - (found.int >> 80) / 1000, 0.0) if found.version == 7 else 0.0


def iso(moment: datetime) -> str:
    """ISO 8601 in UTC, with microseconds and a trailing Z."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def parse_time(text: str) -> datetime:
    """The moment an ISO 8601 text names; without an offset it is taken as UTC."""
    moment = datetime.fromisoformat(text.strip().replace("Z", "+00:00"))
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
