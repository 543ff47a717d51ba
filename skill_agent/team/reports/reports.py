"""Reports: a task whose answer has to come in sections, read, checked, completed once and kept."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from skill_agent.agents.directory import AgentDirectory
from skill_agent.agents.dna import AgentDNA, ModelTier
from skill_agent.errors import SkillAgentError, UsageError
from skill_agent.identifiers import new_id
from skill_agent.ports import Clock
from skill_agent.settings.schema import ModelSettings
from skill_agent.team import operations
from skill_agent.team.mail.directory import Colleagues
from skill_agent.team.tasks.tasks import RunsTasks
from skill_agent.text.language import ENGLISH, language, language_of
from skill_agent.text.shaping import one_line
from skill_agent.values import (
    AgentTask,
    Memory,
    ModelInfo,
    NewMemory,
    NewTask,
    Report,
    ReportRequest,
    Source,
    all_origins,
)

from .formats import in_format
from .sections import Section, schema_of, sections_in
from .templates import Template, template_of, titled

_KEPT = 1_500
"""Characters of a report that are remembered; the whole of it stays in its task."""
_TITLE, _PARAMETERS = 200, 20

InfoOf = Callable[[str, str | None], Awaitable[ModelInfo]]
"""(agent, model) -> what it answers with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reports(operations.ReportOperations):
    """Makes the reports of one home."""

    directory: AgentDirectory
    colleagues: Colleagues
    tasks: RunsTasks
    settings: ModelSettings
    clock: Clock
    info: InfoOf
    remember: Callable[[NewMemory], Awaitable[Memory]]

    async def make(self, request: ReportRequest) -> Report:
        """Raises UsageError for a request that cannot be met, SkillAgentError where the agent
        gave nothing at all."""
        template = template_of(request)
        _check(request)
        dna = await self._agent(request, template)
        tier = self._tier(dna)
        small = (await self.info(dna.slug, tier)).profile.small
        wanted = template.sections(request.max_sections, few=small)
        first = await self._asked(dna, request, template, wanted, tier=tier, small=small)
        found = sections_in(first.result, wanted)
        runs = [first]
        if missing := [key for key in template.required if key not in found]:
            again = {key: wanted[key] for key in missing}
            there = in_format("markdown", template.name, request.title, found)
            more = await self._asked(
                dna,
                replace(request, origins=all_origins(request.origins, first.origins)),
                template,
                again,
                tier=tier,
                small=small,
                before=there,
            )
            runs.append(more)
            found |= _under_any_heading(more.result, again)
        found = {key: found[key] for key in wanted if key in found}
        if not found:
            why = first.error or "nothing it wrote was a section of the report"
            raise SkillAgentError(
                f"{dna.name} could not make the report: {why}",
                hint=f"give it more to go by with --about, or another agent: {first.id}",
            )
        return await self._made(dna, request, template, found, runs)

    async def _agent(self, request: ReportRequest, template: Template) -> AgentDNA:
        """Whoever is wanted, else whoever can do such work and has time for it."""
        if request.agent:
            dna = self.directory.get(request.agent)
            if dna.status != "active":
                hint = f"ska agents activate {dna.slug}"
                raise UsageError(f"{dna.name} is {dna.status}", hint=hint)
            return dna
        kind = template.name.replace("_", " ")
        for wanted in (kind, request.title):
            if found := await self.colleagues.find_experts([wanted]):
                return self.directory.get(found[0].id)
        everybody = await self.colleagues.find_experts()
        if not everybody:
            raise UsageError("no agent is active", hint="ska agents list")
        return self.directory.get(everybody[0].id)

    def _tier(self, dna: AgentDNA) -> ModelTier | None:
        """The best tier that anybody named a model for; the agent's own model otherwise."""
        own = {one.tier for one in dna.model.custom_tiers}
        roles = self.settings.roles
        if "powerful" in own or roles.powerful:
            return "powerful"
        return "balanced" if "balanced" in own or roles.balanced else None

    async def _asked(
        self,
        dna: AgentDNA,
        request: ReportRequest,
        template: Template,
        wanted: Mapping[str, str],
        *,
        tier: ModelTier | None,
        small: bool,
        before: str = "",
    ) -> AgentTask:
        """`before` is what there is already of a report that lacks something."""
        written = f"What you wrote before:\n{before}" if before else ""
        new = NewTask(
            assigned_to=dna.slug,
            instructions=_instructions(request, template, wanted, small=small),
            title=one_line(f"{titled(template.name)}: {request.title}", _TITLE),
            task_type=template.task,
            context="\n\n".join(part for part in (request.subject, written) if part),
            expected_output=", ".join(wanted),
            created_by=request.created_by,
            parent_task=request.parent_task,
            parent_turn=request.parent_turn,
            conversation=request.conversation,
            model=tier,
            origins=request.origins,
            requester=request.requester,
            interactive=False,  # whoever waits for a report is not asked for leave meanwhile
            response_schema=None if small else schema_of(wanted.keys()),
        )
        return await self.tasks.run(new)

    async def _made(
        self,
        dna: AgentDNA,
        request: ReportRequest,
        template: Template,
        found: Mapping[str, Section],
        runs: Sequence[AgentTask],
    ) -> Report:
        origins = all_origins(("agent",), request.origins, *(one.origins for one in runs))
        report = Report(
            id=new_id(),
            report_type=template.name,
            title=request.title,
            agent=dna.slug,
            sections={key: one.text for key, one in found.items()},
            missing=tuple(key for key in template.required if key not in found),
            text=in_format(request.format, template.name, request.title, found),
            task=runs[0].id,
            origins=origins,
            tokens_used=sum(one.tokens_used for one in runs),
            cost_usd=sum(one.cost_usd for one in runs),
            created_at=self.clock(),
        )
        return replace(report, memory=await self._kept(report, runs[0]))

    async def _kept(self, report: Report, task: AgentTask) -> str | None:
        """The report in short, as the agent's own memory. What others wrote of one stays in its
        task: outside text plants no memories."""
        if set(report.origins) - {"agent"}:
            return None
        first = next(iter(report.sections.values()))
        told = f"{titled(report.report_type)} “{report.title}”: {first}"
        kept = await self.remember(
            NewMemory(
                told if len(told) <= _KEPT else told[: _KEPT - 1] + "…",
                memory_type="procedural",
                agent=report.agent,
                importance=6,
                source=Source(session=task.session),
                source_type="extraction",
                origins=report.origins,
                actor=report.agent,
                reason="a report it made",
                metadata={"report": report.id, "task": task.id},
            )
        )
        return kept.id


