"""What a piece of work may take, as purses within purses: a task's within its parent's, a
collaboration's round those of its tasks.

A call draws from its purse and all around it in one step, before it is made; what it did not take
goes back. Everything happens within one event loop, and in no step that could be cut in two.
Money with a limit of its own is set aside in the purse around it at once; tokens are not, for
whoever works beside it would find nothing left.
"""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from skill_agent.errors import BudgetExhausted

Cost = Callable[[int], float | None]
"""US dollars of a call whose reply has so many tokens; None where no price is known."""
_ROUNDING = 1e-9
"""Dollars by which sums of floating-point amounts may differ from what they should be."""


class Purse:
    """What one piece of work may take; None is no limit of its own."""

    def __init__(
        self,
        name: str,
        *,
        usd: float | None = None,
        tokens: int | None = None,
        around: "Purse | None" = None,
    ) -> None:
        """`name` is what a person would call the work. Raises BudgetExhausted where the purse
        around it is empty; where that has less than `usd`, less it is."""
        self.name, self.around = name, around
        self.usd, self.tokens = usd, tokens
        self.spent_usd, self.held_usd = 0.0, 0.0
        self.spent_tokens, self.held_tokens = 0, 0
        self.own_usd, self.own_tokens = 0.0, 0
        """What was spent by calls of its own, not by work within it."""
        self.closed = False
        self.refused = False
        """Whether a call was not made because its money, or that of work within it, was short."""
        self._changed = asyncio.Event()
        self._set_aside: Drawn | None = None
        if around is not None:
            around.check()
            left = around.left_usd
            if usd is not None and left is not None:
                self.usd = min(usd, left)
            if self.usd is not None:
                self._set_aside = Drawn(around, usd=self.usd, tokens=0, own=False)

    @property
    def left_usd(self) -> float | None:
        """Dollars it still may spend; None is no limit."""
        if self.usd is not None:
            return self.usd - self.spent_usd - self.held_usd
        return self.around.left_usd if self.around else None

    @property
    def left_tokens(self) -> int | None:
        """Tokens that neither it nor what is around it has spent or holds; None is no limit."""
        return min((left for left, _ in self._lefts()), default=None)

    def _lefts(self) -> "Iterator[tuple[int, Purse]]":
        for one in self.all_around:
            if one.tokens is not None:
                yield one.tokens - one.spent_tokens - one.held_tokens, one

    @property
    def all_around(self) -> Iterator["Purse"]:
        """This one, the one around it, and so on."""
        one: Purse | None = self
        while one is not None:
            yield one
            one = one.around

    def check(self) -> None:
        """Raises BudgetExhausted where nothing can be drawn, however long one waits."""
        for one in self.all_around:
            if one.closed:
                raise BudgetExhausted(f"{one.name} is over", hint="ska team list")
            if one.tokens is not None and one.spent_tokens >= one.tokens:
                raise _empty(one, f"its {one.tokens:,} tokens")

    async def draw(self, tokens: int, cost: Cost) -> "Drawn":
        """Takes what a call may use: at most so many tokens, fewer where fewer are left. Waits
        where others hold the rest, and raises BudgetExhausted where it is spent, or the money does
        not reach."""
        while True:
            self.check()
            left, tightest = min(self._lefts(), key=lambda pair: pair[0], default=(tokens, self))
            if (room := min(tokens, left)) > 0:
                break
            await tightest.change()
        usd, there = cost(room), self.left_usd
        if there is not None and (usd or 0.0) > there + _ROUNDING:
            for one in self.payers:
                one.refused = True
            told = "this call's price is unknown" if usd is None else f"it may cost ${usd:.4f}"
            raise _empty(self, f"${max(there, 0.0):.4f} is left, and {told}")
        return Drawn(self, usd=usd or 0.0, tokens=room)

    def close(self) -> None:
        """Nothing is drawn from it any more, and what was set aside for it goes back."""
        if self.closed:
            return
        self.closed = True
        if self._set_aside is not None:
            self._set_aside.settle(self.spent_usd, 0)
        self.tell()

    def tell(self) -> None:
        """Whoever waits for something here looks again."""
        self._changed.set()

    async def change(self) -> None:
        """Returns once something was given back or spent here."""
        self._changed.clear()
        await self._changed.wait()

    @property
    def payers(self) -> "list[Purse]":
        """The purses whose money it is: up to the first that has money set aside for it, which is
        held in the one around that already."""
        found: list[Purse] = []
        for one in self.all_around:
            found.append(one)
            if one.usd is not None:
                break
        return found


class Drawn:
    """What a call has taken, until it is known what it used."""

    def __init__(self, purse: Purse, *, usd: float, tokens: int, own: bool = True) -> None:
        self._purse, self.usd, self.tokens = purse, usd, tokens
        self._own, self._over = own, False
        for one in purse.all_around:
            one.held_tokens += tokens
        for one in purse.payers:
            one.held_usd += usd

    def settle(self, usd: float, tokens: int) -> None:
        """What was used instead of what might have been."""
        if self._over:
            return
        self._over = True
        for one in self._purse.all_around:
            one.held_tokens -= self.tokens
            one.spent_tokens += tokens
        self._pay(usd)
        if self._own:
            self._purse.own_usd += usd
            self._purse.own_tokens += tokens
        for one in self._purse.all_around:
            one.tell()

    def release(self) -> None:
        """Nothing was used."""
        self.settle(0.0, 0)

    def _pay(self, usd: float) -> None:
        payers = self._purse.payers
        for one in payers:
            one.held_usd -= self.usd
            one.spent_usd += usd
        while payers[-1].closed and (around := payers[-1].around) is not None:
            payers = around.payers  # its money went back before this was known
            for one in payers:
                one.spent_usd += usd


class Purses:
    """The purses of running work, by the turns that draw from them."""

    def __init__(self) -> None:
        self._by_turn: dict[str, Purse] = {}
        self._collaborations: dict[str, Purse] = {}

    @contextmanager
    def tied(self, turn: str, purse: Purse) -> Iterator[None]:
        """While this lasts, what is asked of models in a turn is drawn from a purse."""
        self._by_turn[turn] = purse
        try:
            yield
        finally:
            self._by_turn.pop(turn, None)

    @contextmanager
    def collaboration(
        self, key: str, name: str, *, usd: float | None, around: Purse | None = None
    ) -> Iterator[Purse]:
        """While this lasts, the tasks of a collaboration draw from one purse."""
        purse = Purse(name, usd=usd, around=around)
        self._collaborations[key] = purse
        try:
            yield purse
        finally:
            self._collaborations.pop(key, None)
            purse.close()

    def of(self, turn: str) -> Purse | None:
        return self._by_turn.get(turn)

    def of_collaboration(self, key: str | None) -> Purse | None:
        return self._collaborations.get(key) if key else None

    async def draw(self, turn: str, tokens: int, cost: Cost) -> Drawn | None:
        """What a turn's call takes; None where the turn has no purse. Raises BudgetExhausted."""
        purse = self._by_turn.get(turn)
        return await purse.draw(tokens, cost) if purse is not None else None


def _empty(purse: Purse, what: str) -> BudgetExhausted:
    return BudgetExhausted(
        f"the allowance of {purse.name} is used up: {what}",
        hint="ask for less at once, or allow more",
    )
