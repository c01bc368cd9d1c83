"""Many clients at once: each gets the answer to its own request."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor

from tests.kit.live import Endpoint
from tests.kit.wire import request

CLIENTS = 12
REQUESTS = 120
FORM_TYPE = ("Content-Type", "application/x-www-form-urlencoded")


def test_verdicts_and_bodies_are_never_mixed_up(guarded: Endpoint) -> None:
    """A Hyperscan scratch or a request's state shared by two threads would show here."""

    def visit(number: int) -> None:
        words = b"tea and milk number %d " % number * (number * 7 % 90 + 1)
        if number % 3 == 0:
            attack = b"text=1'+UNION+SELECT+name,%d+FROM+users--" % number
            answer = guarded.exchange(request("POST", "/echo", headers=[FORM_TYPE], body=attack))
            assert (number, answer.status) == (number, 400)
            return
        framing = (
            {"body": words}
            if number % 3 == 1 or guarded.server == "wsgiref"
            else {"chunks": [words[:11], words[11:]]}
        )
        kind = ("Content-Type", "text/plain")
        answer = guarded.exchange(request("POST", "/echo", headers=[kind], **framing))  # type: ignore[arg-type]
        assert (number, answer.status) == (number, 200)
        assert answer.json()["sha256"] == hashlib.sha256(words).hexdigest()

    with ThreadPoolExecutor(CLIENTS) as pool:
        for done in [pool.submit(visit, number) for number in range(REQUESTS)]:
            done.result(60)
