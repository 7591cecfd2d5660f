# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The portable simulator, cross-compiled for Arm64 and run under qemu-user: the bits of this machine.

Needs the packages of `scripts/bootstrap.sh --peers`.
"""

import pathlib
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor

import pytest

import tools

TRIPLE = "aarch64-linux-gnu"
LIBRARIES = pathlib.Path("/usr") / TRIPLE
QEMU = shutil.which("qemu-aarch64")

pytestmark = pytest.mark.skipif(
    not (QEMU and (LIBRARIES / "include" / "c++").exists()),
    reason="qemu-user or the Arm64 libraries are not installed; scripts/bootstrap.sh --peers installs them",
)


def sources(*folders):
    found = [path for folder in folders for path in sorted((tools.ROOT / folder).glob("*.cpp"))]
    return [path for path in found if not path.name.startswith("KernelAvx")]


def compile_object(source, folder):
    """One object file; a cache, if there is one, makes the second run cheap."""
    out = folder / (source.parent.name + "-" + source.stem + ".o")
    includes = [f"-I{tools.ROOT / name}" for name in ("include", "runtime", "tools/cim-device-check")]
    flags = ["-std=c++17", "-O1", "-fPIC", "-ffp-contract=off", "-fvisibility=hidden", '-DCIM_VERSION="0"']
    command = [f"{tools.CLANG.replace('clang', 'clang++')}", f"--target={TRIPLE}", *flags, *includes, "-c", source, "-o", out]
    if shutil.which("ccache"):
        command.insert(0, "ccache")
    subprocess.run(command, check=True)
    return out


def link(folder, name, *folders, shared=True):
    with ThreadPoolExecutor(2) as pool:
        objects = list(pool.map(lambda source: compile_object(source, folder), sources(*folders)))
    out = folder / name
    flags = ["-shared"] if shared else []
    command = [tools.CLANG.replace("clang", "clang++"), f"--target={TRIPLE}", "-fuse-ld=lld-22", *flags, *objects, "-o", out, "-lpthread", "-ldl"]
    subprocess.run(command, check=True)
    return out


@pytest.fixture(scope="module")
def arm(tmp_path_factory):
    """The checker and both devices for Arm64."""
    folder = tmp_path_factory.mktemp("arm64")
    link(folder, "simulator.so", "runtime/Simulator", "runtime/Support")
    link(folder, "reference.so", "devices/reference")
    link(folder, "check", "tools/cim-device-check", shared=False)
    return folder


def lines_of(command):
    result = subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=tools.TIMEOUT)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout.splitlines()


def test_same_bits_on_arm64(arm):
    options = ["--layers=150", "--seed=3"]
    there = lines_of([QEMU, "-L", LIBRARIES, arm / "check", arm / "simulator.so", f"--against={arm / 'reference.so'}", *options])
    here = lines_of([tools.BUILD / "bin" / "cim-device-check", tools.BUILD / "lib" / "libcim-runtime.so",
                     f"--against={tools.REFERENCE_DEVICE}", *options])  # fmt: skip
    assert sum("digest" in line for line in here) == 4
    assert there == here
