# ruff: noqa: E501  (addresses of document types)
"""Webhooks pass on what others wrote: their senders are not banned; alerts about machines pass.
Documents of published formats may name their document type."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

import pytest
from werkzeug.test import Client

from guard_wsgi import GuardMiddleware, SecurityConfig
from guard_wsgi.detection import Inspection


def app(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    environ["wsgi.input"].read()
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"ok"]


def statuses(document: Any, times: int) -> list[int]:
    client = Client(GuardMiddleware(app, SecurityConfig()))
    return [
        client.post("/hook", json=document, environ_base={"REMOTE_ADDR": "81.2.69.160"}).status_code
        for _ in range(times)
    ]


@pytest.mark.parametrize(
    "document",
    [
        {"action": "opened", "issue": {"title": "XSS: <img src=x onerror=alert(1)> in profile"}},
        {"comment": {"body": "Try ' UNION SELECT password FROM users -- in the login"}},
        {"object_attributes": {"note": "<script>alert(1)</script> still runs"}},
        {"commits": [{"message": "Fix injection (' OR 1=1 -- ) in login"}]},
    ],
)
def test_a_code_host_is_not_banned_for_what_its_users_write(document: Any) -> None:
    assert set(statuses(document, 14)) <= {200, 400}


def test_a_sender_of_the_same_attack_in_a_field_of_its_own_is_banned() -> None:
    assert 403 in statuses({"x": {"heading": "<img src=x onerror=alert(1)>"}}, 14)


@pytest.mark.parametrize("path", ["/etc/hosts", "/etc/hostname", "/etc/resolv.conf", "/"])
@pytest.mark.parametrize("labels", [{"mountpoint": ""}, {"device": "", "alertname": "DiskFull"}])
def test_an_alert_about_a_disk_passes(
    inspection: Inspection, path: str, labels: dict[str, str]
) -> None:
    labels = {name: text or path for name, text in labels.items()}
    document = {"alerts": [{"labels": labels}], "commonLabels": labels, "groupLabels": labels}
    for body in (document, [{"labels": labels}]):
        assert not inspection.body(json.dumps(body).encode(), content_type="application/json")


@pytest.mark.parametrize(
    "document",
    [
        {"labels": {"mountpoint": "/etc/passwd"}},
        {"alerts": [{"labels": {"template": "../../../etc/passwd"}}]},
        {"alerts": [{"labels": {"mountpoint": "; cat /etc/passwd"}}]},
        {"x": '{"alerts": [{"labels": {"mountpoint": "/etc/passwd"}}]}'},
    ],
)
def test_a_path_of_the_system_elsewhere_is_refused(inspection: Inspection, document: Any) -> None:
    assert inspection.body(json.dumps(document).encode(), content_type="application/json")


DOCUMENTS = (
    '<!DOCTYPE fontconfig SYSTEM "urn:fontconfig:fonts.dtd"><fontconfig/>',
    '<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd"><plist version="1.0"><dict/></plist>',
    '<!DOCTYPE log4j:configuration SYSTEM "log4j.dtd"><log4j:configuration xmlns:log4j="http://jakarta.apache.org/log4j/"/>',
    '<!DOCTYPE web-app PUBLIC "-//Sun Microsystems, Inc.//DTD Web Application 2.3//EN" "http://java.sun.com/dtd/web-app_2_3.dtd"><web-app/>',
    "<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'><qgis/>",
    '<!DOCTYPE article PUBLIC "-//NLM//DTD JATS (Z39.96) Journal Archiving and Interchange DTD v1.2 20190208//EN" "JATS-archivearticle1.dtd"><article/>',
    '<!DOCTYPE en-export SYSTEM "http://xml.evernote.com/pub/evernote-export3.dtd"><en-export/>',
    '<!DOCTYPE xbel PUBLIC "+//IDN python.org//DTD XML Bookmark Exchange Language 1.0//EN//XML" "http://pyxml.sourceforge.net/topics/dtds/xbel.dtd"><xbel/>',
    '<!DOCTYPE HealthData [<!ELEMENT HealthData (ExportDate,Me)><!ATTLIST HealthData locale CDATA #REQUIRED>]><HealthData locale="de"/>',
)


@pytest.mark.parametrize("document", DOCUMENTS)
def test_a_document_of_a_published_type_passes(inspection: Inspection, document: str) -> None:
    assert not inspection.body(document.encode(), content_type="application/xml")
    form = urlencode({"body": document}).encode()
    assert not inspection.body(form, content_type="application/x-www-form-urlencoded")


@pytest.mark.parametrize(
    "document",
    [
        '<!DOCTYPE a SYSTEM "http://xml.evernote.com.e.example/x.dtd"><a/>',
        '<!DOCTYPE a SYSTEM "urn:x" [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>',
        '<!DOCTYPE a PUBLIC "-//x, y//EN" "http://e.example/x.dtd"><a/>',
        "<!DOCTYPE a PUBLIC 'http://mrcc.com/qgis.dtd' 'http://e.example/x.dtd'><a/>",
        '<!DOCTYPE a [<!ENTITY % x SYSTEM "http://e.example/x.dtd">%x;]><a/>',
    ],
)
def test_a_type_of_somebody_else_is_refused(inspection: Inspection, document: str) -> None:
    assert inspection.body(document.encode(), content_type="application/xml")
    form = urlencode({"body": document}).encode()
    assert inspection.body(form, content_type="application/x-www-form-urlencoded")
