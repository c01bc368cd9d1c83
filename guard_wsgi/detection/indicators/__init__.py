"""The built-in indicators: one module per family, joined into one table."""

from __future__ import annotations

from guard_wsgi.detection.indicators.code import CODE
from guard_wsgi.detection.indicators.indicator import Indicator
from guard_wsgi.detection.indicators.markup import MARKUP
from guard_wsgi.detection.indicators.path import PATH
from guard_wsgi.detection.indicators.protocol import PROTOCOL
from guard_wsgi.detection.indicators.query import QUERY
from guard_wsgi.detection.indicators.shell import SHELL
from guard_wsgi.detection.indicators.sql import SQL

INDICATORS: tuple[Indicator, ...] = SQL + MARKUP + SHELL + PATH + CODE + QUERY + PROTOCOL

__all__ = ["INDICATORS"]
