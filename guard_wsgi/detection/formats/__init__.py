"""Formats of documents and values: JSON, XML, GraphQL, mails, data URLs."""

from __future__ import annotations
