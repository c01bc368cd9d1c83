"""Bodies that can't be inspected, or not whole."""

from __future__ import annotations

import io

from tests.core.visiting import INJECTION, Site


def test_inspects_the_beginning_of_a_large_body_and_lets_the_rest_pass() -> None:
    site = Site()
    upload = b"harmless words " * 50_000
    assert site.visit(method="POST", data=upload, content_type="text/plain").code == 200
    attack = b"a=" + INJECTION.encode() + b"&b=" + upload
    kind = "application/x-www-form-urlencoded"
    assert site.visit(method="POST", data=attack, content_type=kind).code == 400


def test_can_refuse_what_is_too_large_to_be_inspected_whole() -> None:
    site = Site(detection_oversized_body="block", detection_max_body_inspect_bytes=2048)
    assert site.visit(method="POST", data=b"x" * 2048, content_type="text/plain").code == 200
    assert site.visit(method="POST", data=b"x" * 2049, content_type="text/plain").code == 413


def test_a_document_of_ordinary_size_passes_whole() -> None:
    site = Site()
    rows = [{"id": n, "name": f"customer {n}", "note": "likes tea"} for n in range(3000)]
    assert site.visit(method="POST", json=rows).code == 200


def test_refuses_a_body_whose_end_nobody_marks() -> None:
    server = {"HTTP_TRANSFER_ENCODING": "chunked", "wsgi.input": io.BytesIO(b"a=1")}
    assert Site().visit(method="POST", server=server).code == 411
    server["wsgi.input"] = io.BytesIO(b"a=1")
    assert Site(unreadable_body="flag").visit(method="POST", server=server).code == 200


def test_the_number_of_values_is_bounded_and_the_bound_is_a_finding() -> None:
    many = "&".join(f"p{n}=select" for n in range(200)) + f"&last={INJECTION}"
    strict = Site(detection_max_scan_values=50)
    assert strict.visit("/", query_string=many).code == 400


def test_a_route_can_leave_bodies_alone() -> None:
    site = Site(detection_scan_body=False)
    assert site.visit(method="POST", data={"a": INJECTION}).code == 200
    assert site.visit(query_string={"a": INJECTION}).code == 400
