# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""cim-device-check: the devices of this project pass, a device with a defect does not, and no check is idle."""

import re

import numpy as np
import onnx
import pytest

import smallmodel
import tools

SIMULATOR = tools.BUILD / "lib" / "libcim-runtime.so"

# Defect of Inputs/broken_device.c: checks that must find it.
DEFECTS = {
    "no-name": ["lifecycle/create-and-destroy"],
    "any-version": ["lifecycle/other-version"],
    "any-mode": ["lifecycle/unknown-mode"],
    "dangling": ["lifecycle/unknown-mode"],
    "any-stream": ["lifecycle/stream-before-prepare"],
    "any-layer": ["lifecycle/prepare-before-program", "ranges/block-outside", "ranges/bad-geometry", "ranges/bad-tables"],
    "reprogram": ["lifecycle/program-after-prepare"],
    "first-layer": ["lifecycle/prepare-again"],
    "first-image": ["lifecycle/program-again"],
    "wait-needs-stream": ["lifecycle/wait-without-stream"],
    "shared-error": ["lifecycle/error-texts"],
    "empty-error": ["lifecycle/error-texts", "arguments/null"],
    "crash": ["arguments/null"],
    "any-size": ["arguments/struct-too-small"],
    "own-size-at-least": ["arguments/struct-of-first-release"],
    "long-info": ["arguments/struct-of-first-release"],
    "own-size-only": ["arguments/struct-of-later-release"],
    "ignores-members": ["arguments/unknown-members"],
    "any-array": ["ranges/array-size", "ranges/cell-levels"],
    "any-input": ["ranges/dac"],
    "any-age": ["ranges/age"],
    "sticky": ["ranges/failures-change-nothing"],
    "no-images": ["streams/no-images"],
    "overruns": ["streams/bounds"],
    "writes-input": ["streams/bounds"],
    "counts": ["streams/repeat"],
    "one-thread": ["streams/threads"],
    "one-chip": ["streams/independent-devices"],
    "no-seed": ["streams/seeds"],
    "exits": ["streams/repeat"],
    "always-floor": ["numbers/converter"],
    "always-nearest": ["numbers/epilogue"],
    "signed-only": ["numbers/input-types"],
    "no-padding": ["numbers/windows"],
    "one-off": ["numbers/random-layers", "agreement/ideal", "agreement/exact", "agreement/analog", "agreement/absurd"],
}


# What the simulator and the reference both play: all of docs/Physics.md.
EFFECTS = {
    "noise": ["read", "static", "adc_offset", "adc_gain", "adc_noise", "philox_rounds"],
    "input": ["slice_bits", "accumulation", "slice_gain", "jitter"],
    "cells": ["mapping", "distribution", "dependence", "on_off", "stuck_on", "stuck_off", "faults", "program", "drift",
              "drift_spread", "drift_start", "flicker", "flicker_time", "compensation", "age", "model"],
    "lines": ["attenuation", "compression", "spread", "curve", "full_scale", "headroom",
              "wire_resistance", "temperature"],
    "adc": ["architecture", "capacitor_mismatch", "amplifier_gain", "inl", "columns_per_adc",
            "calibration_reads"],
}  # fmt: skip


def check(*args, **popen):
    """Runs the program; returns its exit code and {check: (word, text)}."""
    result = tools.invoke("cim-device-check", *args, **popen)
    # Sanitizers have their say about devices that crash.
    assert not result.stderr or tools.is_sanitized(), result.stderr
    lines = {}
    for line in result.stdout.splitlines()[:-1]:
        word, name, _, text = re.fullmatch(r"(ok|FAIL|skip) +(\S+?)(: (.*))?", line).groups()
        lines[name] = (word, text)
    return result.returncode, lines


def all_checks():
    return tools.invoke("cim-device-check", "--list").stdout.split()


@pytest.fixture(scope="session")
def broken_device(tmp_path_factory):
    return tools.build_device("broken_device.c", tmp_path_factory.mktemp("broken"))


@pytest.mark.parametrize("device, other", [(SIMULATOR, tools.REFERENCE_DEVICE), (tools.REFERENCE_DEVICE, SIMULATOR)])
def test_our_devices_pass(device, other):
    code, lines = check(device, f"--against={other}")
    assert list(lines) == all_checks()
    assert {word for word, _ in lines.values()} == {"ok"}, lines
    assert code == 0


