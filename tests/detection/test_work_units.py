"""The cost of a request is counted in units of work, which are spent as the work is done.

Work is measured in calls of the interpreter, which are the same on every machine.
"""

from __future__ import annotations

import random
import sys
from types import FrameType

import pytest

from benchmarks.documents import DATA, DOCUMENTS, WORST, Request, in_json
from guard_wsgi.detection import BUDGET, DetectionSettings, Detector
from guard_wsgi.detection.finding import BEYOND
from guard_wsgi.detection.inspection import DENSE_BYTES
from guard_wsgi.detection.value import Budget

SIZE = 15_000
CALLS_PER_UNIT = 6
"""A call takes some 0.1 microseconds, and a unit is half of one."""


def documents(size: int) -> dict[str, Request]:
    rng = random.Random(7)
    found = {name: in_json(make(rng, size)) for name, make in DOCUMENTS.items()}
    return found | {name: make(rng, size) for name, make in (DATA | WORST).items()}


COMPILER = ("/re/__init__.py", "/re/_compiler.py", "/re/_parser.py")


def _looked_at(request: Request, units: int) -> tuple[int, int, list[str]]:
    """Units spent, calls made, and the limits that were spent."""
    inspection = Detector().compile(DetectionSettings(max_chars=units, max_values=10**6))
    inspection.body(b"warm <script>", content_type="text/plain")
    budgets: list[tuple[Budget, int]] = []
    made = inspection._budget

    def noted(size: int, *_: float) -> Budget:
        budget = made(size + units)
        budgets.append((budget, budget.chars + budget.spare))
        return budget

    inspection._budget = noted  # type: ignore[method-assign]
    kind, body = request
    calls = 0

    def count(frame: FrameType, event: str, argument: object) -> None:
        nonlocal calls
        # Some expressions are compiled at their first use.
        is_compiling = frame.f_code.co_filename.endswith(COMPILER)
        calls += event in ("call", "c_call") and not is_compiling

    sys.setprofile(count)
    try:
        found = inspection.body(body, content_type=kind)
    finally:
        sys.setprofile(None)
    spent = sum(before - budget.chars - budget.spare for budget, before in budgets)
    return spent, calls, [one.indicators[0] for one in found if one.category == BUDGET]


@pytest.mark.parametrize("name", sorted(documents(100)))
def test_units_are_spent_as_work_is_done(name: str) -> None:
    units, calls, _ = _looked_at(documents(SIZE)[name], 10**9)
    # A document has to be taken apart before anything of it is weighed.
    assert calls <= units * CALLS_PER_UNIT + SIZE, (calls, units)


@pytest.mark.parametrize("name", ["HTML", "tiny JSON values", "XML elements", "JSON in JSON"])
def test_a_spent_budget_ends_the_work(name: str) -> None:
    request = documents(SIZE)[name]
    _, all_calls, _ = _looked_at(request, 10**9)
    _, calls, limits = _looked_at(request, 5_000)
    assert limits == ["max_chars"]
    # Parsing a document is most of the work on tiny values.
    assert calls < all_calls * 0.65


def test_more_text_than_a_request_may_cost_is_reported_and_not_refused() -> None:
    kind, body = in_json(DOCUMENTS["HTML"](random.Random(1), 600_000))
    found = Detector().compile().body(body, content_type=kind)
    assert [one.indicators for one in found] == [(BEYOND,)]


def test_what_people_send_is_weighed_whole() -> None:
    inspection = Detector().compile()
    for name, make in DOCUMENTS.items():
        kind, body = in_json(make(random.Random(2), DENSE_BYTES))
        found = inspection.body(body, content_type=kind)
        assert not any(one.category == BUDGET for one in found), name
