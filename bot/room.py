"""`make room`: one laptop, no internet, a room of phones."""

import ifaddr

from bot import qr


def addresses() -> list[str]:
    """Return this machine's IPv4 addresses that other machines can reach, likeliest first."""
    found = [ip.ip for adapter in ifaddr.get_adapters() for ip in adapter.ips if isinstance(ip.ip, str)]
    outside = [ip for ip in found if not ip.startswith(("127.", "169.254."))]
    return sorted(outside, key=lambda ip: not ip.startswith(("192.168.", "10.", "172.")))


def invitation(port: int, path: str) -> str:
    """Return the address for phones with its QR code, and what that means for privacy."""
    reachable = [f"http://{ip}:{port}{path}/" for ip in addresses()]
    if not reachable:
        return "\nThis machine is in no network. Join a wireless network, or open a hotspot, and start again."
    others = "".join(f"\n  or {address}" for address in reachable[1:])
    return (
        f"\nPhones in this network open  {reachable[0]}{others}\n\n{qr.drawn(reachable[0])}\n"
        "Privacy: everybody in this network can open the chat. What they write goes to this machine only, but\n"
        "unencrypted: whoever runs the wireless network could read along. Answers are deleted after a day.\n"
        "Stop with Ctrl-C when the session is over."
    )
