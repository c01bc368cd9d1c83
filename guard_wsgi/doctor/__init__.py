"""The doctor: finds problems of a deployment and says what to do."""

from __future__ import annotations
