# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Top-1 of whole networks on the crossbar, against the thresholds of issues 2 and 5.

Without --full the first 1,000 test images must lose at most what the threshold
allows against float on the same images, plus SAMPLING points: twice the
deviation that a difference of two accuracies has on so few images. With --full
all test images must reach the threshold itself.
"""

import numpy as np
import pytest

import float_reference
import networks
import tools

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
    ("heir_lenet5", 2, "exact"): (98.19 - 0.5, 98.19),
    ("heir_lenet5", 1, "exact"): (98.19 - 0.5, 98.19),
    ("mnist_lstm_fp32", 2, "exact"): (98.53 - 0.5, 98.53),
}


@pytest.fixture(scope="module")
def compiled(data_dir, tmp_path_factory):
    """compiled(name, cells): the network for imec-ania, compiled once."""
    folder = tmp_path_factory.mktemp("accuracy")
    done = {}

    def compiled(name, cells):
        if (name, cells) not in done:
            calibration, _ = networks.real_data(name, data_dir, folder, "calibration", CALIBRATION)
            np.save(folder / f"{name}.calibration.npy", calibration)
            path, so = networks.path_of(name, data_dir), folder / f"{name}-{cells}.so"
            tools.compile_model(
                path,
                so,
                "--target=imec-ania",
                f"--calibration={folder / f'{name}.calibration.npy'}",
                f"--cells={cells}",
                *networks.shape_option(networks.load(path), 8),
            )
            done[name, cells] = so
        return done[name, cells]

    return compiled


@pytest.mark.parametrize("name, cells, device", THRESHOLDS)
def test_accuracy(name, cells, device, compiled, data_dir, tmp_path, full, record_property):
    threshold, reference = THRESHOLDS[name, cells, device]
    x, labels = networks.real_data(name, data_dir, tmp_path, limit=ALL if full else FEW)
    if not full:
        on_these = 100 * (float_reference.run(str(networks.path_of(name, data_dir)), x).argmax(1) == labels).mean()
        threshold = on_these - (reference - threshold) - SAMPLING
    y = tools.run_model(compiled(name, cells), x, tmp_path, f"--device={device}")
    top1 = 100 * (y.argmax(1) == labels).mean()
    record_property("top1", float(top1))
    print(f"{name} cells={cells} {device}: {top1:.2f} %, at least {threshold:.2f} %")
    assert top1 >= threshold


def test_fashion_resnet_in_float(full):
    if not full:
        pytest.skip("takes --full")
    data = networks.fashion_data("test", ALL)
    if data is None:
        pytest.skip("dataset-fashion-mnist is not installed")
    assert 100 * (float_reference.run(str(networks.FASHION), data[0]).argmax(1) == data[1]).mean() >= 92
    assert networks.FASHION.stat().st_size <= 1_000_000
