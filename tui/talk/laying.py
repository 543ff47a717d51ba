"""What is laid beside the words: files, conversations, memories, pictures."""

import asyncio
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from textual import on
from textual.geometry import Region
from textual.widgets import TextArea

from skill_agent.errors import SkillAgentError, UsageError

from .choosing import Choosing
from .foot.composer import Composer
from .foot.suggestions import Suggestion, Suggestions

if TYPE_CHECKING:
    from skill_agent.workstation import Workstation

    from .foot.drafts import Beside


class Laying(Choosing):
    """Reads what is named and lays it beside the words, or says why not."""

    path_offered: str = ""
    """What was pasted and is a file that could be attached."""

    @property
    def suggestions(self) -> Suggestions:
        return self.query_one(Suggestions)

    def offer(self, offered: Sequence[Suggestion], *, fresh: bool = False) -> None:
        """Lists these above the composer."""
        self.suggestions.offer(offered, self._writing, fresh=fresh)
        self.call_after_refresh(self._follow_composer)

    @property
    def _writing(self) -> Region:
        return self.footer.query_one("#writing").region

    def on_resize(self) -> None:
        self.call_after_refresh(self._follow_composer)

    def _follow_composer(self) -> None:
        """The composer may have another height by now, or the screen another size."""
        if self.suggestions.display:
            self.suggestions.offer(self.suggestions.offered, self._writing, fresh=False)

    @on(Composer.PathPasted)
    def path_pasted(self, event: Composer.PathPasted) -> None:
        looking = partial(self._offer_path, event.path, event.text)
        self.run_worker(looking, group="suggest", exclusive=True)

    async def _offer_path(self, file: Path, pasted: str) -> None:
        from .foot.attaching import is_there

        if await asyncio.to_thread(is_there, file) and pasted in self.composer.text:
            self.path_offered = pasted
            offered = Suggestion(
                "path", f"Attach {file.name}", "its text goes beside your words", "Tab",
                mark="▪", value=("path", str(file)),
            )  # fmt: skip
            self.offer([offered], fresh=True)

    @on(TextArea.Changed, "#composer")
    def path_gone(self) -> None:
        if self.path_offered and not self.composer.text.endswith(self.path_offered):
            self.path_offered = ""
            self.suggestions.close()

    def attach_path(self, file: Path) -> None:
        pasted, self.path_offered = self.path_offered, ""
        attaching = partial(self.attach, "file", str(file), instead_of=pasted)
        self.run_worker(attaching, group="attach")

    async def attach(self, kind: str, value: str, *, instead_of: str = "") -> None:
        """Puts it beside the words, and takes out what stands for it there; or says why not."""
        key = self._key
        try:
            beside = await self._fetched(kind, value)
        except SkillAgentError as error:
            self.notify(error.hint or "", title=error.message, severity="warning", markup=False)
            return
        if key != self._key:
            return
        written = self.composer
        before, found, after = written.text.rpartition(instead_of) if instead_of else ("", "", "")
        if found:
            written.put((before + after).strip(" "), written.attachments)
        written.lay(beside)

    async def _fetched(self, kind: str, value: str) -> "Beside":
        from skill_agent.values import Image

        from .foot.attaching import TALK_MESSAGES, file_beside, memory_beside, talk_beside

        if kind == "file":
            beside = await asyncio.to_thread(file_beside, Path(value))
            if isinstance(beside, Image) and self._home is not None:
                await self._check_sight(self._home.runtime)
            return beside
        runtime = self._opened().runtime
        if kind == "memory":
            return memory_beside(await runtime.memory.get(value))
        said = await runtime.conversations.messages(value, last=2 * TALK_MESSAGES)
        return talk_beside(await runtime.conversations.find(value), said)

    async def _check_sight(self, runtime: "Workstation") -> None:
        """Said at once and not when the message is sent."""
        model = await runtime.models.info(self.speaker)
        if not model.profile.vision:
            raise UsageError(
                f"{model.name} reads no images",
                hint="choose an agent whose model does; the picture was not attached",
            )
