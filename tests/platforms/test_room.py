"""Holds a room to account: another machine in the network reaches the chat at the address that is printed."""

import io
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import segno

from tests.platforms.browser import PATIENCE, Server, need, serving

pytestmark = pytest.mark.root

NAME = f"hearsay{os.getpid()}"
HERE, THERE = "10.203.117.1", "10.203.117.2"
FETCH = f"""
import sys, urllib.request
direct = urllib.request.build_opener(urllib.request.ProxyHandler({{}}))
with direct.open(sys.argv[1], timeout={PATIENCE}) as answer:
    print(answer.status, answer.read().decode())
"""


def ip(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["ip", *words], check=False, capture_output=True, text=True, timeout=PATIENCE)


@dataclass
class Phone:
    """A machine of its own in a network with this one: a network namespace behind a pair of virtual cables."""

    near: str = f"hs{os.getpid() % 10**7}a"
    far: str = f"hs{os.getpid() % 10**7}b"

    def join(self) -> None:
        """Make the network."""
        for line in (
            f"netns add {NAME}",
            f"link add {self.near} type veth peer name {self.far}",
            f"link set {self.far} netns {NAME}",
            f"addr add {HERE}/24 dev {self.near}",
            f"link set {self.near} up",
            f"netns exec {NAME} ip addr add {THERE}/24 dev {self.far}",
            f"netns exec {NAME} ip link set {self.far} up",
        ):
            done = ip(*line.split())
            need(done.returncode == 0, f"a network namespace ({line}: {done.stderr.strip()})")

    def leave(self) -> None:
        """Take the network away again."""
        ip("link", "del", self.near)
        ip("netns", "del", NAME)

    def fetch(self, address: str) -> subprocess.CompletedProcess[str]:
        """Open `address` from over there."""
        command = ["ip", "netns", "exec", NAME, sys.executable, "-c", FETCH, address]
        return subprocess.run(command, check=False, capture_output=True, text=True, timeout=2 * PATIENCE)


@pytest.fixture(scope="module")
def phone() -> Iterator[Phone]:
    need(os.geteuid() == 0, "root")
    need(shutil.which("ip"), "ip, of iproute2")
    joined = Phone()
    try:
        joined.join()
        yield joined
    finally:
        joined.leave()


@pytest.fixture(scope="module")
def room(phone: Phone, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("room"), "--room") as running:
        yield running


def addresses(printed: str) -> list[str]:
    """Return the addresses for phones, in the order in which they are printed."""
    return re.findall(r"(?:Phones in this network open|\n  or)\s+(http://\S+)", printed)


def test_a_phone_reaches_the_chat_at_an_address_that_is_printed(room: Server, phone: Phone) -> None:
    wanted = f"http://{HERE}:{room.port}/"
    assert wanted in addresses(room.printed)
    assert not [each for each in addresses(room.printed) if each.startswith(("http://127.", "http://0."))]
    page = phone.fetch(wanted)
    assert page.stdout.startswith("200 <!doctype html>"), page.stderr
    assert "automated assistant" in page.stdout


def test_the_picture_holds_the_first_address(room: Server) -> None:
    picture = io.StringIO()
    segno.make(addresses(room.printed)[0]).terminal(picture, compact=True)
    assert picture.getvalue().strip("\n") in room.printed
    assert len(picture.getvalue().splitlines()) > 10


def test_the_room_is_told_what_that_means_for_privacy(room: Server) -> None:
    words = " ".join(room.printed.split())
    assert "everybody in this network can open the chat" in words
    assert "unencrypted" in words
    assert "Ctrl-C" in words


def test_without_a_room_the_network_stays_out(phone: Phone, tmp_path: Path) -> None:
    with serving(tmp_path) as alone:
        assert not addresses(alone.printed)
        assert phone.fetch(f"http://{HERE}:{alone.port}/").returncode != 0
