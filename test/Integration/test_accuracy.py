# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Top-1 of whole networks on the crossbar, against the thresholds of issues 2 and 5.

Without --full the first 1,000 test images must lose at most what the threshold
allows against float on the same images, plus SAMPLING points: twice the
deviation that a difference of two accuracies has on so few images. With --full,
and where there are no more, all test images must reach the threshold itself.
"""

import functools
import os
import subprocess

import numpy as np
import pytest

import float_reference
import networks
import tools
from test_analog import with_noise

FEW, ALL = 1000, 10000
SAMPLING = 1.0
CALIBRATION = 1024

# (network, cells, device): smallest top-1 on all images, float top-1 on all images
THRESHOLDS = {
    ("cifar_resnet20_jpegft", 3, "ideal"): (87.8, 88.13),
    ("cifar_resnet20_jpegft", 3, "exact"): (87.9, 88.13),
    ("cifar_resnet20_jpegft", 2, "ideal"): (86.4, 88.13),
    ("cifar_resnet20_jpegft", 2, "exact"): (87.6, 88.13),
    ("cifar_resnet20_jpegft", 1, "ideal"): (85.0, 88.13),
    ("cifar_resnet20_jpegft", 1, "exact"): (84.0, 88.13),
    ("resnet20_w2a7_ternary_odimo", 1, "ideal"): (82.96 - 0.3, 82.96),
    ("tfc_2w2a_qonnx", 1, "ideal"): (96.60 - 0.1, 96.60),
    ("mnist-8_cntk", 2, "exact"): (98.91 - 0.5, 98.91),
    ("mnist-8_cntk", 1, "exact"): (98.91 - 0.5, 98.91),
    ("heir_lenet5", 2, "exact"): (98.19 - 0.5, 98.19),
    ("heir_lenet5", 1, "exact"): (98.19 - 0.5, 98.19),
    ("mnist_lstm_fp32", 2, "exact"): (98.53 - 0.5, 98.53),
    ("mlperftiny_resnet8_fp32", 2, "exact"): (75.48 - 1.5, 75.48),
    ("fsdd_dscnn", 2, "exact"): (98.67 - 1, 98.67),
    ("fsdd_kwt", 2, "exact"): (99.00 - 1, 99.00),
    ("fsdd_kwt", 1, "exact"): (99.00 - 3, 99.00),
}


def compile_measured(model, out, *options):
    """Compiles and returns what it took, as `resource.getrusage` says."""
    command = [tools.BUILD / "bin" / "cim-compile", model, "-o", out, "--quiet", *options]
    process = subprocess.Popen(command)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    return usage


@pytest.fixture(scope="module")
def calibration(data_dir, tmp_path_factory):
    """calibration(name): the file of the network's calibration samples."""
    folder = tmp_path_factory.mktemp("calibration")

    @functools.cache
    def calibration(name):
        np.save(folder / f"{name}.npy", networks.real_data(name, data_dir, folder, "calibration", CALIBRATION)[0])
        return folder / f"{name}.npy"

    return calibration


@pytest.fixture(scope="module")
def compiled(data_dir, calibration, tmp_path_factory):
    """compiled(name, cells): (the network for imec-ania, what compiling took), compiled once."""
    folder = tmp_path_factory.mktemp("accuracy")

    @functools.cache
    def compiled(name, cells):
        path, so = networks.path_of(name, data_dir), folder / f"{name}-{cells}.so"
        options = ["--target=imec-ania", f"--calibration={calibration(name)}", f"--cells={cells}", "--classes"]
        return so, compile_measured(path, so, *options, *networks.shape_option(networks.load(path), 8))

    return compiled


@pytest.fixture(scope="module")
def tested(data_dir, full, tmp_path_factory):
    """tested(name): test images, their classes, and the top-1 of float on them where they are not all."""
    folder = tmp_path_factory.mktemp("tested")

    @functools.cache
    def tested(name):
        x, labels = networks.real_data(name, data_dir, folder, limit=ALL if full else FEW)
        if full or len(x) < FEW:
            return x, labels, None
        reference = float_reference.run(str(networks.path_of(name, data_dir)), x)
        return x, labels, 100 * (reference.argmax(1) == labels).mean()

    return tested


