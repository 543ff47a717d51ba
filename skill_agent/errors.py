"""Every error the product raises on purpose, as one tree.

SkillAgentError                 exit code 1
├── ConfigError                 2   a file or value the person wrote; names file, line, key
│   └── ConfigErrors            2   every mistake of the files read together, in `problems`
├── UsageError                  2   a command or call that cannot mean anything
│   ├── NotFound                2   an id, agent, session, skill or model that is not there
│   ├── Conflict                2   a key that stands for something else already, a plan that is old
│   ├── DelegationDepthExceeded 2   a task of a task of a task may give none to others
│   ├── CycleDetected           2   a task would come back to an agent that waits for it
│   └── Forbidden               2   the API key that asks may not do this; names the scope it takes
├── ModelError                  1
│   ├── ModelUnavailable        3   not installed, unreachable, refused; another may serve
│   ├── ModelRejected           3   400/401/403/404: our request or the key is wrong, never retried
│   ├── ModelFailed             1   it answered, but not usably
│   │   └── ModelFiltered       1   its provider withheld the answer
│   └── BudgetSpent             3   the agent may not spend what the call could cost
│       └── BudgetExhausted     3   a task or collaboration may not: its allowance is used up
├── NotDelivered                1   something could not be brought where it was to go
├── PullFailed                  3   a model could not be fetched; lists every source tried
├── HomeBusy                    1   another process owns the home; names its PID
├── Closing                     1   the home is being closed and takes no new turns
├── OutcomeUnknown              1   the host went away during a change that is not simply repeated
├── StoreError                  1
│   ├── LedgerTooNew            1   written by a newer version; nothing was changed
│   ├── LedgerBehind            1   it ends before its log did, or is another's; stays closed
│   ├── IndexDamaged            1   its files broke; emptied, and filled again from the ledger
│   ├── HomeReadOnly            1   it can be read, and nothing in it changed
│   └── MemoryChanged           1   it is no longer as it was when the change was worked out
├── AgentUnavailable            3   it is paused, or has as much work waiting as it may have
├── TurnLimit                   1   a turn reached a limit before it had said anything
└── ToolFailed                  1   shown to the model, which may try something else

Nothing here says how an error is shown: that is the front end's business.
"""

from collections.abc import Sequence


class SkillAgentError(Exception):
    """Base of all expected errors: a sentence for the person, and what to do next."""

    exit_code = 1

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class ConfigError(SkillAgentError):
    """A mistake in a file the person wrote."""

    exit_code = 2

    def __init__(
        self, message: str, *, file: str = "", line: int = 0, key: str = "", hint: str = ""
    ) -> None:
        place = ":".join(part for part in (file, str(line) if line else "") if part)
        described = f"{place}: {key}: {message}" if key else f"{place}: {message}"
        super().__init__(described if place else message, hint=hint)
        self.file, self.line, self.key = file, line, key
        self.said = message
        """The message without its place."""


class ConfigErrors(ConfigError):
    """Every mistake found together, so that one edit can mend them all."""

    def __init__(self, problems: Sequence[ConfigError], *, hint: str = "") -> None:
        first = problems[0]
        super().__init__("\n".join(problem.message for problem in problems), hint=hint)
        self.file, self.line, self.key = first.file, first.line, first.key
        self.problems: tuple[ConfigError, ...] = tuple(problems)


class UsageError(SkillAgentError):
    """A command or call that cannot mean anything as given."""

    exit_code = 2


class NotFound(UsageError):
    """A name that leads nowhere; the hint names the nearest that exists."""


class Conflict(UsageError):
    """What was asked for no longer fits, or its key stands for something else; nothing was done."""


class DelegationDepthExceeded(UsageError):
    """Tasks are given on only so often; whoever is asked last does the work."""


class CycleDetected(UsageError):
    """An agent would be asked for something that it is waiting for itself."""


class Forbidden(UsageError):
    """Whoever asks may not have this done; the hint names what it takes."""


class ModelError(SkillAgentError):
    """Anything that went wrong between us and a model."""


class ModelUnavailable(ModelError):
    """The model cannot serve now (5xx, timeout, no connection, not installed)."""

    exit_code = 3

    def __init__(self, message: str, *, hint: str = "", retry_after: float | None = None) -> None:
        super().__init__(message, hint=hint)
        self.retry_after = retry_after


class ModelRejected(ModelError):
    """The provider refused the request itself; another try would be refused too."""

    exit_code = 3


class ModelFailed(ModelError):
    """The model answered, but what it said cannot be used."""


class ModelFiltered(ModelFailed):
    """The provider's content filter withheld the answer before any of it was shown."""


class BudgetSpent(ModelError):
    """The agent's money for the day or the month does not reach for the call; it was not made."""

    exit_code = 3


class BudgetExhausted(BudgetSpent):
    """What a task, or one that it is part of, may take does not reach; no call was made."""


class NotDelivered(SkillAgentError):
    """Something could not be brought where it was to go."""

    def __init__(
        self, message: str, *, hint: str = "", again: bool = True, after_s: float | None = None
    ) -> None:
        """`again` says whether another try makes sense, `after_s` when the other side wants it."""
        super().__init__(message, hint=hint)
        self.again, self.after_s = again, after_s


class PullFailed(SkillAgentError):
    """No source gave the file, or what it gave was not the file."""

    exit_code = 3


class HomeBusy(SkillAgentError):
    """Another process owns this home."""

    def __init__(self, message: str, *, pid: int | None, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.pid = pid


class Closing(SkillAgentError):
    """The home is being closed; it can be opened again in a moment."""


class OutcomeUnknown(SkillAgentError):
    """The process that held the home went away meanwhile; it may have been done or not."""


class StoreError(SkillAgentError):
    """The ledger or the index could not do what was asked."""


class LedgerTooNew(StoreError):
    """The ledger was written by a newer version of the product."""


class LedgerBehind(StoreError):
    """The ledger's file is missing, ends before its log did, or is another home's; it stays closed
    until the person chooses."""

    ways_on = (
        "`ska backup list` and `ska backup restore` bring a backup back; `ska doctor --salvage` "
        "takes over what can still be read, also from the search index; `ska doctor --accept-loss` "
        "goes on with what is there."
    )

    def __init__(self, message: str, *, hint: str = ways_on) -> None:
        super().__init__(message, hint=hint)


class IndexDamaged(StoreError):
    """The index could not be gone on with and was emptied: it is made anew from the ledger."""


class HomeReadOnly(StoreError):
    """The home lies where nothing can be written; reading works."""


class MemoryChanged(StoreError):
    """Somebody else changed a memory meanwhile; nothing of the batch was written."""


class AgentUnavailable(SkillAgentError):
    """An agent takes no work now; another one may."""

    exit_code = 3


class TurnLimit(SkillAgentError):
    """A turn was stopped at a limit of this program's, and nothing was said by then."""


class ToolFailed(SkillAgentError):
    """A tool could not do its work; the model is told and may go on."""

    def __init__(self, message: str, *, hint: str = "", origins: Sequence[str] = ()) -> None:
        super().__init__(message, hint=hint)
        self.origins = tuple(origins)
        """Whose words the message may repeat, beside this program's."""
