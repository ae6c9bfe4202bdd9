"""Warn if the settings let other machines reach the service without TLS."""

from urllib.parse import urlsplit

from entrypoints.networks import is_private, read_address
from entrypoints.settings.variables import HOST, PUBLIC_URL, TRUSTED_PROXIES

WILDCARD_HOSTS = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - no socket is bound to this address here
"""The hosts that mean every address of this machine, and the loopback address for each."""

_LOCAL_DOMAINS = (".localhost", ".local", ".internal", ".lan", ".home.arpa")
"""Domains of RFC 6761, 6762 and 8375, the domain that ICANN reserves for private use, and a common one."""

_READABLE = "passwords and tokens can be read and changed on their way. Put a proxy with TLS in front"
_PUBLIC_URL_IS_PLAIN = (
    f"{PUBLIC_URL} is http:// on a host that is not private: {_READABLE}, name it in {TRUSTED_PROXIES}, and "
    f"write https:// in {PUBLIC_URL}."
)
_HOST_IS_PUBLIC = (
    f"{HOST} lets others in by plain HTTP: {_READABLE}, have {HOST} be an address that it alone reaches, "
    f"name it in {TRUSTED_PROXIES}, and set {PUBLIC_URL} to its https:// address."
)


def plain_http_warning(host: str, public_url: str, *, behind_proxy: bool) -> str | None:
    """Return a warning if other machines reach the service by plain HTTP, otherwise None.

    `host` is the address to listen at. `0.0.0.0` and `::` count as private, because in a container they are.
    """
    scheme, _, rest = public_url.partition("://")
    if scheme == "https":
        return None
    try:
        public_host = urlsplit(f"//{rest}").hostname
    except ValueError:
        public_host = None
    if public_host is not None and not _is_local(public_host):
        return _PUBLIC_URL_IS_PLAIN
    if host not in WILDCARD_HOSTS and not _is_local(host) and not behind_proxy:
        return _HOST_IS_PUBLIC
    return None


def _is_local(host: str) -> bool:
    address = read_address(host)
    if address is not None:
        return is_private(address)
    name = host.lower().rstrip(".")
    return "." not in name or name.endswith(_LOCAL_DOMAINS)
