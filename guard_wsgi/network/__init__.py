"""Addresses, proxies, countries, clouds and bots."""

from __future__ import annotations
