"""``python -m guard_wsgi``: the same as ``guard-wsgi``."""

from __future__ import annotations

from guard_wsgi.cli.tree import main

raise SystemExit(main())
