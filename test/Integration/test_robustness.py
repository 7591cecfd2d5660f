# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""A run that is killed leaves the old output or the new one, never a part of one."""

import signal

import numpy as np
import onnx
import pytest

import smallmodel
import tools

SAMPLES = 11
DEVICE = "killing_device.c"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("robustness")
    np.save(folder / "calibration.npy", smallmodel.data(32))
    np.save(folder / "x.npy", smallmodel.data(SAMPLES))
    onnx.save(smallmodel.build(2), folder / "net.onnx")
    tools.compile_model(
        folder / "net.onnx", folder / "net.so", "--target=imec-ania", f"--calibration={folder / 'calibration.npy'}"
    )
    tools.build_device(DEVICE, folder)
    return folder


@pytest.fixture(params=["new", "old"])
def output(request, tmp_path):
    """Where to write: nothing is there, or the output of an earlier run."""
    if request.param == "old":
        np.save(tmp_path / "y.npy", np.full((3, 4), 7, np.float32))
    return tmp_path / "y.npy"


def run(folder, output, *options, **env):
    return tools.invoke("cim-run", folder / "net.so", "--input", folder / "x.npy", "--output", output, *options, env=env)


def files(output):
    return {path.name: path.read_bytes() for path in output.parent.iterdir()}


@pytest.mark.parametrize("sample", [0, 4, SAMPLES - 1])
def test_killed_while_it_runs(folder, output, sample):
    before = files(output)
    result = run(folder, output, f"--device={folder / 'killing_device.so'}", "--threads=2", CIM_KILL_AT=str(sample))
    assert result.returncode == -signal.SIGKILL
    assert files(output) == before


@pytest.mark.parametrize("nameless", [True, False], ids=["nameless", "named"])
def test_killed_while_it_writes(folder, output, nameless):
    """At every call that changes a file, in turn. Only a file system without nameless files keeps parts, under another name."""
    if tools.is_sanitized():
        pytest.skip("the sanitizers' runtime must be loaded first")
    before = files(output)
    (output.parent / "whole").mkdir()
    whole = output.parent / "whole" / "y.npy"
    assert run(folder, whole).returncode == 0
    expected = whole.read_bytes()
    whole.unlink()
    whole.parent.rmdir()
    preload = str(folder / "killing_device.so")
    for call in range(1, 20):
        env = {"LD_PRELOAD": preload, "CIM_KILL_CALL": str(call), **({} if nameless else {"CIM_NO_TMPFILE": "1"})}
        result = run(folder, output, **env)
        found = files(output)
        if result.returncode == 0:
            break
        assert result.returncode == -signal.SIGKILL
        assert found.get("y.npy") == before.get("y.npy")
        for name in found.keys() - before.keys():
            # Between its two names the file is whole.
            assert expected.startswith(found[name]) and (found[name] == expected or not nameless)
            (output.parent / name).unlink()
    assert call > (4 if nameless else 3), "header, data and each name are calls of their own"
    assert found == {**before, "y.npy": expected}
