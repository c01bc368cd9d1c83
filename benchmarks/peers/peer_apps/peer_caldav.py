"""Calendars and address books: Radicale, with the caldav client and whole files."""

from __future__ import annotations

import random
from datetime import datetime
from pathlib import Path
from typing import Any

REQUIREMENTS = ("Radicale==3.5.4", "caldav==1.6.0", "vobject", "requests")
SENDS_FILES = False

SUMMARIES = (
    "Dentist; don't forget the X-rays",
    "Select committee & union meeting",
    "Call Anna or Ben (or both)",
    "Release 2.0: drop the old table, update docs",
    "Lunch @ Luigi's -- bring cash",
    "1:1 with Sam",
    "Concert: AC/DC",
    "Kids' party: 5 or 6 children",
    "Deploy <staging> at 17:00",
    'Pay €50; then "done"',
    "Sleep study (2 nights)",
    "Exec. board, agenda in /docs/2024",
)
DESCRIPTIONS = (
    "Join Zoom Meeting\\nhttps://us02web.zoom.us/j/89012345678?pwd=QkxvZ0dVTjRTOVhGWkE9PQ==\\n"
    "One tap mobile\\n+13017158592\\,\\,89012345678#\\,\\,\\,\\,*123456# US",
    "________________________________________________________________________________\\n"
    "Microsoft Teams meeting\\nJoin on your computer\\n<https://teams.microsoft.com/l/meetup-join/"
    "19%3ameeting_abc%40thread.v2/0?context=%7b%22Tid%22%3a%22a-b%22%2c%22Oid%22%3a%22c%22%7d>",
    "Agenda:\\n1. `git pull` broke on prod\\n2. SELECT queries are slow\\n3. who drops the table?",
    "<html-blob><b>Bring</b> the <i>forms</i><br>and an id</html-blob>",
    "cat sitting\\; feed twice; key is under the mat | ring first",
    "../ is where the notes are; see also /etc/hosts on the new box",
    "Bob's idea: \"why not\" or 'maybe'",
    "Budget = 1000 and travel = 200 or less",
)


PLACES = ("Room 3", "Café Müller", "Main St. 5\\, 2nd floor", "https://meet.example.com/a")
NAMES = ("Ann O'Brien", "Ben & Co. GmbH", "D'Angelo; Luca", "张伟")

FIND_A_NAME = """<?xml version="1.0"?>
<C:addressbook-query xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:carddav">
<D:prop><D:getetag/><C:address-data/></D:prop>
<C:filter test="anyof"><C:prop-filter name="FN">
<C:text-match collation="i;unicode-casemap" match-type="contains">O'Brien</C:text-match>
</C:prop-filter></C:filter>
</C:addressbook-query>
"""

MAKE_AN_ADDRESS_BOOK = """<?xml version="1.0"?>
<D:mkcol xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:carddav"><D:set><D:prop>
<D:resourcetype><D:collection/><C:addressbook/></D:resourcetype>
<D:displayname>People</D:displayname>
</D:prop></D:set></D:mkcol>
"""


def app(folder: Path) -> Any:
    """A server that lets everybody in."""
    from radicale import Application, config

    settings = config.load()
    settings.update(
        {
            "auth": {"type": "none"},
            "storage": {"filesystem_folder": str(folder)},
            "rights": {"type": "authenticated"},
            "logging": {"level": "error"},
        },
        "peer",
    )
    return Application(settings)


def event(number: int, rng: random.Random) -> str:
    """One event as calendar apps write it."""
    day = f"2024{1 + number % 12:02}{1 + number % 28:02}"
    hour = 8 + number % 9
    lines = [
        "BEGIN:VEVENT",
        f"UID:{rng.getrandbits(128):032x}@example.com",
        f"DTSTAMP:{day}T080000Z",
        f"DTSTART;TZID=Europe/Berlin:{day}T{hour:02}0000",
        f"DTEND;TZID=Europe/Berlin:{day}T{hour + 1:02}0000",
        f"SUMMARY:{rng.choice(SUMMARIES)}",
        f"DESCRIPTION:{rng.choice(DESCRIPTIONS)}",
        f"LOCATION:{rng.choice(PLACES)}",
        'ORGANIZER;CN="O\'Brien, Ann":mailto:ann@example.com',
        'ATTENDEE;ROLE=REQ-PARTICIPANT;PARTSTAT=ACCEPTED;RSVP=TRUE;CN="Ben <Ops>":mailto:b@e.org',
        "X-APPLE-STRUCTURED-LOCATION;VALUE=URI;X-APPLE-RADIUS=70;X-TITLE=Main St:geo:52.5,13.4",
        f"RRULE:FREQ=WEEKLY;COUNT={2 + number % 9};BYDAY=MO,WE",
        "BEGIN:VALARM",
        "ACTION:DISPLAY",
        "TRIGGER;RELATED=START:-PT15M",
        "DESCRIPTION:Reminder",
        "END:VALARM",
        "END:VEVENT",
    ]
    return "\r\n".join(lines)


