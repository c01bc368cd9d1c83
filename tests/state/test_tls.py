"""Redis behind TLS: the server must prove its identity, and a handshake counts as a wait."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from ipaddress import IPv4Address
from pathlib import Path

import pytest
from attrs import frozen

from guard_wsgi.state.settings import StoreSettings
from guard_wsgi.state.store import Store
from tests.state.redis_server import Fault, FaultyProxy, RedisServer, TLSProxy
from tests.state.test_faults import BOUND_SECONDS, serve, until
from tests.state.test_topologies import use_all_of_it
from tests.state.waiting import assert_bounded

pytest.importorskip("cryptography")

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

CLIENTS = ("rediss", "valkeys")


@frozen
class Certificate:
    """On disk; it is its own authority."""

    path: Path
    key_path: Path


def certificate(directory: Path, *names: x509.GeneralName) -> Certificate:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "redis of the tests")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    paths = Certificate(directory / "certificate.pem", directory / "key.pem")
    paths.path.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    paths.key_path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return paths


@pytest.fixture(scope="module")
def of_this_host(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    address = x509.IPAddress(IPv4Address("127.0.0.1"))
    return certificate(tmp_path_factory.mktemp("tls"), address)


@pytest.fixture
def tls(own_redis: RedisServer, of_this_host: Certificate) -> Iterator[TLSProxy]:
    proxy = TLSProxy(own_redis.port, of_this_host.path, of_this_host.key_path)
    yield proxy
    proxy.close()


def url(scheme: str, port: int, **options: object) -> str:
    pytest.importorskip(scheme.removesuffix("s"))
    query = "&".join(f"{name}={value}" for name, value in options.items())
    return f"{scheme}://127.0.0.1:{port}/0?{query}"


@pytest.mark.parametrize("scheme", CLIENTS)
def test_all_of_a_store_works_over_tls(
    tls: TLSProxy, of_this_host: Certificate, scheme: str
) -> None:
    use_all_of_it(url(scheme, tls.port, ssl_ca_certs=of_this_host.path))


@pytest.mark.parametrize("scheme", CLIENTS)
def test_an_unverified_server_gets_nothing(
    tls: TLSProxy, own_redis: RedisServer, scheme: str
) -> None:
    store = Store.open(url(scheme, tls.port))
    for _ in range(4):
        serve(store)
    assert store.degraded
    assert "certificate" in store.status()["last_error"]
    assert own_redis.ask("DBSIZE") == b":0\r\n"
    store.close()


@pytest.mark.parametrize("scheme", CLIENTS)
def test_a_certificate_of_another_host_is_refused(
    own_redis: RedisServer, tmp_path: Path, scheme: str
) -> None:
    """valkey-py, and redis-py before 6, take any name by default."""
    other = certificate(tmp_path, x509.DNSName("another.example"))
    proxy = TLSProxy(own_redis.port, other.path, other.key_path)
    store = Store.open(url(scheme, proxy.port, ssl_ca_certs=other.path))
    for _ in range(4):
        serve(store)
    assert store.degraded
    assert own_redis.ask("DBSIZE") == b":0\r\n"
    store.close()
    proxy.close()


@pytest.mark.parametrize("scheme", CLIENTS)
@pytest.mark.parametrize("option", ["ssl_cert_reqs", "ssl_check_hostname"])
def test_who_asks_for_no_proof_gets_none(
    own_redis: RedisServer, tmp_path: Path, scheme: str, option: str
) -> None:
    other = certificate(tmp_path, x509.DNSName("another.example"))
    proxy = TLSProxy(own_redis.port, other.path, other.key_path)
    options = {"ssl_cert_reqs": "none"}
    if option == "ssl_check_hostname":
        options = {"ssl_check_hostname": "false", "ssl_ca_certs": str(other.path)}
    settings = StoreSettings(timeout_seconds=5.0, request_budget_seconds=5.0)
    store = Store.open(url(scheme, proxy.port, **options), settings=settings)
    serve(store)
    assert not store.degraded
    assert own_redis.ask("DBSIZE") != b":0\r\n"
    store.close()
    proxy.close()


@pytest.mark.parametrize("fault", ["refuse", "silent", "reset", "drip"])
@pytest.mark.parametrize("when", ["from the start", "in the middle"])
def test_no_request_waits_long_for_a_handshake_or_an_answer(
    tls: TLSProxy, of_this_host: Certificate, fault: Fault, when: str
) -> None:
    proxy = FaultyProxy(tls.port)
    store = Store.open(url("rediss", proxy.port, ssl_ca_certs=of_this_host.path))
    if when == "in the middle":
        serve(store)
        assert not store.degraded
    proxy.set(fault)
    store.bans._refresh_at_ns = 0
    assert_bounded([serve(store) for _ in range(20)], BOUND_SECONDS)
    assert store.degraded
    proxy.set("none")
    until(lambda: serve(store) < 10 and not store.degraded, seconds=60)  # several probes
    store.close()
    proxy.close()
