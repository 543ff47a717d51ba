"""Cuts a text where one of some others begins, piece by piece as it comes."""

from collections.abc import Sequence


class Stops:
    """Passes a text on up to the first stop; the stop itself is never shown."""

    def __init__(self, texts: Sequence[str] = ()) -> None:
        self._texts = tuple(filter(None, texts))
        self._held = ""
        self.found = False

    @property
    def wanted(self) -> bool:
        return bool(self._texts)

    def feed(self, piece: str) -> str:
        """What may be shown by now: what could be the beginning of a stop waits for the rest."""
        if self.found or not self._texts:
            return "" if self.found else piece
        text = self._held + piece
        places = [at for at in map(text.find, self._texts) if at >= 0]
        if places:
            self.found, self._held = True, ""
            return text[: min(places)]
        sure = len(text) - max(_begun(text, stop) for stop in self._texts)
        self._held = text[sure:]
        return text[:sure]

    def rest(self) -> str:
        """What waited, once nothing more comes."""
        held, self._held = self._held, ""
        return held


def until_stop(text: str, texts: Sequence[str]) -> str:
    """A whole text up to the first stop."""
    stops = Stops(texts)
    return stops.feed(text) + stops.rest()


def _begun(text: str, stop: str) -> int:
    """How many characters of the stop the text ends with."""
    longest = min(len(stop) - 1, len(text))
    return next((size for size in range(longest, 0, -1) if text.endswith(stop[:size])), 0)
