"""How long to wait before something that failed is tried again."""

from dataclasses import dataclass

_MOST_DOUBLINGS = 60


@dataclass(frozen=True, slots=True)
class Backoff:
    """Pauses that double with each failure in a row, up to a longest one."""

    first_s: float
    longest_s: float

    def after(self, failures: int) -> float:
        """Seconds to wait after so many failures in a row; the first pause after none, too."""
        return min(self.first_s * 2.0 ** min(max(failures - 1, 0), _MOST_DOUBLINGS), self.longest_s)
