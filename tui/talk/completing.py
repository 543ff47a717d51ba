"""What is suggested while the person writes: commands after `/`, names after `@`, a pasted path.

The list lies over the conversation. What is typed is looked at when a key comes as well as when
the text has changed, so that a key that is quick means what it would mean if it were slow.
"""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from textual import on
from textual.widgets import TextArea

from ..frame.deeds import Deed, deeds_of
from .foot.commands import commands_begun, deed_of, no_such
from .foot.suggestions import Suggestion, Suggestions
from .foot.wish import Wish, command_in, wish_at
from .laying import Laying

if TYPE_CHECKING:
    from .foot.naming import Naming


def _same_place(one: Wish | None, other: Wish | None) -> bool:
    """Whether both are of the same `/` or `@`."""
    if one is None or other is None:
        return False
    return (one.kind, one.row, one.begin) == (other.kind, other.row, other.begin)


class Completing(Laying):
    """The list of suggestions, and what choosing one does."""

    _wish: Wish | None = None
    """What is suggested for now."""
    _left: Wish | None = None
    """What the person wants no suggestions for."""
    _found: Sequence[Suggestion] = ()
    """What was looked up for the wish; agents and commands are known at once."""
    _naming: "Naming | None" = None

    def on_mount(self) -> None:
        self.composer.heed = self._heed

    @on(TextArea.Changed, "#composer")
    @on(TextArea.SelectionChanged, "#composer")
    def suggest(self) -> None:
        """What is typed may name something else now."""
        written = self.composer
        wish = wish_at(written.text, *written.cursor_location)
        if written.selection.start != written.selection.end or self.focused is not written:
            wish = None
        if not _same_place(wish, self._left):
            self._left = None
        if wish is None or self._left is not None:
            self._wish, self._found = None, ()
            if not self.path_offered:
                self.suggestions.close()
            return
        if wish != self._wish:
            begun = not _same_place(wish, self._wish)
            self._wish, self._found = wish, () if begun else self._found
            self._draw(fresh=True)
            if wish.kind == "name":
                self._look_up(wish, begun=begun)

    def suggest_anew(self) -> None:
        """More can be named now than when it was typed."""
        self._wish = None
        self.suggest()

    def on_descendant_blur(self) -> None:
        self.suggest()

    def _draw(self, *, fresh: bool = False) -> None:
        wish = self._wish
        if wish is None:
            return
        if wish.kind == "command":
            offered = commands_begun(self._can_be_done(), wish.typed)
        elif self._home is None:
            offered = []
        else:
            from .foot.naming import agents_named

            offered = [*agents_named(self.members(), wish.typed), *self._found]
        self.offer(offered, fresh=fresh)

    def _can_be_done(self) -> list[Deed]:
        """The deeds with a command that mean something now."""
        return [
            one
            for one in deeds_of(self)
            if one.slash and one.label and one.action and self.foot_label(one) is not None
        ]

    def foot_label(self, deed: Deed) -> str | None:
        return deed.label

    # -- what is looked up -------------------------------------------------------------------

    def _look_up(self, wish: Wish, *, begun: bool) -> None:
        if self._home is None:
            return
        if self._naming is None:
            from .foot.naming import Naming

            self._naming = Naming(self._folder, self._home.runtime)
        if begun:
            self._naming.forget()
        looking = partial(self._fill, self._naming, wish)
        self.run_worker(looking, group="suggest", exclusive=True)

    async def _fill(self, naming: "Naming", wish: Wish) -> None:
        async for found in naming.found(wish.typed):
            if self._wish != wish:
                return
            self._found = found
            self._draw()

    # -- keys --------------------------------------------------------------------------------

    def _heed(self, key: str) -> bool:
        """Whether the key is for what is suggested; the text may be newer than the list."""
        self.suggest()
        listed = self.suggestions
        if listed.display:
            if key in ("up", "down"):
                listed.step(-1 if key == "up" else 1)
                return True
            if key == "escape":
                self._left, self._wish = self._wish, None
                self.path_offered = ""
                listed.close()
                return True
            if key in ("tab", "enter") and self._take(key):
                return True
        return key == "enter" and self._command()

    def _take(self, key: str) -> bool:
        listed = self.suggestions
        chosen = listed.chosen or (listed.offered[0] if key == "tab" else None)
        if chosen is None:
            return False
        if key == "enter" and self._is_whole(chosen):
            listed.close()
            return False
        self.pick(chosen, whole=key == "tab")
        return True

    def _is_whole(self, chosen: Suggestion) -> bool:
        """Whether it stands there already, so that Enter means the message."""
        wish = self._wish
        return wish is not None and chosen.value == ("agent", wish.typed.lower())

    @on(Suggestions.Picked)
    def picked(self, event: Suggestions.Picked) -> None:
        self.pick(event.suggestion)
        self.write()

    def pick(self, chosen: Suggestion, *, whole: bool = False) -> None:
        """Does what the person chose; with `whole` a command is only written out."""
        kind, value = chosen.value
        wish = self._wish
        self.suggestions.close()
        if kind == "command" and whole:
            self.composer.put(f"/{value}", self.composer.attachments)
            self._left = wish_at(self.composer.text, *self.composer.cursor_location)
        elif kind == "command":
            self._run(value)
        elif kind == "agent" and wish is not None:
            self.composer.complete(wish.row, wish.begin, f"@{value} ")
        elif kind == "path":
            self.attach_path(Path(value))
        elif wish is not None:
            self.composer.complete(wish.row, wish.begin, "")
            self.run_worker(partial(self.attach, kind, value), group="attach")
        self._wish = None

    # -- commands ----------------------------------------------------------------------------

    def _command(self) -> bool:
        """Whether the message was a command: done, or the nearest is said and the text kept."""
        command = command_in(self.composer.text)
        if command is None:
            return False
        deeds = self._can_be_done()
        deed = deed_of(command, deeds)
        if deed is None:
            self.notify(no_such(command, deeds), severity="warning", markup=False)
        elif command.rest and not self._choose_named(deed, command.rest):
            told = f"/{deed.slash} takes nothing after it. // at the beginning sends it as words."
            self.notify(told, severity="warning", markup=False)
        elif not command.rest:
            self._run(deed.slash)
        return True

    def _choose_named(self, deed: Deed, name: str) -> bool:
        """`/agent luke` chooses at once."""
        slug = name.removeprefix("@").lower()
        if deed.id != "talk.agents" or slug not in [one.slug for one in self.members()]:
            return False
        self._emptied()
        self.choose(slug)
        return True

    def _run(self, slash: str) -> None:
        deed = next((one for one in self._can_be_done() if one.slash == slash), None)
        if deed is not None:
            self._emptied()
            doing = partial(self.app.run_action, deed.action, default_namespace=self)
            self.call_later(doing)

    def _emptied(self) -> None:
        """The command is gone from the text; what was pasted stays."""
        self.suggestions.close()
        self.composer.put("", self.composer.attachments)
