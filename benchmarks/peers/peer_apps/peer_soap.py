"""A SOAP service: spyne, with zeep; and the standard library's XML-RPC beside it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from peer_graphql import TEXTS

REQUIREMENTS = ("spyne==2.14.0", "lxml", "zeep", "six")
SENDS_FILES = False


def app(folder: Path) -> Any:
    """An echo by both protocols."""
    from xmlrpc.server import SimpleXMLRPCDispatcher

    from spyne import Application, Array, ByteArray, Integer, ServiceBase, Unicode, rpc
    from spyne.protocol.soap import Soap11
    from spyne.server.wsgi import WsgiApplication

    class Notes(ServiceBase):
        @rpc(Unicode, Integer, _returns=Array(Unicode))
        def repeat(ctx: Any, text: str, times: int) -> list[str]:
            return [text] * times

        @rpc(ByteArray, _returns=Integer)
        def store(ctx: Any, data: Any) -> int:
            return sum(len(part) for part in data)

    soap = WsgiApplication(
        Application(
            [Notes],
            "urn:example:notes",
            in_protocol=Soap11(validator="lxml"),
            out_protocol=Soap11(),
        )
    )
    dispatcher = SimpleXMLRPCDispatcher(allow_none=True)
    dispatcher.register_introspection_functions()
    dispatcher.register_multicall_functions()
    dispatcher.register_function(lambda *given: given, "notes.repeat")

    def both(environ: dict[str, Any], start_response: Any) -> Any:
        if environ["PATH_INFO"] != "/RPC2":
            return soap(environ, start_response)
        body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
        answer = dispatcher._marshaled_dispatch(body)
        start_response("200 OK", [("Content-Type", "text/xml")])
        return [answer]

    return both


def drive(url: str, folder: Path, step: Any) -> None:
    """Call both with texts and bytes."""
    import xmlrpc.client

    import zeep

    client = step("reads the description", lambda: zeep.Client(url + "/?wsdl"))
    service = client.create_service(next(iter(client.wsdl.bindings)), url + "/") if client else None
    proxy = xmlrpc.client.ServerProxy(url + "/RPC2", allow_none=True)
    for number, text in enumerate(TEXTS):

        def soap(text: str = text) -> None:
            assert service.repeat(text, 2) == [text, text]

        def rpc(text: str = text) -> None:
            given = [text, {"text": text, "id": 7}, None, 1.5]
            assert proxy.notes.repeat(*given) == given

        step(f"calls with note {number}", soap)
        step(f"calls by XML-RPC with note {number}", rpc)

    def store() -> None:
        data = bytes(range(256)) * 400
        assert service.store(data) == len(data)

    step("stores bytes", store)
    step("lists methods", proxy.system.listMethods)
    calls = xmlrpc.client.MultiCall(proxy)
    for text in TEXTS:
        calls.notes.repeat(text)
    step("calls many at once", lambda: list(calls()))
    step(
        "stores bytes by XML-RPC", lambda: proxy.notes.repeat(xmlrpc.client.Binary(b"\x00" * 9999))
    )