def calendar(events: list[str]) -> str:
    """A calendar file."""
    head = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Apple Inc.//macOS 14.4//EN\r\n"
    return head + "\r\n".join(events) + "\r\nEND:VCALENDAR\r\n"


def card(number: int, rng: random.Random) -> str:
    """One contact as phones write it."""
    return "\r\n".join(
        [
            "BEGIN:VCARD",
            "VERSION:3.0",
            f"UID:{rng.getrandbits(128):032x}",
            f"FN:{rng.choice(NAMES)} {number}",
            f"N:O'Brien;Ann {number};;Dr.;",
            'ORG:Union Select Credit "North";Sales & Marketing',
            "TEL;TYPE=CELL:+49 170 1234567;ext=8",
            f"EMAIL;TYPE=INTERNET:ann+{number}@example.com",
            "item1.URL:https\\://example.com/~ann?id=1&x=2",
            "item1.X-ABLabel:_$!<HomePage>!$_",
            "NOTE:likes `ls -la`; said \"drop by\" or 'call' before 10\\nsecond line; <b>bold</b>",
            "X-SOCIALPROFILE;TYPE=mastodon:https://example.social/@ann",
            "END:VCARD",
            "",
        ]
    )


def drive(url: str, folder: Path, step: Any) -> None:
    """Fill calendars event by event and by import, search them, keep an address book."""
    import caldav
    import requests

    rng = random.Random(7)
    client = caldav.DAVClient(url, username="ann", password="s3cret")
    home = step("logs in", client.principal)
    made = step("makes a calendar", lambda: home.make_calendar("Team <A> & 'B'", cal_id="team"))
    events = [event(number, rng) for number in range(300)]
    for number, text in enumerate(events[:120]):
        step(f"saves event {number}", lambda text=text: made.save_event(calendar([text])))
    step("lists events", lambda: made.events())
    year = {"start": datetime(2024, 1, 1), "end": datetime(2024, 12, 31)}
    step("searches", lambda: made.search(event=True, expand=True, **year))
    step("synchronizes", lambda: made.objects_by_sync_token())
    session = requests.Session()
    session.auth = ("ann", "s3cret")
    session.headers["User-Agent"] = "macOS/14.4 (23E214) dataaccessd/1.0"

    def ask(method: str, path: str, kind: str, body: str, **headers: str) -> None:
        headers = {"Content-Type": kind, **headers}
        target = url + path
        answer = session.request(method, target, data=body.encode(), headers=headers, timeout=60)
        assert answer.status_code < 300, f"{answer.status_code} {answer.text[:200]}"

    for count in (10, 50, 150, 300):
        path, text = f"/ann/import{count}/", calendar(events[:count])
        step(
            f"imports {count} events",
            lambda path=path, text=text: ask("PUT", path, "text/calendar; charset=utf-8", text),
        )
    make = ("MKCOL", "/ann/people/", "text/xml", MAKE_AN_ADDRESS_BOOK)
    step("makes an address book", lambda: ask(*make))
    cards = [card(number, rng) for number in range(200)]
    for number, text in enumerate(cards[:60]):
        path = f"/ann/people/{number}.vcf"
        step(
            f"saves contact {number}",
            lambda path=path, text=text: ask("PUT", path, "text/vcard; charset=utf-8", text),
        )
    step("imports 200 contacts", lambda: ask("PUT", "/ann/all/", "text/vcard", "".join(cards)))
    find = ("REPORT", "/ann/people/", "application/xml", FIND_A_NAME)
    step("searches contacts", lambda: ask(*find, Depth="1"))
