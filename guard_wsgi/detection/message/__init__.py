"""HTTP messages, taken apart into values: path, query, cookies, headers, forms, parts."""

from __future__ import annotations
