"""Among many exclusions, the index finds those for a path, as if each had been tested."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from guard_wsgi.checks.path_index import PathIndex
from guard_wsgi.config.exclusion import DetectionExclusion
from tests.core.visiting import INJECTION, Site

PATHS = st.lists(st.sampled_from(["a", "ab", "b", "é", ""]), max_size=4).map(
    lambda segments: "/" + "/".join(segments)
)


@given(st.lists(st.tuples(PATHS, st.booleans()), max_size=12), PATHS)
def test_the_index_finds_what_asking_each_finds(given: list[tuple[str, bool]], path: str) -> None:
    patterns = [text + ("*" if is_beginning else "") for text, is_beginning in given]
    exclusions = [DetectionExclusion(path=text, params={"q"}) for text in patterns]
    covering = [place for place, one in enumerate(exclusions) if one.covers(path)]
    assert PathIndex(patterns).covering(path) == covering


def test_one_of_a_thousand_exclusions_holds_for_its_path_alone() -> None:
    exclusions = [{"path": f"/blog/{number}/*", "params": ["q"]} for number in range(1000)]
    site = Site(detection_exclusions=exclusions)
    codes = [
        site.visit(path, query_string={"q": INJECTION}).code
        for path in ("/blog/77/edit", "/blog/77", "/blog/1077/edit", "/blog/77/../1077/edit")
    ]
    assert codes == [200, 400, 400, 400]
