"""How a class of options converts and checks its values, with every fault at once."""

from __future__ import annotations
