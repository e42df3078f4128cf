"""The ledger of one run: time, executions, tokens and money, role by role. Pure."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from schemas.envelope import Fact
from schemas.events import ExecutionFinished, ModelAnswered, RunFinished, RunResumed, RunStarted
from store.projections.projection import Projection

Followed = ModelAnswered | ExecutionFinished | RunStarted | RunResumed | RunFinished

EXECUTOR = "executor"


class Account(Struct, frozen=True, kw_only=True, gc=False):
    """What one role has used up; `unpriced` calls have an unknown price. Times in seconds."""

    role: str
    calls: int = 0
    failed_calls: int = 0
    tries: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    usd: float = 0.0
    unpriced: int = 0
    model_seconds: float = 0.0
    executions: int = 0
    execution_seconds: float = 0.0
    cpu_seconds: float = 0.0


class State(Struct, frozen=True, kw_only=True, gc=False):
    """The accounts by role, and the run's clock: when it began and ended, minutes it was given."""

    accounts: Mapping[str, Account] = {}
    usd: float = 0.0
    started: datetime | None = None
    finished: datetime | None = None
    minutes: float = 0.0


START = State()


def apply(state: State, event: Fact[Followed]) -> State:
    """Return the ledger after *event*."""
    match event.data:
        case ExecutionFinished() as finished:
            return _execution(state, finished)
        case ModelAnswered() as answered:
            return _call(state, answered)
        case RunStarted(budget=budget):
            return replace(state, started=event.time, minutes=budget.minutes)
        case RunResumed(minutes=minutes):
            return replace(state, minutes=state.minutes + minutes)
        case RunFinished():
            return replace(state, finished=event.time)


def rows(state: State) -> Mapping[str, Struct]:
    """Return every account by its role."""
    return state.accounts


def _execution(state: State, finished: ExecutionFinished) -> State:
    before = state.accounts.get(EXECUTOR) or Account(role=EXECUTOR)
    account = replace(
        before,
        executions=before.executions + 1,
        execution_seconds=before.execution_seconds + finished.seconds,
        cpu_seconds=before.cpu_seconds + finished.cpu_seconds,
    )
    return replace(state, accounts={**state.accounts, EXECUTOR: account})


def _call(state: State, answered: ModelAnswered) -> State:
    before = state.accounts.get(answered.role) or Account(role=answered.role)
    usd = answered.usd or 0.0
    account = replace(
        before,
        calls=before.calls + 1,
        failed_calls=before.failed_calls + (answered.outcome == "failed"),
        tries=before.tries + answered.tries,
        input_tokens=before.input_tokens + answered.input_tokens,
        output_tokens=before.output_tokens + answered.output_tokens,
        usd=before.usd + usd,
        unpriced=before.unpriced + (answered.usd is None),
        model_seconds=before.model_seconds + answered.seconds,
    )
    accounts = {**state.accounts, answered.role: account}
    return replace(state, accounts=accounts, usd=state.usd + usd)


projection: Projection[Any] = Projection("ledger", START, apply, rows)
