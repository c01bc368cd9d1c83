"""The compiled patterns stay small: each megabyte is in every worker."""

from __future__ import annotations

import re

import pytest

from guard_wsgi.detection.built_in import compile_built_in, where_kept
from guard_wsgi.detection.indicators import INDICATORS
from guard_wsgi.detection.scanning.families import separable, shortest
from guard_wsgi.patterns.database import PACKAGE_FOLDER, SUFFIX

hyperscan = pytest.importorskip("hyperscan")
MOST_BYTES = 8_150_000
"""The size of all databases together."""
MOST_BYTES_OF_A_PATTERN = 1_200_000
"""The size of one pattern. Most take 20 kB; a class that repeats a bounded number of times, or a
list of words after a prefix of any length, explodes."""

LONG_CHARS = 900
_BOUNDED = re.compile(r"\{\d,?\d{2,}\}")
"""The groups that can be large: the others take twenty seconds to compile one by one."""


def test_the_databases_together() -> None:
    sizes = {}
    for name, keys in compile_built_in():
        for key in keys:
            folder = where_kept(key) or PACKAGE_FOLDER
            sizes[name, key] = (folder / f"{key}{SUFFIX}").stat().st_size
    assert len(sizes) == 13
    assert sum(sizes.values()) < MOST_BYTES, sizes


def test_no_pattern_is_large_by_itself() -> None:
    flags = hyperscan.HS_FLAG_CASELESS | hyperscan.HS_FLAG_DOTALL
    large = {}
    for one in INDICATORS:
        if len(one.pattern) < LONG_CHARS and not _BOUNDED.search(one.pattern):
            continue
        database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
        database.compile([separable(shortest(one.pattern)).encode()], ids=[0], flags=[flags])
        size = len(hyperscan.dumpb(database))
        if size > MOST_BYTES_OF_A_PATTERN:
            large[one.name] = size
    assert large == {}
