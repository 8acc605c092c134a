from speciate.agents import Cost
from speciate.discovery import Budget
from speciate.discovery.config import BudgetSettings


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_each_limit_stops_the_run_under_its_own_name() -> None:
    clock = Clock()
    limits = BudgetSettings(evaluations=2, seconds=10, tokens=50, usd=1.0)
    assert Budget(limits, evaluations=2, clock=clock).exhausted() == "evaluations"
    assert Budget(limits, seconds=10, clock=clock).exhausted() == "time"
    assert Budget(limits, tokens=50, clock=clock).exhausted() == "tokens"
    assert Budget(limits, usd=1.0, clock=clock).exhausted() == "usd"
    assert Budget(limits, clock=clock).exhausted() is None


def test_reserved_evaluations_count_before_they_end_and_come_back_when_unused() -> None:
    budget = Budget(BudgetSettings(evaluations=1), clock=Clock())
    budget.reserve_evaluation()
    assert budget.exhausted() == "evaluations"
    budget.release_evaluation()
    assert budget.exhausted() is None


def test_time_goes_on_from_what_earlier_sittings_used() -> None:
    clock = Clock()
    budget = Budget(BudgetSettings(seconds=10), seconds=7, clock=clock)
    clock.now += 2
    assert budget.seconds == 9
    assert budget.seconds_left() == 1
    clock.now += 1
    assert budget.exhausted() == "time"


def test_an_unknown_price_is_not_counted_as_money() -> None:
    budget = Budget(BudgetSettings(usd=1.0), clock=Clock())
    budget.hold(Cost())
    budget.settle(Cost(), Cost(tokens=10, usd=None))
    assert (budget.tokens, budget.usd) == (10, 0.0)


def test_what_proposals_may_cost_is_held_until_they_are_settled() -> None:
    budget, most = Budget(BudgetSettings(usd=0.3), clock=Clock()), Cost(tokens=100, usd=0.1)
    for _ in range(2):
        assert budget.exhausted(most) is None
        budget.hold(most)
    budget.settle(most, Cost(tokens=10, usd=0.05))
    assert budget.exhausted(most) is None
    budget.hold(most)
    assert budget.exhausted(most) == "usd"
    assert budget.exhausted() is None
    budget.settle(most, Cost(tokens=10, usd=0.0))
    budget.settle(most, Cost(tokens=10, usd=0.0))
    assert (budget.tokens, budget.usd) == (30, 0.05)
    assert budget.exhausted(most) is None
