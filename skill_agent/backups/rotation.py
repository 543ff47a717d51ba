"""Which backups are kept: the newest of each of some days, and of each of some weeks."""

from collections.abc import Callable, Sequence
from datetime import datetime

from skill_agent.text.clock import day_of, local
from skill_agent.values import Backup


def outlived(backups: Sequence[Backup], *, days: int, weeks: int) -> list[Backup]:
    """Those, newest first, that are neither the newest of one of the last `days` days, nor that of
    one of the last `weeks` weeks on which there are any. The newest is never among them."""
    newest_first = sorted(backups, key=lambda one: (one.at, one.id), reverse=True)
    kept = {one.id for one in newest_first[:1]}
    kept |= _newest_of_each(newest_first, days, day_of)
    kept |= _newest_of_each(newest_first, weeks, lambda at: local(at).isocalendar()[:2])
    return [one for one in newest_first if one.id not in kept]


def _newest_of_each(
    newest_first: Sequence[Backup], most: int, span: Callable[[datetime], object]
) -> set[str]:
    first: dict[object, str] = {}
    for one in newest_first:
        first.setdefault(span(one.at), one.id)
    return {*[*first.values()][:most]}
