"""``python -m guard_wsgi``: the same as ``guard-wsgi``."""

from __future__ import annotations

from guard_wsgi.cli import main

raise SystemExit(main())
