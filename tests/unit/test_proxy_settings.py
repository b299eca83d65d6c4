"""[fetch] proxy and the variables HTTPS_PROXY and NO_PROXY."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.config import fetch_proxy, parse_config, secret_values
from pipeline.config.schema import Config
from pipeline.model.errors import ConfigError
from pipeline.model.fetch import Proxy

PUBLICATION = {"name": "N", "url": "https://example.org/", "sender": "N <n@example.org>"}
PROXY = "http://proxy.example:3128"


def config(proxy: str = "") -> Config:
    return parse_config({"publication": PUBLICATION, "fetch": {"proxy": proxy}}, Path("config.toml"))


def test_there_is_no_proxy_unless_one_is_set() -> None:
    """Neither config.toml nor the environment names one."""
    assert fetch_proxy(config().fetch, {"NO_PROXY": "example.org"}) is None


@pytest.mark.parametrize(
    ("setting", "environment"),
    [(PROXY, {"HTTPS_PROXY": "http://other.example:1"}), ("", {"HTTPS_PROXY": PROXY}), ("", {"https_proxy": PROXY})],
)
def test_config_comes_before_the_environment(setting: str, environment: dict[str, str]) -> None:
    """The variable counts in either case, and only if config.toml has no proxy."""
    assert fetch_proxy(config(setting).fetch, environment) == Proxy(url=PROXY, bypass=("",))


@pytest.mark.parametrize(
    ("no_proxy", "host", "bypassed"),
    [
        ("localhost, .intranet.example", "wiki.intranet.example", True),
        ("intranet.example", "intranet.example", True),
        ("intranet.example", "notintranet.example", False),
        ("*", "blog.example", True),
        ("", "blog.example", False),
    ],
)
def test_no_proxy_names_hosts_and_their_subdomains(no_proxy: str, host: str, bypassed: bool) -> None:
    """The usual format: a list with commas, with or without leading dots, or an asterisk."""
    proxy = fetch_proxy(config(PROXY).fetch, {"NO_PROXY": no_proxy})
    assert proxy is not None
    assert proxy.bypasses(host) is bypassed


@pytest.mark.parametrize("value", ["proxy.example:3128", "socks5://proxy.example", "http://", "http://a b"])
def test_a_variable_that_is_not_a_proxy_is_refused(value: str) -> None:
    """The error names the variable and an example, not the value, which may contain a password."""
    with pytest.raises(ConfigError, match=r'HTTPS_PROXY: set it to a URL such as "http://proxy.example:3128"\.'):
        fetch_proxy(config().fetch, {"HTTPS_PROXY": value})


def test_a_password_belongs_in_the_environment() -> None:
    """config.toml refuses one without repeating it, and the one in the environment is kept out of the log."""
    with pytest.raises(ConfigError, match="set HTTPS_PROXY in the environment instead") as refused:
        config("http://user:hunter2@proxy.example:3128")
    assert "hunter2" not in str(refused.value)
    assert "hunter2" in secret_values(config(), {"HTTPS_PROXY": "http://user:hunter2@proxy.example:3128"})