@pytest.mark.parametrize("name, cells, device", THRESHOLDS)
def test_accuracy(name, cells, device, compiled, tested, tmp_path, record_property):
    threshold, reference = THRESHOLDS[name, cells, device]
    x, labels, on_these = tested(name)
    if on_these is not None:
        threshold = on_these - (reference - threshold) - SAMPLING
    y = tools.run_model(compiled(name, cells)[0], x, tmp_path, f"--device={device}")
    top1 = 100 * (y.argmax(1) == labels).mean()
    record_property("top1", float(top1))
    print(f"{name} cells={cells} {device}: {top1:.2f} %, at least {threshold:.2f} %")
    assert top1 >= threshold


@pytest.mark.skipif(tools.is_sanitized(), reason="sanitizers take time and memory of their own")
def test_compiling_takes_a_minute_and_a_gigabyte_at_most(compiled):
    """Calibration included, on two cores: a sixth of that time is usual."""
    _, usage = compiled("cifar_resnet20_jpegft", 2)
    seconds, kilobytes = usage.ru_utime + usage.ru_stime, usage.ru_maxrss
    print(f"{seconds:.0f} s of processor time, {kilobytes / 1000:.0f} MB")
    assert seconds <= 2 * 60 and kilobytes <= 1_000_000


# --- chips ------------------------------------------------------------------------

CHIPS = 10  # without --full 4
LOSS = 1.0  # points that chips may lose against exact: issue 5


def check_chips(so, x, labels, folder, full, *options):
    """Without --full the bound is higher by twice the deviation of the measured loss - of the images, and of the chips
    around their mean - but at most by a point."""
    correct = lambda y: 100.0 * (y.argmax(-1) == labels)
    exact = correct(tools.run_model(so, x, folder, "--device=exact"))
    chips = correct(tools.run_model(so, x, folder, "--device=analog", f"--trials={CHIPS if full else 4}", *options))
    lost = exact - chips.mean(0)
    variance = lost.var(ddof=1) / len(x) + chips.mean(1).var(ddof=1) / len(chips)
    print(f"exact {exact.mean():.2f} %, chips {chips.mean():.2f}, lost {lost.mean():.2f} +- {variance**0.5:.2f}")
    assert lost.mean() <= LOSS + (0 if full else min(2 * variance**0.5, 1))


def test_chips_with_noise_of_cells(tested, calibration, data_dir, tmp_path, full):
    """Read noise of 2 % and static variation of 5 %, as the issue asks."""
    name, target = "cifar_resnet20_jpegft", tmp_path / "cells.yaml"
    text = (tools.ROOT / "targets" / "imec-ania.yaml").read_text()
    target.write_text(with_noise(text, dict(read=2, static=5)))
    options = [f"--target={target}", f"--calibration={calibration(name)}", "--cells=2", "--classes"]
    tools.compile_model(networks.path_of(name, data_dir), tmp_path / "n.so", *options)
    x, labels, _ = tested(name)
    check_chips(tmp_path / "n.so", x, labels, tmp_path, full)


def test_calibrated_chips(compiled, tested, calibration, tmp_path, full):
    """The same bound with all noise of imec-ania, on chips that are calibrated."""
    name = "cifar_resnet20_jpegft"
    samples = np.load(calibration(name))
    np.save(tmp_path / "chip.npy", samples if full else samples[:64])
    x, labels, _ = tested(name)
    check_chips(compiled(name, 2)[0], x, labels, tmp_path, full, f"--calibrate={tmp_path / 'chip.npy'}")


def test_fashion_resnet_in_float(full):
    if not full:
        pytest.skip("takes --full")
    data = networks.fashion_data("test", ALL)
    if data is None:
        pytest.skip("dataset-fashion-mnist is not installed")
    assert 100 * (float_reference.run(str(networks.FASHION), data[0]).argmax(1) == data[1]).mean() >= 92
    assert networks.FASHION.stat().st_size <= 1_000_000
