"""One process of an app without a suite: its server, or its client.

    python peer_process.py serve PEER bare|guarded|limited SOCKET FOLDER
    python peer_process.py drive PEER URL FOLDER

The server is waitress on an inherited socket. The client takes the peer's steps; each goes
on whatever became of those before it, and is an outcome as a test of a suite is.
"""

from __future__ import annotations

import importlib
import os
import socket
import sys
import threading
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import peer_outcomes

CUSTOMER = "198.51.100.1"
"""Who the client is: the guard never bans the loopback address, which is everybody's."""


def serve(peer: Any, mode: str, descriptor: int, folder: Path) -> None:
    """Serve a peer's app until standard input ends."""
    import waitress
    from peer_gate import Counter, Gate

    counter = Counter()
    app = peer.app(folder)
    gate = None if mode == "bare" else Gate(counter, limited=mode == "limited")

    def guarded(environ: dict[str, Any], start_response: Any) -> Any:
        environ["REMOTE_ADDR"] = CUSTOMER
        if gate is not None:
            return gate.serve(environ, start_response, app)
        counter.requests += 1
        return app(environ, start_response)

    def stop_with_the_parent() -> None:
        while os.read(0, 1):
            pass
        counter.write()
        os._exit(0)

    threading.Thread(target=stop_with_the_parent, daemon=True).start()
    (folder.parent / "ready").touch()
    listener = socket.socket(fileno=descriptor)
    waitress.serve(guarded, sockets=[listener], threads=4, channel_timeout=60)


class Steps:
    """Takes the steps of a client one by one."""

    def __init__(self) -> None:
        self.failed = 0

    def __call__(self, name: str, act: Callable[[], Any]) -> Any:
        """Take one step; what it returns, ``None`` when it raised."""
        try:
            came_to = act()
        except Exception as error:  # whatever a client of somebody else's raises is its outcome
            self.failed += 1
            peer_outcomes.tell(name, "failed")
            print(f"{name}: {type(error).__name__}: {str(error)[:600]}", file=sys.stderr)
            if not isinstance(error, (AssertionError, OSError)):
                traceback.print_exc(limit=-3)
            return None
        peer_outcomes.tell(name, "passed")
        return came_to


def main() -> None:
    """Be the server or the client."""
    role, name, *rest = sys.argv[1:]
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "peer_apps"))
    peer = importlib.import_module(f"peer_{name}")
    if role == "serve":
        mode, descriptor, folder = rest
        serve(peer, mode, int(descriptor), Path(folder))
    else:
        url, folder = rest
        peer.drive(url, Path(folder), Steps())


if __name__ == "__main__":
    main()
