"""Forks and exits, in their own processes. The named issues are those of other senders that had the
fault."""

from __future__ import annotations

import socket

import pytest

from guard_wsgi.agent.servers import advice_for
from tests.agent.collector import Collector, Reply
from tests.agent.processes import run

pytestmark = pytest.mark.skipif(not hasattr(__import__("os"), "fork"), reason="no fork here")


def reasons(collector: Collector) -> list[str]:
    return [told["reason"] for told in collector.events]


def test_a_short_script_loses_nothing(collector: Collector) -> None:
    """A daemon thread alone would lose everything (mindsdb/anton#353)."""
    done = run("for n in range(5): agent().send_event(event(n))", collector.url)
    assert (done.returncode, done.stderr) == (0, "")
    assert reasons(collector) == list("01234")


def test_aggregated_metrics_of_a_short_script_are_sent(collector: Collector) -> None:
    done = run(
        """
        from guard_wsgi.telemetry.bus import EventBus
        bus = EventBus([agent()])
        bus.observe("/a", "GET", 200, 0.1)
        """,
        collector.url,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert {metric["endpoint"] for metric in collector.metrics} == {"/a"}


def test_a_child_sends_only_its_own_events(collector: Collector) -> None:
    """Five queued before a fork are sent once (sentry-sdk 2.75 sends them from both)."""
    done = run(
        """
        handler = agent(flush_interval=3600)
        for n in range(5): handler.send_event(event(n))
        child = os.fork()
        handler.send_event(event("child" if child == 0 else "parent"))
        if child:
            assert os.waitpid(child, 0)[1] == 0
        """,
        collector.url,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert sorted(reasons(collector)) == [*"01234", "child", "parent"]
    keys = [told["idempotency_key"] for told in collector.events]
    assert len(set(keys)) == 7


def test_a_child_of_a_process_that_never_sent_sends(collector: Collector) -> None:
    """The handler is made before the fork, as an app is under preload (otel-python#1567)."""
    done = run(
        """
        handler = agent()
        for n in range(3):
            if os.fork() == 0:
                handler.send_event(event(n))
                sys.exit(0)
        for n in range(3): assert os.wait()[1] == 0
        """,
        collector.url,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert sorted(reasons(collector)) == list("012")


def test_a_child_forked_with_every_lock_held_works(collector: Collector) -> None:
    """A lock held at the fork is held forever in the child (getsentry/sentry-python#6148)."""
    done = run(
        """
        handler = agent(flush_interval=3600)
        handler.send_event(event("before"))
        state = handler._sender.state
        held, go = threading.Event(), threading.Event()
        def hold():
            with state.lock, handler._rules_here.lock:
                held.set()
                go.wait()
        thread = threading.Thread(target=hold)
        thread.start()
        held.wait()
        child = os.fork()
        if child == 0:
            handler.send_event(event("child"))
            assert handler.flush_buffer(10)
            handler.get_stats()
            handler.get_dynamic_rules()
            sys.exit(0)
        assert os.waitpid(child, 0)[1] == 0
        go.set()
        thread.join()
        """,
        collector.url,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert sorted(reasons(collector)) == ["before", "child"]


def test_a_fork_without_pythons_hooks_is_noticed_by_the_process_id(collector: Collector) -> None:
    """uWSGI forks in C: register_at_fork is not called (opentelemetry-python#2266)."""
    done = run(
        """
        import ctypes
        handler = agent(flush_interval=3600)
        handler.send_event(event("parent"))
        time.sleep(0.5)  # a thread that is just starting holds a lock of Python's own
        libc = ctypes.PyDLL(None)
        child = libc.fork()
        if child == 0:
            handler.send_event(event("child"))
            ok = handler.flush_buffer(10)
            os._exit(0 if ok else 1)
        assert os.waitpid(child, 0)[1] == 0
        """,
        collector.url,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert sorted(reasons(collector)) == ["child", "parent"]


def test_children_of_multiprocessing_send_before_they_end(collector: Collector) -> None:
    """They end by os._exit, without atexit."""
    done = run(
        """
        import multiprocessing
        def work(n):
            agent().send_event(event(n))
        context = multiprocessing.get_context("fork")
        children = [context.Process(target=work, args=(n,)) for n in range(2)]
        for child in children: child.start()
        for child in children:
            child.join(20)
            assert child.exitcode == 0
        """,
        collector.url,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert sorted(reasons(collector)) == ["0", "1"]


def test_forks_while_threads_send_lose_and_double_nothing(collector: Collector) -> None:
    done = run(
        """
        handler = agent(flush_interval=0.01)
        stop = threading.Event()
        def offer(name):
            n = 0
            while not stop.is_set() or n < 50:
                handler.send_event(event(f"{name}-{n}"))
                n += 1
                time.sleep(0.001)
        threads = [threading.Thread(target=offer, args=(t,)) for t in range(3)]
        for thread in threads: thread.start()
        children = []
        for number in range(8):
            child = os.fork()
            if child == 0:
                handler.send_event(event(f"child-{number}"))
                assert handler.flush_buffer(20)
                os._exit(0)
            children.append(child)
        for child in children: assert os.waitpid(child, 0)[1] == 0
        stop.set()
        for thread in threads: thread.join()
        assert handler.flush_buffer(20)
        print(handler.get_stats()["events_sent"], handler.get_stats()["dropped"])
        """,
        collector.url,
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (0, "")
    count, dropped = done.stdout.split(maxsplit=1)
    assert dropped.strip() == "{}"
    keys = [told["idempotency_key"] for told in collector.events]
    assert len(keys) == len(set(keys)) == int(count) + 8
    children = [reason for reason in reasons(collector) if reason.startswith("child")]
    assert sorted(children) == [f"child-{number}" for number in range(8)]


EXIT = """
import atexit
handler = agent(exit_timeout=0.5, timeout=30)
began = None
# Registered after the agent's own, so it runs before it.
def begin():
    global began
    began = time.monotonic()
atexit.register(begin)
for n in range(3): handler.send_event(event(n))
second = guard_agent(AgentConfig(api_key="a-second-key-of-tests", endpoint=os.environ["COLLECTOR"],
                                 exit_timeout=0.5, install_id="i"))
second.send_event(event("second"))
import guard_wsgi.agent.handler as module
stop_all = module._stop_all
def measured():
    stop_all()
    print(time.monotonic() - began, handler.get_stats()["dropped"], flush=True)
atexit.unregister(stop_all)
atexit.unregister(begin)
atexit.register(measured)
atexit.register(begin)
"""


@pytest.mark.parametrize("collector_is", ["hanging", "silent port", "closed port"])
def test_exit_is_delayed_by_the_configured_time_at_most(
    collector: Collector, collector_is: str
) -> None:
    """One deadline for all agents of the process (PostHog/posthog#70964: 63 s a batch)."""
    collector.default = Reply(hang=60)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        silent = f"http://127.0.0.1:{listener.getsockname()[1]}"
        if collector_is == "closed port":
            listener.close()
        url = collector.url if collector_is == "hanging" else silent
        done = run(EXIT, url, timeout=20)
    assert (done.returncode, done.stderr) == (0, "")
    seconds, dropped = done.stdout.split(maxsplit=1)
    # Half a second, plus the delay of a busy machine; a timeout of 30 s would not fit.
    assert float(seconds) < 5.0
    assert dropped.strip() == "{'shutdown': 3}"


def test_exit_during_back_off_does_not_wait_for_it(collector: Collector) -> None:
    """Back-off sleeps on the stop signal (open-telemetry/opentelemetry-python#4043)."""
    collector.default = Reply(429, headers={"Retry-After": "3000"})
    done = run(
        """
        handler = agent(flush_interval=0.01)
        handler.send_event(event())
        while handler.get_stats()["state"] != "backing_off": time.sleep(0.01)
        """,
        collector.url,
        timeout=20,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert len(collector.requests) == 2


def test_a_refused_thread_costs_nothing_but_time(collector: Collector) -> None:
    """At the end of the interpreter (python/cpython#113964), queued events are sent."""
    done = run(
        """
        class Refused(threading.Thread):
            def start(self): raise RuntimeError("can't create new thread at interpreter shutdown")
        threading.Thread = Refused
        handler = agent()
        assert handler.send_event(event("kept"))
        assert handler.get_stats()["buffer_stats"]["auto_flush_running"] is False
        """,
        collector.url,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert reasons(collector) == ["kept"]


def test_events_of_atexit_functions_and_finalizers_never_raise(collector: Collector) -> None:
    done = run(
        """
        import atexit
        handler = agent()
        atexit.register(lambda: handler.send_event(event("late")))
        class Final:
            def __del__(self): handler.send_event(event("finalizer"))
        module_level = Final()
        import atexit as again
        again._run_exitfuncs
        """,
        collector.url,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert reasons(collector) == ["late"]


def test_an_event_in_a_signal_handler_does_not_deadlock(collector: Collector) -> None:
    """It may interrupt its own thread inside the queue's lock."""
    done = run(
        """
        handler = agent()
        count = 0
        def on_alarm(*_):
            global count
            count += 1
            handler.send_event(event("signal"))
        signal.signal(signal.SIGALRM, on_alarm)
        signal.setitimer(signal.ITIMER_REAL, 0.0005, 0.0005)
        end = time.monotonic() + 1
        sent = 0
        while time.monotonic() < end:
            sent += handler.send_event(event("main"))
        signal.setitimer(signal.ITIMER_REAL, 0)
        assert handler.flush_buffer(20)
        stats = handler.get_stats()
        assert count > 10
        assert stats["events_sent"] + sum(stats["dropped"].values()) >= sent + count
        """,
        collector.url,
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_handlers_are_not_kept_alive_by_the_fork_hook(collector: Collector) -> None:
    done = run(
        """
        import gc, weakref
        from guard_wsgi.agent import GuardAgentHandler
        handler = GuardAgentHandler(AgentConfig(api_key="a-key-of-the-tests"))
        seen = weakref.ref(handler)
        del handler
        gc.collect()
        assert seen() is None
        if os.fork() == 0: os._exit(0)
        assert os.wait()[1] == 0
        """,
        collector.url,
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_import_and_construction_start_nothing(collector: Collector) -> None:
    done = run(
        """
        agent()
        assert threading.active_count() == 1
        """,
        collector.url,
    )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("options", "advice"),
    [
        ({b"master": True}, "enable-threads"),
        ({"enable-threads": True}, "fork-hooks"),
        ({"threads": "4", "lazy-apps": True}, None),
        ({b"enable-threads": True, b"py-call-uwsgi-fork-hooks": True}, None),
    ],
)
def test_uwsgi_is_advised_on_what_it_lacks(
    options: dict[object, object], advice: str | None
) -> None:
    told = advice_for(options)
    assert (told is None) if advice is None else (told is not None and advice in told)
