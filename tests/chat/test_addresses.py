"""Whose address it is, and how much of it is used."""

from __future__ import annotations

import pytest

from chat.addresses import client_address, network_of

NETWORKS = {
    "192.0.2.77": "192.0.2.0/24",
    "192.0.2.255": "192.0.2.0/24",
    "10.1.2.3": "10.1.2.0/24",
    "2001:db8:7:15::1": "2001:db8:7::/48",
    "2001:DB8:7:0:0:0:0:ffff": "2001:db8:7::/48",
    "::ffff:192.0.2.77": "192.0.2.0/24",
    "fe80::1%eth0": "fe80::/48",
}


@pytest.mark.parametrize(("address", "network"), NETWORKS.items(), ids=NETWORKS)
def test_an_address_is_cut_to_its_network(address: str, network: str) -> None:
    assert network_of(client_address({"REMOTE_ADDR": address})) == network


@pytest.mark.parametrize(
    "meta", [{}, {"REMOTE_ADDR": ""}, {"REMOTE_ADDR": "somewhere"}, {"REMOTE_ADDR": None}]
)
def test_what_is_no_address_is_none(meta: dict[str, object]) -> None:
    assert client_address(meta) is None
    assert network_of(client_address(meta)) == ""


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "::ffff:127.0.0.1"])
def test_this_machine_itself_is_no_network(address: str) -> None:
    assert network_of(client_address({"REMOTE_ADDR": address})) == ""


def test_what_somebody_says_of_themselves_counts_for_nothing() -> None:
    said = {"HTTP_X_FORWARDED_FOR": "198.51.100.9", "HTTP_X_REAL_IP": "198.51.100.9"}
    assert str(client_address({"REMOTE_ADDR": "192.0.2.77"} | said)) == "192.0.2.77"
