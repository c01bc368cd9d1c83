"""A configuration from a TOML file, from the environment, and secrets from files."""

from __future__ import annotations

from pathlib import Path

import pytest

from guard_wsgi.config.security import SecurityConfig
from guard_wsgi.errors import ConfigError
from guard_wsgi.options.resolving import options_of


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def faults_of_toml(path: Path) -> str:
    with pytest.raises(ConfigError) as raised:
        SecurityConfig.from_toml(path)
    return "\n".join(raised.value.faults)


# TOML --------------------------------------------------------------------------------------------


def test_a_toml_file_says_the_same_as_python(tmp_path: Path) -> None:
    path = write(
        tmp_path / "guard.toml",
        """
        passive_mode = true
        trusted_proxies = ["10.0.0.0/8"]
        rate_limit = 100
        detection_threat_score_threshold = "strict"

        [endpoint_rate_limits]
        "/login" = [5, 60]

        [custom_error_responses]
        403 = "No."

        [security_headers]
        preset = "api"
        hsts = { max_age = 300 }

        [threat_ban_config.sqli]
        threshold = 2
        duration = 600

        [[detection_exclusions]]
        path = "/blog/*"
        body_fields = ["text"]

        [[global_behavior_rules]]
        rule_type = "return_pattern"
        pattern = "status:404"
        threshold = 20
        window = 60
        action = "ban"
        """,
    )
    assert SecurityConfig.from_toml(path) == SecurityConfig(
        passive_mode=True,
        trusted_proxies=["10.0.0.0/8"],
        rate_limit=100,
        detection_threat_score_threshold="strict",
        endpoint_rate_limits={"/login": (5, 60)},
        custom_error_responses={403: "No."},
        security_headers={"preset": "api", "hsts": {"max_age": 300}},
        threat_ban_config={"sqli": {"threshold": 2, "duration": 600}},
        detection_exclusions=[{"path": "/blog/*", "body_fields": ["text"]}],
        global_behavior_rules=[
            {
                "rule_type": "return_pattern",
                "pattern": "status:404",
                "threshold": 20,
                "window": 60,
                "action": "ban",
            }
        ],
    )


def test_faults_of_a_file_name_the_file(tmp_path: Path) -> None:
    path = write(tmp_path / "guard.toml", "rate_limit = 0\npasive_mode = true\n")
    faults = faults_of_toml(path)
    assert f"{path}: rate_limit must be at least 1, not 0" in faults
    assert f"{path}: unknown option 'pasive_mode' (did you mean 'passive_mode'?)" in faults


@pytest.mark.parametrize("text", ["rate_limit = ", "[a", "\ufeff\x00"])
def test_a_file_that_is_not_toml_is_a_fault(tmp_path: Path, text: str) -> None:
    assert "is not TOML" in faults_of_toml(write(tmp_path / "guard.toml", text))


def test_bytes_that_are_not_utf8_are_a_fault(tmp_path: Path) -> None:
    path = tmp_path / "guard.toml"
    path.write_bytes(b'redis_prefix = "\xff\xfe"')
    assert "is not TOML" in faults_of_toml(path)


def test_a_missing_file_is_a_fault(tmp_path: Path) -> None:
    assert "can't be read: No such file" in faults_of_toml(tmp_path / "guard.toml")


# Secrets in files --------------------------------------------------------------------------------


def test_a_secret_may_stand_in_a_file(tmp_path: Path) -> None:
    key = write(tmp_path / "key", "key-of-the-agent\n")
    path = write(tmp_path / "guard.toml", f'enable_agent = true\nagent_api_key_file = "{key}"\n')
    assert SecurityConfig.from_toml(path).agent_api_key == "key-of-the-agent"
    environ = {"GUARD_REDIS_URL_FILE": str(write(tmp_path / "url", "redis://h/1"))}
    assert SecurityConfig.from_env(environ=environ).redis_url == "redis://h/1"
    config = SecurityConfig.from_mapping({"ipinfo_token_file": key})
    assert config.ipinfo_token == "key-of-the-agent"


