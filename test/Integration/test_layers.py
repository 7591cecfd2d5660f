# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Random single layers: what the simulator computes against numerics.py, bit by bit."""

import dataclasses

import numpy as np
import onnx
import pytest

import float_reference
import layercases
import recording
import tools

CASES, FULL_CASES = 60, 600


def pytest_generate_tests(metafunc):
    if "case" in metafunc.fixturenames:
        count = FULL_CASES if metafunc.config.getoption("--full") else CASES
        cases = [layercases.draw(seed) for seed in range(count)]
        metafunc.parametrize("case", cases, ids=[c.name for c in cases])


def compile_case(case, folder, *options):
    network = layercases.Network(case)
    onnx.save(network.model(), folder / "layer.onnx")
    np.save(folder / "calibration.npy", network.x)
    text = (tools.ROOT / "targets" / "imec-ania.yaml").read_text()
    (folder / "target.yaml").write_text(layercases.target_yaml(case, text))
    tools.compile_model(
        folder / "layer.onnx",
        folder / "layer.so",
        f"--target={folder / 'target.yaml'}",
        f"--calibration={folder / 'calibration.npy'}",
        f"--cells={case.cells}",
        f"--split={case.split}",
        *options,
    )
    return network, folder / "layer.so"


def test_layer(case, tmp_path, reference_device):
    network, so = compile_case(case, tmp_path)
    for mode in ("ideal", "exact"):
        folder = tmp_path / mode
        folder.mkdir()
        env = {"CIM_REFERENCE_MODE": mode, "CIM_REFERENCE_RECORD": str(folder)}
        reference = tools.run_model(so, network.x, tmp_path, f"--device={reference_device}", "--threads=1", env=env)
        seen = recording.Recording(folder)
        assert [l.name for l in seen.layers] == ["layer"], "the layer did not become one crossbar layer"
        check_recording(network, seen)
        seen.check_streams(mode)
        expected = network.finish(seen.layers[0].map("out")[: case.samples])
        assert tools.same_bits(reference, expected), recording.difference("host part", reference, expected)
        simulated = tools.run_model(so, network.x, tmp_path, f"--device={mode}")
        assert tools.same_bits(simulated, expected), recording.difference(mode, simulated, expected)
        if mode == "ideal" and case.dyadic and case.split != "residual":
            # Nothing rounds but the quantisers: onnxruntime must give these numbers.
            reference = float_reference.run(network.model(), network.x)
            assert np.array_equal(simulated, reference), recording.difference("onnxruntime", simulated, reference)


@pytest.mark.parametrize("groups", [1, 2])
def test_equal_planes_take_turns_across_row_blocks(groups, tmp_path, reference_device):
    """Row 10 of a group of 20 begins with plane 1 of 3, also where it is the first row of a block; row 0 with plane 0."""
    shape = dict(channels=5 * groups, filters=4 * groups, groups=groups, kernel=(2, 2), rows=16, columns=8)
    case = dataclasses.replace(layercases.draw(56), split="equal", cells=3, **shape)
    network, so = compile_case(case, tmp_path)
    env = {"CIM_REFERENCE_MODE": "exact", "CIM_REFERENCE_RECORD": str(tmp_path)}
    tools.run_model(so, network.x, tmp_path, f"--device={reference_device}", "--threads=1", env=env)
    seen = recording.Recording(tmp_path)
    check_recording(network, seen)
    assert {block["k"] for block in seen.layers[0].blocks} == set(range(0, 20 * groups, 10))


def check_recording(network, seen):
    case, layer = network.case, seen.layers[0]
    seen.check_no_overlap()
    recording.check_mapping(
        layer, seen.arrays, network.matrix, case.split, network.cells, case.rows, case.columns
    )
    given = layer.map("in")[: case.samples]
    assert given.dtype == (np.uint8 if case.sign == "unsigned" else np.int8)
    assert np.array_equal(given, network.quantised_input()), recording.difference(
        "input quantiser", given.astype(np.int32), network.quantised_input()
    )
    assert (layer.raw["adc_lo"], layer.raw["adc_hi"]) == case.adc
    assert recording._ROUNDING[layer.raw["adc_rounding"]] == case.adc_rounding
    # A network that arrives quantised keeps its own scales, to the last bit but one of binary32.
    np.testing.assert_allclose(layer.scale, network.nominal_scale(), rtol=2**-23)
    np.testing.assert_allclose(layer.bias, network.nominal_bias(), rtol=2**-23)