@pytest.mark.parametrize("isa", ["portable", "avx2", "avxvnni"])
def test_other_kernels_agree_with_the_reference(isa):
    if not tools.has_isa(isa):
        pytest.skip(f"this processor has no {isa}")
    code, lines = check(SIMULATOR, "--check=agreement", f"--against={tools.REFERENCE_DEVICE}", env={"CIM_ISA": isa})
    assert code == 0, lines
    words = {name: text.split(";")[0] for name, (_, text) in lines.items()}
    _, fast = check(SIMULATOR, "--check=agreement", f"--against={tools.REFERENCE_DEVICE}")
    assert words == {name: text.split(";")[0] for name, (_, text) in fast.items()}, "the digest differs"


def test_many_random_layers(full):
    layers = 20000 if full else 1500
    code, lines = check(SIMULATOR, "--check=agreement", f"--against={tools.REFERENCE_DEVICE}", f"--layers={layers}", "--seed=2")
    assert code == 0, lines
    for name, (_, text) in lines.items():
        # A converter with thresholds has 2 to 10 bits: a few chips exist on neither device.
        assert int(text.split()[0]) > 0.9 * layers, (name, text)
    effects = lines["agreement/analog"][1].split("; effects ")[1].split()
    assert set(effects) == {f"{section}.{key}" for section, keys in EFFECTS.items() for key in keys}


@pytest.mark.parametrize("defect", DEFECTS)
def test_defect_is_found(broken_device, defect):
    env = {"CIM_BROKEN_BASE": str(tools.REFERENCE_DEVICE), "CIM_BROKEN": defect}
    expected = DEFECTS[defect]
    only = [f"--check={name}" for name in expected]
    code, lines = check(broken_device, *only, f"--against={tools.REFERENCE_DEVICE}", "--layers=20", env=env)
    assert set(lines) == set(expected)
    assert {word for word, _ in lines.values()} == {"FAIL"}, lines
    assert all(text for _, text in lines.values())
    assert code == 1


def test_device_that_hangs(broken_device):
    env = {"CIM_BROKEN_BASE": str(tools.REFERENCE_DEVICE), "CIM_BROKEN": "hangs"}
    code, lines = check(broken_device, "--check=streams/repeat", "--time-limit=1", env=env)
    assert code == 1 and lines == {"streams/repeat": ("FAIL", "did not end within 1 seconds")}


NETWORK_TARGET = """
cells: { source: test, model: pcm, on_off: { value: 30, source: test } }
lines: { source: test, compression: { value: 10 %, source: test } }
"""


def test_network_on_both_devices(tmp_path):
    """Seed, trial, age and target reach a driver; a whole network gives the same bits."""
    target = (tools.ROOT / "targets" / "imec-ania.yaml").read_text() + NETWORK_TARGET
    (tmp_path / "target.yaml").write_text(target)
    onnx.save(smallmodel.build(2), tmp_path / "net.onnx")
    np.save(tmp_path / "calibration.npy", smallmodel.data(32))
    tools.compile_model(
        tmp_path / "net.onnx", tmp_path / "net.so", f"--target={tmp_path / 'target.yaml'}",
        f"--calibration={tmp_path / 'calibration.npy'}", "--cells=2",
    )  # fmt: skip
    x, options = smallmodel.data(5, seed=3), ["--seed=7", "--trials=2", "--age=1d"]
    fast = tools.run_model(tmp_path / "net.so", x, tmp_path, "--device=analog", *options)
    env = {"CIM_REFERENCE_MODE": "analog"}
    slow = tools.run_model(tmp_path / "net.so", x, tmp_path, f"--device={tools.REFERENCE_DEVICE}", *options, env=env)
    assert tools.same_bits(fast, slow)
    assert not tools.same_bits(fast, tools.run_model(tmp_path / "net.so", x, tmp_path, "--device=analog", "--seed=7", "--trials=2"))


def test_every_check_can_fail():
    assert {name for names in DEFECTS.values() for name in names} == set(all_checks())


def test_without_defect_it_is_good(broken_device):
    code, lines = check(broken_device, env={"CIM_BROKEN_BASE": str(tools.REFERENCE_DEVICE)})
    assert code == 0 and {word for word, _ in lines.values()} == {"ok"}, lines


@pytest.mark.parametrize(
    "args, code, message",
    [
        ([], 2, "no device given"),
        (["a.so", "b.so"], 2, "more than one device: 'a.so' and 'b.so'"),
        (["a.so", "--check=everything"], 2, "no check 'everything', see --list"),
        (["a.so", "--layers=many"], 2, "--layers=many: expected an integer 0 .. 9999999"),
        (["a.so", "--loud"], 2, "unknown option '--loud', or without a value"),
        (["a.so"], 1, "a.so: cannot open"),
        ([__file__], 1, "not a device driver"),
    ],
)
def test_wrong_use(args, code, message):
    result = tools.invoke("cim-device-check", *args)
    assert message in tools.check_refused(result, code=code)
