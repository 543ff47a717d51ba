"""What happens while nobody types: runs of jobs, background work, questions, the inbox, bridges."""

from dataclasses import dataclass

from skill_agent.values import (
    AnswerAction,
    BridgeState,
    DeliveryState,
    ItemSort,
    RunState,
    WorkState,
)

from .any_event import AnyEvent, one_line


@dataclass(frozen=True, slots=True, kw_only=True)
class _Automatic(AnyEvent):
    session: str = ""
    turn: str = ""
    agent: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRunChanged(_Automatic):
    """A run of a job is in another state, and that is durable."""

    job: str
    run: str
    name: str
    state: RunState
    late: bool = False
    problem: str = ""
    result: str = ""
    """The beginning of it, once it is there."""

    @property
    def line(self) -> str:
        told = f"job {self.name}: {self.state}" + (", late" if self.late else "")
        return one_line(f"{told}: {self.problem}" if self.problem else told)


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkChanged(_Automatic):
    """A piece of background work is in another state, or a step further."""

    work: str
    kind: str
    title: str
    state: WorkState
    progress: float = 0.0
    message: str = ""
    problem: str = ""

    @property
    def line(self) -> str:
        told = f"{self.title}: {self.state}, {self.progress:.0%}"
        return one_line(
            told + (f", {self.problem or self.message}" * bool(self.problem or self.message))
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class InboxArrived(_Automatic):
    """Something lies in the inbox."""

    item: str
    sort: ItemSort
    title: str
    """Of what is private it says no more than that."""
    rings: bool = False
    """A notification of it is wanted, and it is not quiet now."""

    @property
    def line(self) -> str:
        return one_line(f"inbox: {self.title} (ska inbox show {self.item})")


@dataclass(frozen=True, slots=True, kw_only=True)
class InboxChanged(_Automatic):
    """An item was read or put away, or one of its ways is in another state."""

    item: str
    target: str = ""
    """Empty for what its person did."""
    state: DeliveryState | None = None

    @property
    def line(self) -> str:
        what = f"{self.target} {self.state}" if self.target else "changed"
        return one_line(f"inbox item {self.item}: {what}")


@dataclass(frozen=True, slots=True, kw_only=True)
class QuestionAsked(_Automatic):
    """Something waits for a person; answer with `questions.answer(question, words)`."""

    question: str
    text: str
    detail: str = ""
    default: AnswerAction = "cancel"
    timeout_s: float = 0.0

    @property
    def line(self) -> str:
        return one_line(f"{self.agent or 'a job'} asks: {self.text}")


@dataclass(frozen=True, slots=True, kw_only=True)
class QuestionAnswered(_Automatic):
    """A question is settled, by a person or by time."""

    question: str
    action: AnswerAction
    by: str
    words: str = ""

    @property
    def line(self) -> str:
        return one_line(f"{self.action} (by {self.by})" + (f": {self.words}" if self.words else ""))


@dataclass(frozen=True, slots=True, kw_only=True)
class BridgeChanged(_Automatic):
    """A way to talk to the agents from elsewhere works, or does not."""

    bridge: str
    state: BridgeState
    problem: str = ""

    @property
    def line(self) -> str:
        return one_line(
            f"{self.bridge}: {self.state}" + (f": {self.problem}" if self.problem else "")
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookFailing(_Automatic):
    """An address has not taken an event after every try; it gets none any more."""

    webhook: str
    url: str
    problem: str

    @property
    def line(self) -> str:
        return one_line(f"webhook {self.url} is failing: {self.problem} (ska webhooks list)")


AutomationEvent = (
    JobRunChanged
    | WorkChanged
    | InboxArrived
    | InboxChanged
    | QuestionAsked
    | QuestionAnswered
    | BridgeChanged
    | WebhookFailing
)
"""What happens while nobody types."""