def _check(request: ReportRequest) -> None:
    if not request.title.strip() or len(request.title) > _TITLE:
        raise UsageError(
            "the report needs a title of one line", hint=f"at most {_TITLE} characters"
        )
    if len(request.parameters) > _PARAMETERS:
        raise UsageError(f"a report has at most {_PARAMETERS} parameters")


def _instructions(
    request: ReportRequest, template: Template, wanted: Mapping[str, str], *, small: bool
) -> str:
    """What is asked for. A small model is shown plain headings, a strong one fills in a form."""
    lines = [f"Write the sections of a {template.name.replace('_', ' ')}: {request.title}"]
    lines += [f"{one_line(name, 60)}: {one_line(str(value), 300)}"
              for name, value in request.parameters.items()]  # fmt: skip
    named = "\n".join(f"- {key}: {meaning}" for key, meaning in wanted.items())
    if small:
        headings = "\n\n".join(f"## {titled(key)}\n({one})" for key, one in wanted.items())
        lines.append(
            f"Use exactly these headings, and write under each what it says:\n\n{headings}"
        )
    else:
        lines.append(
            "Give each of these sections once, under its key, with a title in the language of this "
            f"request and its text in Markdown:\n{named}"
        )
    code = language_of(request.title, otherwise=language_of(request.subject))
    if code != ENGLISH and (known := language(code)) and known.answer:
        lines.append(known.answer)
    return "\n".join(lines)  # what stands in paragraphs would look pasted


def _under_any_heading(text: str, missing: Mapping[str, str]) -> dict[str, Section]:
    """What came for the missing sections; where one alone was asked for, it may come bare."""
    found = sections_in(text, missing)
    if not found and len(missing) == 1 and text.strip():
        (key,) = missing
        return {key: Section(key=key, title=titled(key), text=text.strip())}
    return found
