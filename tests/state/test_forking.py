"""A fork cuts no call to a store's library in half."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

from tests.state.workers import run

CALLS = """
import threading
from guard_wsgi.state.fork_pauses import RunningCalls
calls, lock, inside = RunningCalls(float(sys.argv[1])), threading.Lock(), threading.Event()

def call():
    calls.begin()
    with lock:
        inside.set()
        time.sleep(float(sys.argv[2]))
    calls.end()

def in_child(work):
    pid = os.fork()
    if pid == 0:
        signal.alarm(10)
        os._exit(not work())
    return os.waitpid(pid, 0)[1] == 0
"""


def test_a_fork_waits_for_a_call_under_way_so_the_child_finds_no_lock_held() -> None:
    script = """
    threading.Thread(target=call).start()
    inside.wait()
    print(in_child(lambda: lock.acquire(timeout=0)))
    """
    assert run(CALLS + dedent(script), 30, 0.3, timeout_seconds=30) == "True"


def test_a_fork_waits_no_longer_than_a_call_may_take() -> None:
    script = """
    threading.Thread(target=call, daemon=True).start()
    inside.wait()
    began = time.monotonic()
    child_goes_on = in_child(lambda: calls.begin() is calls.end())
    print(child_goes_on, time.monotonic() - began < 20)
    sys.stdout.flush()
    os._exit(0)
    """
    assert run(CALLS + dedent(script), 0.1, 60, timeout_seconds=30) == "True True"


def test_calls_go_on_after_a_fork_on_both_sides() -> None:
    script = """
    def hammer():
        while not inside.is_set():
            calls.begin()
            calls.end()
    threads = [threading.Thread(target=hammer) for _ in range(4)]
    for thread in threads:
        thread.start()
    def one_call():
        return calls.begin() is calls.end()
    ended_well = [in_child(lambda: in_child(one_call)) for _ in range(20)]
    inside.set()
    for thread in threads:
        thread.join(10)
    print(all(ended_well), any(thread.is_alive() for thread in threads))
    """
    assert run(CALLS + dedent(script), 30, 0, timeout_seconds=60) == "True False"


def test_a_call_that_forks_itself_leaves_the_child_able_to_fork() -> None:
    script = """
    def fork_within_a_call():
        calls.begin()
        pid = os.fork()
        calls.end()
        return pid
    pid = fork_within_a_call()
    if pid == 0:
        signal.alarm(10)
        threading.Thread(target=call).start()
        inside.wait()
        os._exit(not in_child(lambda: lock.acquire(timeout=0)))
    print(os.waitpid(pid, 0)[1])
    """
    assert run(CALLS + dedent(script), 1, 0.2, timeout_seconds=30) == "0"


def test_a_fork_waits_for_a_call_to_a_store_that_does_not_answer() -> None:
    script = """
    import socket
    silent = socket.create_server(("127.0.0.1", 0))
    store = Store.open(
        f"redis://127.0.0.1:{silent.getsockname()[1]}",
        settings=StoreSettings(timeout_seconds=4.0, request_budget_seconds=4.0),
    )
    thread = threading.Thread(target=store.limiter.hit, args=(Limit(10, 60), "client"))
    thread.start()
    silent.accept()  # the call is under way, and will fail in four seconds
    failures = store._breaker.failures
    print(failures, in_child(lambda: store._breaker.failures == 1))
    thread.join(10)
    """
    assert run(CALLS + dedent(script), 30, 0, timeout_seconds=30) == "0 True"


def test_a_fork_while_a_file_is_being_opened_lets_the_child_open_files(tmp_path: Path) -> None:
    """Opening waits for the file's lock, which another process may hold for long."""
    script = """
    import fcntl
    from pathlib import Path
    from guard_wsgi.state.backends.lmdb_file import LMDBFile
    folder = Path(sys.argv[3])
    held = os.open(folder / "held", os.O_RDWR | os.O_CREAT)
    fcntl.flock(held, fcntl.LOCK_EX)
    opening = threading.Thread(target=LMDBFile.at, args=(folder / "held",), daemon=True)
    opening.start()
    time.sleep(0.3)
    waits = opening.is_alive()
    print(waits, in_child(lambda: LMDBFile.at(folder / "free") is not None))
    sys.stdout.flush()
    os._exit(0)
    """
    assert run(CALLS + dedent(script), 1, 0, tmp_path, timeout_seconds=30) == "True True"


def test_no_call_begins_while_a_fork_waits_for_another() -> None:
    script = """
    entered = []
    def late():
        time.sleep(0.2)
        calls.begin()
        entered.append(True)
        calls.end()
    threads = [threading.Thread(target=call), threading.Thread(target=late)]
    for thread in threads:
        thread.start()
    inside.wait()
    quiet = in_child(lambda: not entered)
    for thread in threads:
        thread.join(10)
    print(quiet, entered)
    """
    assert run(CALLS + dedent(script), 30, 0.6, timeout_seconds=30) == "True [True]"