def test_a_secret_file_that_cannot_be_read_is_a_fault_beside_others(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as raised:
        SecurityConfig.from_mapping({"agent_api_key_file": tmp_path / "no", "rate_limit": 0})
    text = "\n".join(raised.value.faults)
    assert "agent_api_key_file" in text
    assert "No such file" in text
    assert "rate_limit must be at least 1" in text


@pytest.mark.parametrize("path", [0, True, None, ["a"]])
def test_what_is_no_path_of_a_secret_is_a_fault(path: object) -> None:
    with pytest.raises(ConfigError, match="agent_api_key_file must be a path"):
        SecurityConfig.from_mapping({"agent_api_key_file": path})


def test_a_secret_given_twice_is_a_fault(tmp_path: Path) -> None:
    key = write(tmp_path / "key", "a")
    with pytest.raises(ConfigError, match="both set"):
        SecurityConfig.from_mapping({"agent_api_key": "b", "agent_api_key_file": str(key)})


def test_only_secrets_are_read_from_files(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="unknown option 'rate_limit_file'"):
        SecurityConfig.from_mapping({"rate_limit_file": str(write(tmp_path / "n", "5"))})
    log = str(tmp_path / "guard.log")
    assert SecurityConfig.from_mapping({"custom_log_file": log}).custom_log_file == log


# The environment ---------------------------------------------------------------------------------


def test_variables_are_read_by_the_type_of_their_option() -> None:
    config = SecurityConfig.from_env(
        environ={
            "GUARD_RATE_LIMIT": "100",
            "GUARD_PASSIVE_MODE": "true",
            "GUARD_ENFORCE_HTTPS": "0",
            "GUARD_STORE_TIMEOUT": "0.25",
            "GUARD_TRUSTED_PROXIES": "10.0.0.0/8, 192.0.2.1",
            "GUARD_BLACKLIST": '["198.51.100.0/24"]',
            "GUARD_BLOCK_CLOUD_PROVIDERS": "AWS,GCP",
            "GUARD_ENDPOINT_RATE_LIMITS": '{"/login": [5, 60]}',
            "GUARD_AGENT_API_KEY": "1234567890123",
            "GUARD_SECURITY_HEADERS": "api",
            "GUARD_DETECTION_THREAT_SCORE_THRESHOLD": "strict",
            "GUARD_RATE_LIMIT_STRATEGY": "fixed-window",
            "GUARD_IPINFO_DB_PATH": "/var/lib/geo.mmdb",
            "GUARD_MAX_REQUEST_SIZE": "null",
            "PATH": "/usr/bin",
            "GUARDIAN": "1",
        }
    )
    assert config == SecurityConfig(
        rate_limit=100,
        passive_mode=True,
        enforce_https=False,
        store_timeout=0.25,
        trusted_proxies=["10.0.0.0/8", "192.0.2.1"],
        blacklist=["198.51.100.0/24"],
        block_cloud_providers=["AWS", "GCP"],
        endpoint_rate_limits={"/login": (5, 60)},
        agent_api_key="1234567890123",
        security_headers="api",
        detection_threat_score_threshold="strict",
        rate_limit_strategy="fixed-window",
        ipinfo_db_path="/var/lib/geo.mmdb",
    )
    threshold = {"GUARD_DETECTION_THREAT_SCORE_THRESHOLD": "1.5"}
    assert SecurityConfig.from_env(environ=threshold).detection_threat_score_threshold == 1.5
    table = {"GUARD_SECURITY_HEADERS": '{"preset": "api"}'}
    assert SecurityConfig.from_env(environ=table).security_headers == {"preset": "api"}


def test_a_misspelled_variable_is_a_fault() -> None:
    environ = {"GUARD_RATE_LIMT": "5", "GUARD_PASSIVE_MODE": "perhaps", "GUARD_RATE_LIMIT": "ten"}
    with pytest.raises(ConfigError) as raised:
        SecurityConfig.from_env(environ=environ)
    text = "\n".join(raised.value.faults)
    assert "did you mean 'rate_limit'?" in text
    assert "GUARD_PASSIVE_MODE must be true or false, not 'perhaps'" in text
    assert "GUARD_RATE_LIMIT must be a whole number, not 'ten'" in text


def test_another_prefix_reads_other_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_GUARD_RATE_LIMIT", "7")
    assert SecurityConfig.from_env(prefix="SHOP_GUARD_").rate_limit == 7


def test_an_unreadable_value_of_a_secret_is_not_quoted() -> None:
    environ = {"GUARD_AGENT_API_KEY": " ", "GUARD_STORE_URL": "very-secret"}
    with pytest.raises(ConfigError) as raised:
        SecurityConfig.from_env(environ=environ)
    assert "very-secret" not in str(raised.value)


def test_the_folder_of_compiled_patterns_is_no_option() -> None:
    """It is set for the machine, beside the options of the guard, and must not break them."""
    environ = {"GUARD_WSGI_CACHE_DIR": "/var/cache/guard", "GUARD_RATE_LIMIT": "7"}
    assert SecurityConfig.from_env("GUARD_", environ=environ).rate_limit == 7
    with pytest.raises(ConfigError, match="wsgi_cache_dirs"):
        SecurityConfig.from_env("GUARD_", environ={"GUARD_WSGI_CACHE_DIRS": "/var"})


def test_a_file_nested_too_deeply_is_a_fault(tmp_path: Path) -> None:
    path = tmp_path / "guard.toml"
    path.write_text(f"cors_allow_origins = {'[' * 100_000}{']' * 100_000}")
    with pytest.raises(ConfigError, match="nested too deeply"):
        SecurityConfig.from_toml(path)


def test_a_variable_nested_too_deeply_is_a_fault() -> None:
    value = "[" * 100_000 + "]" * 100_000
    with pytest.raises(ConfigError, match=r"nested too deeply|GUARD_CORS_ALLOW_ORIGINS|holds"):
        SecurityConfig.from_env(environ={"GUARD_CORS_ALLOW_ORIGINS": value})


@pytest.mark.parametrize("number", [10**20, 10**400])
def test_a_number_beyond_all_bounds_is_a_fault(number: int, tmp_path: Path) -> None:
    for name in ("rate_limit", "rate_limit_window", "auto_ban_threshold", "auto_ban_duration"):
        with pytest.raises(ConfigError, match=f"{name} must be at most"):
            SecurityConfig(**{name: number})
    path = tmp_path / "guard.toml"
    path.write_text(f"rate_limit = {number}")
    with pytest.raises(ConfigError, match="rate_limit must be at most"):
        SecurityConfig.from_toml(path)


def test_a_blank_variable_is_one_that_nobody_set() -> None:
    """Docker Compose writes ${RATE_LIMIT:-}."""
    kinds = {}
    for option in options_of(SecurityConfig):
        kinds[str(option.type)] = option.name
        if str(option.type) != "str" or "blank" in option.metadata:
            for blank in ("", " "):
                environ = {f"GUARD_{option.name.upper()}": blank}
                assert SecurityConfig.from_env(environ=environ) == SecurityConfig(), option.name
    assert {"int", "bool", "float"} < kinds.keys()


def test_a_fault_names_the_variable() -> None:
    with pytest.raises(ConfigError, match="GUARD_SOMETHING: unknown option 'something'"):
        SecurityConfig.from_env(environ={"GUARD_SOMETHING": "x"})


@pytest.mark.parametrize("text", [",", " , ,", ",,"])
def test_a_list_of_nothing_but_commas_is_a_fault(text: str) -> None:
    with pytest.raises(ConfigError, match="GUARD_WHITELIST must not be empty"):
        SecurityConfig.from_env(environ={"GUARD_WHITELIST": text})
