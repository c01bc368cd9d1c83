"""Headers and refusals that the guard adds to answers or sends."""

from __future__ import annotations
