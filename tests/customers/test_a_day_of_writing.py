"""A customer who writes about code all day is never banned, and an attacker is."""

from __future__ import annotations

import io
import sys
from collections import Counter
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from guard_wsgi import GuardMiddleware, SecurityConfig, testing
from tests.kit.gateway import Environ, environ_for

HOURS = 8
POSTS_AN_HOUR = 45
# Texts that an author of security articles pastes, and that are rightly refused.
PASTED = (
    "An attacker may send <script>alert(document.cookie)</script> in a comment, so escape it.",
    "The classic is ' OR '1'='1' -- in the field for the name, which you know from every course.",
    '127.0.0.1 - - [10/Oct/2025:13:55:36] "GET /?q=1\' UNION SELECT 1,2-- HTTP/1.1" 200, is that '
    "an attack on our site or not? There are lots of them in the log since the weekend.",
)


def written(rows: int) -> list[dict[str, Any]]:
    sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks" / "training"))
    try:
        from benign_writing import written_requests
    finally:
        sys.path.pop(0)
    return list(written_requests(rows, seed=77))


def sent(record: dict[str, Any]) -> Environ:
    body = record["body"].encode("utf-8", "surrogatepass")
    made = environ_for(path=record["path"], query_string=record["query"], method=record["method"])
    made["REMOTE_ADDR"] = "198.51.100.77"
    made["CONTENT_TYPE"] = record["headers"].get("Content-Type", "")
    made["CONTENT_LENGTH"] = str(len(body))
    made["wsgi.input"] = io.BytesIO(body)
    return made


def answer(guard: GuardMiddleware, environ: Environ) -> int:
    status: list[str] = []
    list(guard(environ, lambda line, headers, exc_info=None: status.append(line)))  # type: ignore[arg-type, func-returns-value]
    return int(status[0][:3])


def app(environ: Environ, start_response: Any) -> list[bytes]:
    start_response("200 OK", [])
    return [b"ok"]


def test_a_day_of_writing_about_code_ends_without_a_ban() -> None:
    guard = GuardMiddleware(app, SecurityConfig())
    records = [one for one in written(30) if "passwords" not in one["source"]]
    seen: Counter[int] = Counter()
    with testing.controlled(guard) as controls:
        for number in range(HOURS * POSTS_AN_HOUR):
            record = records[number * 37 % len(records)]
            seen[answer(guard, sent(record))] += 1
            # Twice an hour a refused text, sent three times, like people do.
            if number % 22 == 0:
                pasted = PASTED[number // 22 % len(PASTED)]
                for _ in range(3):
                    again = {**record, "method": "POST", "query": "", "path": "/posts"}
                    again["headers"] = {"Content-Type": "application/x-www-form-urlencoded"}
                    again["body"] = urlencode({"text": pasted})
                    assert answer(guard, sent(again)) == 400
            controls.move_clock(3600 / POSTS_AN_HOUR)
    assert 403 not in seen, seen
    assert seen[400] / seen.total() < 0.05, seen


# Searches of programmers in a documentation or a forum; some are refused.
SEARCHES = (
    "cat /proc/cpuinfo",
    "import os; os.system",
    "href=javascript:void(0) vs #",
    "xp_cmdshell enable",
    "ls -la; pwd",
    "mongo {$gt: 5}",
    "ldap filter (&(objectClass=user)(memberOf=cn=it,dc=acme))",
    "<?php echo date(Y); ?>",
    "document.cookie samesite",
    "python virtualenv not found",
    "select into outfile permission denied",
    "SELECT * FROM users",
    "git rebase onto main",
)


def test_an_office_of_authors_behind_one_address_is_not_banned() -> None:
    """Three hundred texts an hour, one in eight of them with an attack that it writes about."""
    guard = GuardMiddleware(app, SecurityConfig())
    records = [one for one in written(30) if "passwords" not in one["source"]]
    seen: Counter[int] = Counter()
    with testing.controlled(guard) as controls:
        for number in range(4 * 300):
            record = dict(records[number * 31 % len(records)])
            if number % 8 == 0:
                record |= {"method": "POST", "query": "", "path": "/posts"}
                record["headers"] = {"Content-Type": "application/x-www-form-urlencoded"}
                record["body"] = urlencode({"text": PASTED[number // 8 % len(PASTED)]})
            seen[answer(guard, sent(record))] += 1
            controls.move_clock(3600 / 300)
    assert 403 not in seen, seen
    assert seen[400] >= 4 * 300 / 8


def test_a_programmer_who_searches_is_not_banned() -> None:
    guard = GuardMiddleware(app, SecurityConfig())
    seen: Counter[int] = Counter()
    with testing.controlled(guard) as controls:
        for number in range(8 * 90):
            text = SEARCHES[number % len(SEARCHES)]
            query = urlencode({("q", "search")[number % 2]: text})
            made = environ_for(path="/search", query_string=query)
            made["REMOTE_ADDR"] = "198.51.100.81"
            seen[answer(guard, made)] += 1
            controls.move_clock(3600 / 90)
    assert 403 not in seen, seen
    assert seen[400]


def test_an_attacker_in_a_search_is_banned() -> None:
    guard = GuardMiddleware(app, SecurityConfig())
    statuses = []
    for number in range(12):
        query = f"q={number}'%20UNION%20SELECT%20name,password%20FROM%20users--%20-"
        made = environ_for(path="/", query_string=query)
        made["REMOTE_ADDR"] = "198.51.100.82"
        statuses.append(answer(guard, made))
    assert statuses[9:] == [403] * 3


def test_an_attacker_is_banned_within_ten_requests() -> None:
    guard = GuardMiddleware(app, SecurityConfig())
    statuses = []
    for number in range(12):
        made = environ_for(path="/", query_string=f"id={number}'%20UNION%20SELECT%201,2--%20-")
        made["REMOTE_ADDR"] = "198.51.100.78"
        statuses.append(answer(guard, made))
    assert statuses[:9] == [400] * 9
    assert statuses[9:] == [403] * 3


def test_an_attacker_who_hides_in_prose_is_banned_later_but_banned() -> None:
    guard = GuardMiddleware(app, SecurityConfig())
    statuses = []
    for number in range(110):
        text = (
            f"Hello there, we would like to order {number} of your chairs, please.+x'+OR+'1'='1'--+"
        )
        made = environ_for(path="/", query_string="q=" + text.replace(" ", "%20"))
        made["REMOTE_ADDR"] = "198.51.100.79"
        statuses.append(answer(guard, made))
    assert statuses[0] == 400
    assert statuses[-1] == 403


def test_handing_in_programs_never_bans_the_school() -> None:
    """Fifty scripts for a web server, each refused for its name, from one address."""
    guard = GuardMiddleware(app, SecurityConfig())
    for number in range(50):
        body = (
            f'--B\r\nContent-Disposition: form-data; name="file"; filename="task{number}.php"\r\n'
            "\r\n<?php echo 1; ?>\r\n--B--\r\n"
        ).encode()
        made = environ_for(path="/hand-in", method="POST")
        made["REMOTE_ADDR"] = "198.51.100.80"
        made["CONTENT_TYPE"] = "multipart/form-data; boundary=B"
        made["CONTENT_LENGTH"] = str(len(body))
        made["wsgi.input"] = io.BytesIO(body)
        assert answer(guard, made) == 400
