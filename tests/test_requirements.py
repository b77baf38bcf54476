"""What a container installs is what requirements.txt asks for and the tests ran with, each package by its digests."""

import re
import subprocess
from importlib.metadata import requires
from pathlib import Path
from urllib.parse import unquote

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
CONTAINER = {"python_version": "3.12", "python_full_version": "3.12.0", "sys_platform": "linux", "extra": ""}
MACHINES = ("x86_64", "aarch64")


def entries(name: str) -> dict[Requirement, list[str]]:
    """Each requirement of a file, with its digests."""
    text = (ROOT / name).read_text(encoding="utf-8").replace("\\\n", " ")
    lines = [re.sub(r"(^|\s)#.*", "", line).strip() for line in text.splitlines()]
    parted = [line.split("--hash=") for line in lines if line]
    return {Requirement(first): [digest.strip() for digest in digests] for first, *digests in parted}


def installed_on(machine: str, name: str) -> dict[str, str]:
    """Package ↦ version, or the wheel's own address, of what the container takes from a file."""
    where = CONTAINER | {"platform_machine": machine}
    taken = [one for one in entries(name) if one.marker is None or one.marker.evaluate(where)]
    return {canonicalize_name(one.name): one.url or str(one.specifier) for one in taken}


def test_the_lock_is_what_is_asked_for():
    """On either machine, every package of requirements.txt is in the lock with the same version, or the same wheel."""
    for machine in MACHINES:
        asked, locked = (installed_on(machine, f"requirements.{kind}") for kind in ("txt", "lock"))
        assert len(asked) > 10
        assert {name: locked.get(name) for name in asked} == asked
        assert f"+cpu-cp312-cp312-manylinux_2_28_{machine}.whl" in unquote(locked["torch"])


def test_the_lock_is_whole():
    """It has all that these packages need in turn, as installed here, so a container asks for nothing that is not in it."""
    locked = set(installed_on("x86_64", "requirements.lock"))
    open_, known = set(installed_on("x86_64", "requirements.txt")), set[str]()
    where = CONTAINER | {"platform_machine": "x86_64"}
    while open_:
        known.add(name := open_.pop())
        needed = [Requirement(one) for one in requires(name) or ()]
        needed = [one for one in needed if one.marker is None or one.marker.evaluate(where)]
        open_ |= {canonicalize_name(one.name) for one in needed} - known
    assert known - locked == set()


def test_the_lock_names_digests_and_no_index():
    """Each line is one version or one wheel and its digests; where packages come from is the installer's business."""
    text = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    assert set(re.findall(r"^\s*--(\w+)", text, re.MULTILINE)) == {"hash"}
    assert set(re.findall(r"https?://[^/]+", text)) == {"https://download.pytorch.org"}
    for one, digests in entries("requirements.lock").items():
        assert one.url or [part.operator for part in one.specifier] == ["=="]
        assert digests
        assert all(re.fullmatch(r"sha256:[0-9a-f]{64}", digest) for digest in digests)


def test_the_container_installs_the_lock():
    """And nothing beside it."""
    container = (ROOT / "Containerfile").read_text(encoding="utf-8")
    assert re.findall(r"pip install .*", container) == [
        "pip install --no-cache-dir --disable-pip-version-check --require-hashes -r requirements.lock"
    ]


def test_make_installs_the_same_with_pytorch_by_its_version():
    """Of the wheels' addresses `make` keeps the version alone, so that what PyTorch's index has serves; all else is as it is."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8").replace("$$", "$")
    (how,) = re.findall(r"sed -E '(.+?)' \$file", makefile)
    command = ["sed", "-E", how, ROOT / "requirements.txt"]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    given = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    others = [line for line in given if not line.startswith("torch")]
    assert [line for line in text.splitlines() if not line.startswith("torch")] == others
    (torch,) = {Requirement(line) for line in text.splitlines() if line.startswith("torch")}
    assert (torch.marker, torch.url) == (None, None)
    assert {str(torch.specifier)} == {f"=={one}" for one in re.findall(r"/torch-([0-9.]+)", "".join(given))}
