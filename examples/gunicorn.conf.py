"""gunicorn for a guarded app: ``gunicorn -c examples/gunicorn.conf.py examples.plain_wsgi:app``.

Several workers count together when the store is outside of them: on one machine set
``GUARD_STORE_URL=lmdb:///var/lib/myapp/guard`` (or ``store_url`` in the code), on several redis.
"""

from __future__ import annotations

bind = "127.0.0.1:8000"
workers = 4
threads = 4  # with threads the worker is "gthread"
preload_app = True  # the guard starts nothing before the first request of each worker
timeout = 30  # ends a client that sends its body drop by drop; the guard can't
limit_request_line = 8190  # a longer URL is refused before Python sees it
forwarded_allow_ips = "127.0.0.1"  # gunicorn's own use of X-Forwarded-Proto
