# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What must hold for the repository and the build as such."""

import pathlib
import re
import shutil
import subprocess
import sys

import pytest

import tools

LICENCE = "SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception"
CANNOT_COMMENT = {".json", ".onnx", ".npy", ".npz", ".pgm", ".png"}
GENERATED = {"docs/Passes.md", "docs/SupportedOps.md", "docs/Dialects/NN.md", "docs/Dialects/CIM.md"}
MAX_LINES = 900


def tracked(*patterns):
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--", *patterns], cwd=tools.ROOT, capture_output=True, text=True, check=True
    )
    paths = [tools.ROOT / name for name in listed.stdout.split("\0") if name]
    return [p for p in paths if p.is_file() and p.suffix not in CANNOT_COMMENT and p.name != "LICENSE"]


def lines_with(pattern, *files):
    """'file:line: text' of every tracked line that matches, this file left out."""
    found = []
    for path in tracked(*files):
        if path == pathlib.Path(__file__).resolve():
            continue
        for number, line in enumerate(path.read_text().splitlines(), 1):
            if re.search(pattern, line):
                found.append(f"{path.relative_to(tools.ROOT)}:{number}: {line.strip()}")
    return found


def test_licence_in_every_file():
    files = tracked()
    assert len(files) > 100
    missing = [str(p) for p in files if LICENCE not in "\n".join(p.read_text().splitlines()[:3])]
    assert not missing


def test_files_are_short():
    lengths = {str(p.relative_to(tools.ROOT)): len(p.read_text().splitlines()) for p in tracked()}
    assert not {name: n for name, n in lengths.items() if n > MAX_LINES and name not in GENERATED}


def test_no_statistics_in_passes():
    # Their size differs between us and the package's libMLIR: memory corruption.
    assert not lines_with(r"\bStatistic<", "*.td", "*.h", "*.cpp")


def test_open_ends_say_why():
    assert not lines_with(r"\b(FIXME|XXX)\b|\bTODO\b(?!: \S+ \S+ \S+)")


def test_every_pass_has_a_lit_test():
    names = []
    for path in tracked("*Passes.td"):
        names += re.findall(r'\bPass<"([a-z-]+)"', path.read_text())
    assert len(set(names)) > 10
    tests = "\n".join(p.read_text() for p in tracked("test/**/*.mlir", "test/**/*.test"))
    assert not [name for name in set(names) if f"-{name}" not in tests and f"{name}{{" not in tests]


def test_enough_lit_tests_are_negative():
    tests = [p.read_text() for p in tracked("test/**/*.mlir", "test/**/*.test")]
    negative = [text for text in tests if re.search(r"RUN:.*(\bnot |-verify-diagnostics)", text)]
    assert len(negative) >= len(tests) / 4, f"{len(negative)} of {len(tests)}"


def test_mlir_is_linked_only_as_shared_library():
    ninja = (tools.BUILD / "build.ninja").read_text()
    assert "libMLIR.so" in ninja or "-lMLIR" in ninja
    assert not sorted(set(re.findall(r"\S*libMLIR\w+\.a\b", ninja)))


@pytest.mark.parametrize("file", ["lib/libcim-runtime.so", "bin/cim-run"])
def test_running_needs_no_compiler(file):
    linked = subprocess.run(["ldd", tools.BUILD / file], capture_output=True, text=True, check=True).stdout
    assert "libc.so" in linked
    assert not re.search(r"LLVM|MLIR|clang|protobuf|onnx", linked), linked


def test_generated_pages_are_up_to_date():
    script = tools.ROOT / "scripts" / "generate-docs.py"
    command = [sys.executable, script, "--check", f"--build={tools.BUILD}"]
    result = subprocess.run(command, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr


def test_sources_are_formatted():
    formatter = shutil.which("clang-format-22")
    if not formatter:
        pytest.skip("clang-format-22 is not installed; scripts/bootstrap.sh installs it")
    sources = tracked("*.cpp", "*.h", "*.c")
    result = subprocess.run(
        [formatter, "--dry-run", "--Werror", *sources], cwd=tools.ROOT, capture_output=True, text=True
    )
    wrong = sorted(set(re.findall(r"^(\S+?):\d+:\d+: error", result.stderr, re.MULTILINE)))
    assert result.returncode == 0, f"run clang-format-22 -i on {' '.join(wrong)}"
