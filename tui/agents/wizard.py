"""A new agent in a few steps, in one dialog: nothing is written before the last of them.

Enter goes on, Esc goes back; at the first step it leaves, and nothing has happened.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import ContentSwitcher, Input, OptionList, Static
from textual.widgets.option_list import Option

from skill_agent.agents.directory import slug_of
from skill_agent.errors import SkillAgentError
from skill_agent.values import ModelOffer, Skill

from ..frame.agents import avatar_of
from ..frame.key_bar import keyed
from ..frame.page import in_words
from ..frame.plain import one_line, printable
from .archetypes import ARCHETYPES, Archetype
from .draft import STEPS, Draft, free, step_of
from .model_rows import DEFAULT, matching, rows
from .tick_list import TickList

if TYPE_CHECKING:
    from skill_agent.agents.dna import AgentDNA

Create = Callable[[Draft], Awaitable["AgentDNA"]]
"""Writes it; raises SkillAgentError."""
LAST = len(STEPS) - 1
KEYS = "Enter goes on · Esc goes back"


class NewAgentDialog(ModalScreen["AgentDNA | None"]):
    """Gives the agent that was made, or None."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", "Back", show=False, priority=True),
        Binding("enter", "go_on", "Go on", show=False, priority=True),
    ]

    def __init__(
        self,
        taken: Sequence[str],
        create: Create,
        *,
        skills: Callable[[], Awaitable[list[Skill]]],
        offers: Callable[[], Awaitable[list[ModelOffer]]],
    ) -> None:
        """`taken` are the slugs there are."""
        super().__init__()
        self._taken, self._create = taken, create
        self._ask_skills, self._ask_offers = skills, offers
        self._draft, self._step, self._writing = Draft(), 0, False
        self._own_slug = self._own_avatar = False

    # -- layout ------------------------------------------------------------------------------

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog -wide -wizard"):
            yield Static("", markup=False, classes="dialog-title", id="wizard-title")
            with ContentSwitcher(initial="step-0", id="wizard-steps"):
                with Vertical(id="step-0"):
                    yield Static("Its name", classes="why")
                    yield Input(placeholder="Zoë", id="wizard-name", compact=True)
                    yield Static("Called by (@…)", classes="why")
                    yield Input(placeholder="zoe", id="wizard-slug", compact=True)
                    yield Static("In one line: who it is", classes="why")
                    yield Input(
                        placeholder="A gardener who knows the frost dates", id="wizard-tagline",
                        compact=True,
                    )  # fmt: skip
                with Vertical(id="step-1"):
                    yield OptionList(*(_kind(one) for one in ARCHETYPES), id="wizard-kind")
                with Vertical(id="step-2"):
                    yield Static("Space ticks · every agent has the team's as well", classes="why")
                    yield TickList(id="wizard-skills")
                with Vertical(id="step-3"):
                    yield OptionList(_usual(), id="wizard-model")
                    yield Static("Its sign: one emoji", classes="why -below")
                    yield Input(id="wizard-avatar", compact=True, max_length=4)
                with VerticalScroll(id="step-4", can_focus=True):
                    yield Static("", markup=False, id="wizard-preview")
            yield Static("", markup=False, classes="problem")
            yield Static(keyed(KEYS), classes="keys")

    def on_mount(self) -> None:
        for box in self.query(Input):
            box.cursor_blink = self.app.animation_level != "none"
        self.query_one("#wizard-avatar", Input).value = self._draft.avatar
        self._show(0)
        self.run_worker(self._fill_skills(), group="fill")
        self.run_worker(self._fill_models(), group="fill")

    async def _fill_skills(self) -> None:
        try:
            found = [one for one in await self._ask_skills() if one.loaded and not one.hidden]
        except SkillAgentError as error:
            self._tell(in_words(error))
            return
        self.query_one(TickList).put([(one.name, _skill(one)) for one in found])
        self._tick()

    async def _fill_models(self) -> None:
        try:
            offers = [one for one in await self._ask_offers() if not one.problem]
        except SkillAgentError:
            return  # the usual one is always there
        listing = self.query_one("#wizard-model", OptionList)
        listing.add_options(rows(matching(offers, ""), "", led=True))

    # -- what is said ------------------------------------------------------------------------

    @on(Input.Changed, "#wizard-name")
    def named(self, event: Input.Changed) -> None:
        self._draft = replace(self._draft, name=" ".join(event.value.split()))
        if not self._own_slug:
            slug = free(slug_of(self._draft.name), self._taken)
            with self.prevent(Input.Changed):
                self.query_one("#wizard-slug", Input).value = slug
            self._draft = replace(self._draft, slug=slug)
        self._tell("")

    @on(Input.Changed, "#wizard-slug")
    def called(self, event: Input.Changed) -> None:
        self._own_slug = bool(event.value)
        self._draft = replace(self._draft, slug=slug_of(event.value))
        self._tell("")

    @on(Input.Changed, "#wizard-tagline")
    def told(self, event: Input.Changed) -> None:
        self._draft = replace(self._draft, tagline=" ".join(event.value.split()))

    @on(Input.Changed, "#wizard-avatar")
    def drawn(self, event: Input.Changed) -> None:
        self._own_avatar = event.value.strip() != self._draft.kind.avatar
        self._draft = replace(self._draft, avatar=event.value.strip())

    @on(OptionList.OptionHighlighted, "#wizard-kind")
    def of_kind(self, event: OptionList.OptionHighlighted) -> None:
        kind = ARCHETYPES[event.option_index]
        self._draft = replace(self._draft, kind=kind)
        if not self._own_avatar:
            self.query_one("#wizard-avatar", Input).value = kind.avatar

    @on(OptionList.OptionHighlighted, "#wizard-model")
    def with_model(self, event: OptionList.OptionHighlighted) -> None:
        self._draft = replace(self._draft, model=event.option.id or DEFAULT)

    @on(TickList.Ticked)
    def ticked(self, event: TickList.Ticked) -> None:
        self._draft = replace(self._draft, skills=event.names)

    def _tick(self) -> None:
        """The skills that go with the kind, where none was ticked yet."""
        if not self._draft.skills:
            self.query_one(TickList).tick(*self._draft.kind.skills)

    # -- steps -------------------------------------------------------------------------------

    def action_go_on(self) -> None:
        """To the next step; at the last one it is written."""
        problem = self._draft.problem(self._step, self._taken)
        if self._step == 0 and self._typing_on(problem):
            self.focus_next()
        elif problem:
            self._tell(problem)
            field = "#wizard-name" if problem.startswith("name") else "#wizard-slug"
            self.query_one(field).focus()
        elif self._step < LAST:
            self._show(self._step + 1)
        elif not self._writing:
            self._writing = True
            self._write()

    def _typing_on(self, problem: str) -> bool:
        """Whether one goes on to the next line of the first step."""
        at = self.focused.id if self.focused else ""
        return (at == "wizard-name" and not problem.startswith("name")) or (
            at == "wizard-slug" and not problem
        )

    def action_back(self) -> None:
        if self._step:
            self._show(self._step - 1)
        else:
            self.dismiss(None)

    def _show(self, step: int) -> None:
        self._step = step
        self._tell("")
        title = f"New agent · {step + 1} of {len(STEPS)} · {STEPS[step]}"
        self.query_one("#wizard-title", Static).update(title)
        self.query_one(ContentSwitcher).current = f"step-{step}"
        keys = KEYS if step else KEYS.replace("goes back", "leaves, and nothing is made")
        if step == LAST:
            keys = KEYS.replace("goes on", "makes it")
        self.query_one(".keys", Static).update(keyed(keys))
        if step == 2:
            self._tick()
        if step == LAST:
            self._preview()
        first = ("#wizard-name", "#wizard-kind", "#wizard-skills", "#wizard-model", "#step-4")[step]
        found = self.query_one(first)
        if isinstance(found, OptionList) and found.highlighted is None and found.option_count:
            found.highlighted = 0
        found.focus()

    @work(group="preview", exclusive=True)
    async def _preview(self) -> None:
        draft = self._draft
        text = await asyncio.to_thread(toml_of, draft)
        self.query_one("#wizard-preview", Static).update(printable(text))

    @work(group="write")
    async def _write(self) -> None:
        try:
            made = await self._create(self._draft)
        except SkillAgentError as error:
            self._show(step_of(str(error), self._draft.slug))
            self._tell(in_words(error))
            return
        finally:
            self._writing = False
        self.dismiss(made)

    def _tell(self, words: str) -> None:
        box = self.query_one(".problem", Static)
        box.update(words)
        box.set_class(bool(words), "-shown")


def toml_of(draft: Draft) -> str:
    """What will stand at the end of agents.toml."""
    from skill_agent.agents.edits import with_agent

    table = {"status": "active", **draft.fields}
    head = "This is written at the end of agents.toml, with the day:\n\n"
    return head + with_agent("", draft.slug, table)


def _kind(kind: Archetype) -> Option:
    sign = avatar_of(kind.avatar)
    return Option(
        Content.assemble(
            (f"{sign} " if sign else "●  ", ""), (kind.name, "bold"),
            (f"  {kind.what}", "$foreground-muted"),
        ),
        id=kind.id,
    )  # fmt: skip


def _skill(skill: Skill) -> Content:
    told = skill.description if skill.trust in ("trusted", "approved") else "not approved yet"
    return Content.assemble((skill.name, "bold"), (f"  {one_line(told, 100)}", "$foreground-muted"))


def _usual() -> Option:
    return Option(
        Content.assemble(
            ("● ", "$success"), ("the usual one", "bold"),
            ("  what config.toml names", "$foreground-muted"),
        ),
        id=DEFAULT,
    )  # fmt: skip
