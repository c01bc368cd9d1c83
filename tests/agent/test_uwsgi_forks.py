"""Forks in C by a process that has loaded the app to fork it, as uWSGI's master has.

The server itself is in test_servers.py; here is what it does to Python, one step at a time.
"""

from __future__ import annotations

import sys
import textwrap

import pytest

from tests.agent.collector import Collector
from tests.agent.processes import run

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="no fork here")

MASTER = '''
import ctypes, types
from threading import active_count

uwsgi = types.ModuleType("uwsgi")
uwsgi.opt = {b"enable-threads": True, b"lazy-apps": True}
uwsgi.worker_id = lambda: 0
master = os.getpid()
uwsgi.masterpid = lambda: master
sys.modules["uwsgi"] = uwsgi

def fork(worker_id, serve):
    """Have ``serve()`` run in a child, as the server would."""
    child = ctypes.PyDLL(None).fork()
    if child == 0:
        uwsgi.worker_id = lambda: worker_id
        if getattr(uwsgi, "post_fork_hook", None): uwsgi.post_fork_hook()
        serve()
        sys.exit(0)
    return child

def end(*children):
    for child in children: assert os.waitpid(child, 0)[1] == 0

def no_exit_hooks():
    # uWSGI's master runs none.
    os._exit(0)
'''


def run_master(script: str, collector: Collector) -> list[str]:
    """Run it to its end; the reasons of the events that arrived."""
    done = run(MASTER + textwrap.dedent(script), collector.url)
    assert (done.returncode, done.stderr) == (0, "")
    keys = [told["idempotency_key"] for told in collector.events]
    assert len(keys) == len(set(keys))
    return sorted(told["reason"] for told in collector.events)


def test_a_master_starts_no_thread_and_its_events_go_once(collector: Collector) -> None:
    """A thread that holds the interpreter's lock at a fork in C leaves the children without it."""
    sent = run_master(
        """
        handler = agent(flush_interval=0.01)
        for n in range(3): handler.send_event(event(n))
        assert active_count() == 1
        assert not handler.flush_buffer(60)
        def serve():
            handler.touch()
            handler.send_event(event("child"))
            assert handler.flush_buffer(10)
        end(*[fork(n, serve) for n in (1, 2, 3)])
        no_exit_hooks()
        """,
        collector,
    )
    assert sent == ["0", "1", "2", "child", "child", "child"]


def test_a_worker_without_a_request_sends_them_at_its_end(collector: Collector) -> None:
    sent = run_master(
        """
        handler = agent(flush_interval=3600)
        handler.send_event(event("master"))
        end(*[fork(n, lambda: None) for n in (1, 2)])
        no_exit_hooks()
        """,
        collector,
    )
    assert sent == ["master"]


def test_what_a_master_queues_later_goes_with_a_worker_forked_later(collector: Collector) -> None:
    """A dead worker is forked again, with everything that the master ever queued."""
    sent = run_master(
        """
        handler = agent(flush_interval=3600)
        handler.send_event(event("early"))
        end(fork(1, handler.touch))
        handler.send_event(event("late"))
        assert active_count() == 1
        end(fork(1, handler.touch))
        end(fork(1, handler.touch))
        no_exit_hooks()
        """,
        collector,
    )
    assert sent == ["early", "late"]


def test_a_process_that_serves_after_it_has_forked_takes_its_share(collector: Collector) -> None:
    """uWSGI without a master: what loads the app becomes the first worker."""
    sent = run_master(
        """
        uwsgi.masterpid = lambda: 0
        handler = agent(flush_interval=3600)
        handler.send_event(event("loading"))
        end(fork(2, handler.touch))
        uwsgi.worker_id = lambda: 1
        handler.touch()
        handler.send_event(event("first"))
        """,
        collector,
    )
    assert sent == ["first", "loading"]


def test_a_master_that_stops_its_agent_sends_for_itself(collector: Collector) -> None:
    sent = run_master(
        """
        handler = agent(flush_interval=3600)
        handler.send_event(event("master"))
        handler.stop()
        assert active_count() == 1
        end(fork(1, handler.touch))
        handler.start()
        handler.send_event(event("again"))
        end(fork(2, handler.touch))
        no_exit_hooks()
        """,
        collector,
    )
    assert sent == ["again", "master"]


def test_a_master_writes_no_spool_that_its_children_would_share(collector: Collector) -> None:
    sent = run_master(
        """
        import pathlib, tempfile
        spool = pathlib.Path(tempfile.mkdtemp())
        handler = agent(flush_interval=3600, spool_path=str(spool / "spool"))
        handler.send_event(event("master"))
        assert list(spool.rglob("*.db*")) == [], list(spool.rglob("*"))
        def serve():
            handler.send_event(event("worker"))
            assert handler.flush_buffer(10)
        end(fork(1, serve))
        no_exit_hooks()
        """,
        collector,
    )
    assert sent == ["master", "worker"]


def test_every_lock_held_at_a_fork_in_c_is_replaced(collector: Collector) -> None:
    """By the server's own hook, although the app replaced it before."""
    sent = run_master(
        """
        from guard_wsgi.middleware import GuardMiddleware
        from guard_wsgi.config.security import SecurityConfig
        from guard_wsgi import forks

        called = []
        uwsgi.post_fork_hook = lambda: called.append("app's own")
        def plain(environ, start_response):
            start_response("200 OK", [])
            return [b""]
        app = GuardMiddleware(plain, SecurityConfig(
            enable_agent=True, agent_api_key="a-key-of-the-tests",
            agent_endpoint=os.environ["COLLECTOR"],
            blocked_user_agents=("evil",), rate_limit=10,
        ))
        names = ("_lock", "_loading", "_pending_lock")
        locks = [getattr(thing, name, None) for thing in forks._tracked for name in names]
        locks = [lock for lock in (*locks, app.services.events._aggregate._lock) if lock]
        for lock in locks: lock.acquire()
        assert len(locks) >= 5, locks
        def serve():
            environ = {
                "REQUEST_METHOD": "GET", "PATH_INFO": "/", "REMOTE_ADDR": "192.0.2.1",
                "SERVER_NAME": "x", "SERVER_PORT": "80", "wsgi.url_scheme": "http",
                "SERVER_PROTOCOL": "HTTP/1.1", "HTTP_HOST": "x", "wsgi.input": sys.stdin.buffer,
                "HTTP_USER_AGENT": "evil",
            }
            answers = []
            list(app(environ, lambda status, headers, exc_info=None: answers.append(status)))
            assert answers[0].startswith("403"), answers
            assert called == ["app's own"]
        end(fork(1, serve))
        no_exit_hooks()
        """,
        collector,
    )
    assert len(sent) == 1
