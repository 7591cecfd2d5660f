# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Every network of CIM_DATA_DIR on imec-ania's crossbars, without converters (`ideal`)."""

import json

import numpy as np
import pytest

import float_reference
import macs
import networks
import tools

SAMPLES = 8

NETWORKS = [
    "mnist-8_cntk",
    "heir_lenet5",
    "mnist_lstm_fp32",
    "cifar_resnet20_jpegft",
    "resnet20_w2a7_ternary_odimo",
    "mlperftiny_resnet8_fp32",
    "fsdd_dscnn",
    "diana_dscnn_kws12",
    "mlperftiny_dscnn_fp32",
    "mlperftiny_vww_fp32",
    "mlperftiny_ad_fp32",
    "mobilenet_v1_0.5_160_quant_dqw",
    "ulfd_slim320_simplified",
    "vdsr",
    "tfc_2w2a_qonnx",
    "yunet_n_320_320",
    "fsdd_kwt",
    "stories260k_T128",
]


@pytest.mark.parametrize("name", NETWORKS)
def test_share_of_multiplications(name, data_dir, tmp_path, record_property):
    path = networks.path_of(name, data_dir)
    model = networks.load(path)
    x = networks.samples_of(name, model, data_dir, tmp_path, SAMPLES)
    np.save(tmp_path / "calibration.npy", networks.samples_of(name, model, data_dir, tmp_path, SAMPLES, "calibration"))
    # With sanitizers choosing among three splits takes minutes; test_compensation.py does it on small networks.
    split = "radix" if tools.is_sanitized() else "auto"
    tools.compile_model(
        path, tmp_path / "net.so", "--target=imec-ania", f"--calibration={tmp_path / 'calibration.npy'}", f"--split={split}",
        f"--report={tmp_path / 'report.json'}", *networks.shape_option(model, 1),
    )  # fmt: skip
    mapping = json.loads((tmp_path / "report.json").read_text())["mapping"]
    multiplications, with_weights = macs.of_network(model, networks.FREE)
    found = tools.run_model(tmp_path / "net.so", x, tmp_path, "--device=ideal")
    expected = float_reference.run(str(path), x)
    assert found.shape == expected.shape and np.isfinite(found).all()
    likeness = np.corrcoef(found.ravel(), expected.ravel())[0, 1]
    share = mapping["macs_per_image"] / multiplications
    print(f"{name}: {100 * share:.1f} % of multiplications on {mapping['arrays']} arrays, correlation {likeness:.3f}")
    record_property("share", share)
    assert mapping["macs_per_image"] == with_weights  # the rest multiplies activations with each other
    assert likeness > 0.9  # quantised without training, but the same function
