import pytest

from ftkit.network.addresses import reach


@pytest.mark.parametrize(
    ("address", "wanted"),
    [
        ("93.184.216.34", "public"), ("2606:2800:220:1::1", "public"), ("127.0.0.1", "private"), ("127.9.9.9", "private"),
        ("::1", "private"), ("10.0.0.1", "private"), ("192.168.1.1", "private"), ("172.16.0.1", "private"), ("100.64.0.1", "private"),
        ("fc00::1", "private"), ("::ffff:10.0.0.1", "private"), ("64:ff9b::7f00:1", "private"), ("2002:7f00:1::", "private"),
        ("169.254.169.254", "never"), ("::ffff:169.254.169.254", "never"), ("64:ff9b::a9fe:a9fe", "never"), ("0.0.0.0", "never"),
        ("::", "never"), ("224.0.0.1", "never"), ("255.255.255.255", "never"), ("fe80::1%eth0", "never"), ("ff02::1", "never"),
        ("168.63.129.16", "never"),
    ],
)  # fmt: skip
def test_where_an_address_lies(address: str, wanted: str) -> None:
    assert reach(address) == wanted
