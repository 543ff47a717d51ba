"""The money of one collaboration: each task gets a slice of it, and what it leaves goes back."""

from dataclasses import dataclass, field

_ROUNDING = 1e-9


@dataclass(slots=True, eq=False)
class Slice:
    """What is set aside for one task."""

    usd: float


@dataclass(slots=True)
class Purse:
    """What may be spent in all, and what of it is spent or set aside. Taking and giving back do not
    wait, so that no two tasks see the same dollar."""

    most: float
    spent: float = 0.0
    _aside: list[Slice] = field(default_factory=list)

    @property
    def left(self) -> float:
        return max(0.0, self.most - self.spent - sum(one.usd for one in self._aside))

    @property
    def empty(self) -> bool:
        """Whether what is there is spent; a purse without money from the start pays for what is
        free."""
        return self.most > 0 and self.spent >= self.most - _ROUNDING

    def take(self, among: int) -> Slice:
        """An equal part of what is left, where so many still want one."""
        found = Slice(self.left / max(1, among))
        self._aside.append(found)
        return found

    def settle(self, part: Slice, cost: float) -> None:
        """What the task cost, in place of its slice."""
        self._aside.remove(part)
        self.spent += cost
