"""Tests of trusted networks, of the parsing of addresses, and of keys for counting clients."""

from ipaddress import ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from entrypoints.networks import client_address_key, is_private, parse_proxies, read_address


def test_addresses_and_networks_of_both_versions_are_accepted() -> None:
    setting = " 10.0.0.0/8 ,192.0.2.7,2001:db8::/32, 2001:db8:1::7 ,fc00::/7"

    assert parse_proxies(setting) == (
        ip_network("10.0.0.0/8"),
        ip_network("192.0.2.7/32"),
        ip_network("2001:db8::/32"),
        ip_network("2001:db8:1::7/128"),
        ip_network("fc00::/7"),
    )


def test_an_ipv4_network_mapped_to_ipv6_is_converted() -> None:
    assert parse_proxies("::ffff:10.0.0.0/104,::ffff:192.0.2.7") == (
        ip_network("10.0.0.0/8"),
        ip_network("192.0.2.7/32"),
    )


@pytest.mark.parametrize(
    "setting",
    [
        "proxy.example.com",
        "10.0.0.0/33",
        "10.0.0.0/",
        "10.0.0.0/255.0.0.0",
        "10.0.0.0/-8",
        "10.0.0.0/8/8",
        "010.0.0.0/8",
        "2001:db8::/129",
        "fe80::1%eth0",
        "fe80::%eth0/64",
        "1.2.3",
        "*",
        ",",
        "10.0.0.1,",
        "10.0.0.1;10.0.0.2",
        "10.0.0.1 10.0.0.2",
        "https://10.0.0.1",
        "10.0.0.1:80",
        "[2001:db8::7]",
    ],
)
def test_a_malformed_entry_is_refused_with_its_position(setting: str) -> None:
    with pytest.raises(ValueError, match=r"entry [12] is neither"):
        parse_proxies(setting)


def test_an_address_within_a_network_is_refused_with_a_suggestion() -> None:
    with pytest.raises(ValueError, match=r"entry 2 .* write 10\.0\.0\.0/8"):
        parse_proxies("192.0.2.7,10.1.2.3/8")


@pytest.mark.parametrize(
    "proxies",
    [
        "0.0.0.0/0",
        "::/0",
        "0.0.0.0/1,128.0.0.0/1",
        "128.0.0.0/1",
        "64.0.0.0/2,10.0.0.0/8",
        "2000::/3",
        "::ffff:0.0.0.0/96",
        "::ffff:128.0.0.0/97",
        "2000::/4,3000::/4",
    ],
)
def test_trusting_all_addresses_is_refused(proxies: str) -> None:
    with pytest.raises(ValueError, match="trusts nearly every address"):
        parse_proxies(proxies)


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("::FFFF:c000:201", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:0DB8:1:2:ffff::", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("unknown", "unknown"),
        ("", ""),
    ],
)
def test_a_client_is_counted_by_ipv4_address_or_ipv6_network(text: str, key: str) -> None:
    assert client_address_key(text) == key


@given(st.ip_addresses())
def test_a_mapped_address_is_converted(address: object) -> None:
    text = str(address)

    assert str(read_address(text)) == text or "::ffff:" in text
    if ":" not in text:
        assert read_address(f"::ffff:{text}") == address


@given(st.ip_addresses(v=6), st.integers(0, 2**64 - 1))
def test_all_addresses_of_an_ipv6_network_count_as_one_client(address: object, host: int) -> None:
    network = int(ip_address(str(address))) >> 64 << 64
    if network == 0:
        return  # the addresses that IPv4 is mapped into

    assert client_address_key(str(ip_address(network | host))) == client_address_key(str(address))


@given(st.text(max_size=100))
def test_any_text_is_an_address_or_none(text: str) -> None:
    address = read_address(text)

    assert address is None or read_address(str(address)) == address


@pytest.mark.parametrize("text", ["127.0.0.1", "::1", "10.1.2.3", "172.31.0.1", "192.168.0.1", "fd00::1", "fe80::1"])
def test_loopback_private_and_link_local_addresses_are_private(text: str) -> None:
    assert is_private(ip_address(text))


@pytest.mark.parametrize("text", ["8.8.8.8", "203.0.113.7", "172.32.0.1", "2001:db8::1", "2606:4700::1"])
def test_public_addresses_are_not_private(text: str) -> None:
    assert not is_private(ip_address(text))
