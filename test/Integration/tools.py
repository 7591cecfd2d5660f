# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Running the command line tools, as a user does."""

import json
import os
import pathlib
import re
import subprocess

import numpy as np

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("CIM_BUILD_DIR", ROOT / "build" / "dev")).resolve()
CLANG = os.environ.get("CIM_CLANG", "clang-22")
TIMEOUT = 300  # seconds; a tool that hangs is a failure


class ToolError(Exception):
    def __init__(self, result):
        super().__init__(f"{' '.join(map(str, result.args))}\nexit {result.returncode}\n{result.stderr}")
        self.result = result


def has_isa(isa):
    """Whether CIM_ISA can be `isa` on this processor."""
    info = pathlib.Path("/proc/cpuinfo").read_text()
    flags = {"portable": "", "avx2": " avx2 ", "avxvnni": " (avx_vnni|avx512_vnni) ", "avx512": " avx512_vnni "}
    return re.search(flags[isa], info) is not None


def invoke(tool, *args, env=None, cwd=None, timeout=TIMEOUT, **popen):
    """Runs a tool and returns its CompletedProcess, whatever its exit code."""
    command = [str(BUILD / "bin" / tool), *map(str, args)]
    return subprocess.run(
        command,
        env={**os.environ, **(env or {})},
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=timeout,
        **popen,
    )


def compile_model(model, out, *options, **popen):
    """cim-compile MODEL -o OUT OPTIONS; returns what it printed on stderr."""
    result = invoke("cim-compile", model, "-o", out, *options, **popen)
    if result.returncode != 0:
        raise ToolError(result)
    return result.stderr


def run_model(so, inputs, folder, *options, outputs=None, env=None):
    """cim-run on arrays; returns the output array, or one per name of `outputs`.

    `inputs` is one array or {name: array}.
    """
    args = []
    named = inputs if isinstance(inputs, dict) else {None: inputs}
    for i, (name, array) in enumerate(named.items()):
        path = folder / f"in{i}.npy"
        np.save(path, array)
        args += ["--input", str(path) if name is None else f"{name}={path}"]
    paths = [folder / f"out{i}.npy" for i in range(len(outputs or [None]))]
    for name, path in zip(outputs or [None], paths):
        args += ["--output", str(path) if name is None else f"{name}={path}"]
    result = invoke("cim-run", so, *args, *options, env=env)
    if result.returncode != 0:
        raise ToolError(result)
    arrays = [np.load(path) for path in paths]
    return dict(zip(outputs, arrays)) if outputs else arrays[0]


def run_json(so, folder, *options):
    """cim-run --json; returns the object."""
    result = invoke("cim-run", so, *options, "--json", cwd=folder)
    if result.returncode != 0:
        raise ToolError(result)
    return json.loads(result.stdout)


REFERENCE_DEVICE = BUILD / "lib" / "cim-reference.so"


def build_device(source, folder):
    """Compiles a device of Inputs/ to a plug-in for cim-run --device=."""
    out = folder / pathlib.Path(source).with_suffix(".so").name
    flags = ["-std=gnu11", "-O1", "-fPIC", "-shared", "-Wall", "-Wextra", "-Werror", "-fvisibility=hidden"]
    path = pathlib.Path(__file__).parent / "Inputs" / source
    subprocess.run([CLANG, *flags, f"-I{ROOT / 'include'}", "-o", str(out), str(path)], check=True)
    return out


def is_sanitized():
    """Whether the tools under test carry sanitizers."""
    return re.search(r"^CIM_SANITIZE:STRING=.", (BUILD / "CMakeCache.txt").read_text(), re.MULTILINE) is not None


def same_bits(a, b):
    """Equal types, shapes and bits (so that 0.0 and -0.0 differ)."""
    return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()


def check_refused(result, out=None, code=1):
    """Bad input is refused: exit code, one diagnostic on stderr, nothing written."""
    assert result.returncode == code, f"exit {result.returncode}\n{result.stdout}\n{result.stderr}"
    errors = [line for line in result.stderr.splitlines() if "error:" in line]
    assert len(errors) == 1, f"expected one diagnostic, found:\n{result.stderr}"
    message = errors[0].split("error:", 1)[1].strip()
    assert message, "the diagnostic is empty"
    assert not message.endswith("."), message
    if out is not None:
        left = sorted(p.name for p in out.parent.iterdir() if p.name.startswith(out.name))
        assert not left, f"something was written: {left}"
    return message
