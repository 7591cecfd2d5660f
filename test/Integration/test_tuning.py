# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""--tune: against tuning.py, what it is worth, and where it stays away."""

import re

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

import float_reference
import layercases
import smallmodel
import tools
import tuning

INPUTS, CLASSES = 12, 5


def make_network(folder, widths, samples, seed=1, windows=()):
    """Dense layers with ReLU between them, and inputs for it: of every sample INPUTS numbers, for each of `windows`."""
    rng = np.random.default_rng(seed)
    nodes, tensors, last = [], [], "x"
    sizes = [INPUTS, *widths]
    for i, (k, n) in enumerate(zip(sizes, widths)):
        tensors += [
            numpy_helper.from_array(rng.normal(0, 1, (k, n)).astype(np.float32), f"w{i}"),
            numpy_helper.from_array(rng.normal(0, 1, n).astype(np.float32), f"b{i}"),
        ]
        is_last = i == len(widths) - 1
        nodes.append(helper.make_node("MatMul", [last, f"w{i}"], [f"p{i}"], name=f"fc{i}"))
        nodes.append(helper.make_node("Add", [f"p{i}", f"b{i}"], ["y" if is_last else f"g{i}"]))
        if not is_last:
            nodes.append(helper.make_node("Relu", [f"g{i}"], [f"r{i}"], name=f"relu{i}"))
        last = f"r{i}"
    inputs = [helper.make_tensor_value_info("x", TensorProto.FLOAT, [8, *windows, INPUTS])]
    outputs = [helper.make_tensor_value_info("y", TensorProto.FLOAT, [8, *windows, widths[-1]])]
    model = helper.make_model(helper.make_graph(nodes, "dense", inputs, outputs, tensors))
    model.ir_version, model.opset_import[0].version = 8, 17
    onnx.save(model, folder / "dense.onnx")
    x = rng.normal(0, 1, (samples, *windows, INPUTS)).astype(np.float32)
    np.save(folder / "x.npy", x)
    return x, float_reference.run(str(folder / "dense.onnx"), x).astype(float)


def compile_cim(folder, name, *options):
    """The layers, and what the compiler says."""
    said = tools.compile_model(
        folder / "dense.onnx", folder / name, "--emit=cim", "--cells=1", f"--calibration={folder / 'x.npy'}", *options
    )
    return tuning.read_layers(folder / name), said


def losses(said, what, kind="held back"):
    """Of samples: before, and after."""
    found = re.search(rf"{what}: on \d+ samples (?:and mixtures )?{kind} .* was (\S+) and (?:is|would be) (\S+)", said)
    assert found, said
    return [float(n) for n in found.groups()]


@pytest.mark.parametrize(
    "widths, classes, samples, seed, windows",
    [
        ([9, CLASSES], False, 800, 1, ()),
        ([CLASSES], True, 400, 1, ()),
        ([9, 7, CLASSES], True, 400, 2, ()),
        ([CLASSES], True, 64, 2, (100,)),
    ],
)
def test_against_numpy(widths, classes, samples, seed, windows, tmp_path):
    x, wanted = make_network(tmp_path, widths, samples, seed, windows)
    options = ["--classes"] if classes else []
    before, _ = compile_cim(tmp_path, "before.mlir", *options)
    after, said = compile_cim(tmp_path, "after.mlir", "--tune", *options)
    network = tuning.Network(before, classes, (wanted**2).mean())
    expected, first, best = tuning.tune(network, x, wanted)
    assert losses(said, "scales and biases are tuned") == pytest.approx([first.mean(), best.mean()], rel=1e-3)
    for old, new, own in zip(before, after, expected):
        np.testing.assert_array_equal(old.weights, new.weights)
        np.testing.assert_allclose(np.log(new.scale), np.log(own.scale), atol=1e-5)
        np.testing.assert_allclose(new.bias / old.deviation, own.bias / old.deviation, atol=1e-5)


def check_cells(folder, x, wanted, everything, target, options=[]):
    """Networks that end in the same cells when all parameters are off by 1e-6: with several layers, a code that is
    rounded the other way leads elsewhere."""
    before, _ = compile_cim(folder, "before.mlir", "--tune", *options)
    after, said = compile_cim(folder, "after.mlir", "--tune=cells", *options)
    network = tuning.Network(before, "--classes" in options, (wanted**2).mean())
    expected, found = tuning.tune_cells(network, everything, target, len(x))
    is_better = expected is not before
    assert len(re.findall("cells (?:are tuned|stay as they are)", said)) == len(found)
    for (is_gain, *wanted_losses), kind in zip(found, ("held back", "once held back")):
        what = "cells are tuned" if is_gain else "cells stay as they are"
        assert losses(said, what, kind) == pytest.approx(wanted_losses, rel=1e-3)
    for old, new, own in zip(before, after, expected):
        np.testing.assert_array_equal(new.weights, own.weights)
        np.testing.assert_allclose(np.log(new.scale), np.log(own.scale), atol=1e-4)
        np.testing.assert_allclose(new.bias / old.deviation, own.bias / old.deviation, atol=1e-4)
    return is_better


@pytest.mark.parametrize(
    "classes, samples, seed, windows, is_better",
    [(True, 400, 19, (), True), (True, 40, 19, (50,), True), (False, 9, 5, (), False)],
)
def test_cells_against_numpy(classes, samples, seed, windows, is_better, tmp_path):
    x, wanted = make_network(tmp_path, [CLASSES], samples, seed, windows)
    everything = tuning.with_mixtures(x)
    target = float_reference.run(str(tmp_path / "dense.onnx"), everything).astype(float)
    options = ["--classes"] if classes else []
    assert check_cells(tmp_path, x, wanted, everything, target, options) == is_better


def test_cells_without_mixtures(tmp_path):
    """Nothing lies between two tokens."""
    make_network(tmp_path, [CLASSES], samples=8, seed=7)
    model = onnx.load(tmp_path / "dense.onnx")
    rng = np.random.default_rng(1)
    table = rng.normal(0, 1, (20, INPUTS // 2)).astype(np.float32)
    model.graph.initializer.extend(
        [numpy_helper.from_array(table, "table"), numpy_helper.from_array(np.array([-1, INPUTS]), "flat")]
    )
    model.graph.node.insert(0, helper.make_node("Gather", ["table", "tokens"], ["rows"], name="embedding"))
    model.graph.node.insert(1, helper.make_node("Reshape", ["rows", "flat"], ["x"], name="reshape"))
    model.graph.input[0].CopyFrom(helper.make_tensor_value_info("tokens", TensorProto.INT64, [8, 2]))
    onnx.save(model, tmp_path / "dense.onnx")
    tokens = rng.integers(0, 20, (400, 2))
    np.save(tmp_path / "x.npy", tokens)
    wanted = float_reference.run(str(tmp_path / "dense.onnx"), tokens).astype(float)
    x = table[tokens].reshape(-1, INPUTS)
    check_cells(tmp_path, x, wanted, x, wanted, ["--classes"])


@pytest.mark.parametrize(
    "are_gains, options",
    [([True, True], ["--split=magnitude"]), ([False], ["--cells=3", "--split=equal"]), ([True, False], ["--target=diana"])],
)
def test_cells_are_as_good_as_it_says(are_gains, options, tmp_path):
    x, wanted = make_network(tmp_path, [9, CLASSES], samples=200)
    everything = tuning.with_mixtures(x)[: 2 * len(x)]
    target = float_reference.run(str(tmp_path / "dense.onnx"), everything).astype(float)
    found = []
    for tune in ("--tune", "--tune=cells"):
        calibration = f"--calibration={tmp_path / 'x.npy'}"
        said = tools.compile_model(
            tmp_path / "dense.onnx", tmp_path / "net.so", "--classes", calibration, tune, *options
        )
        y = tools.run_model(tmp_path / "net.so", everything, tmp_path, "--device=exact").astype(float)
        found.append(tuning.distance(y, target, (wanted**2).mean(), True)[tuning.HELD_EVERY - 1 :: tuning.HELD_EVERY])
    what = ["cells are tuned" if is_gain else "cells stay as they are" for is_gain in are_gains]
    assert np.mean(found[0]) == pytest.approx(losses(said, what[0])[0], rel=1e-3)
    if are_gains[0]:
        assert np.mean(found[1]) == pytest.approx(losses(said, what[1], "once held back")[are_gains[1]], rel=1e-3)
    else:
        np.testing.assert_array_equal(*found)


def test_cells_of_one_column_stay(tmp_path):
    """Several cells of `unary` are read at once."""
    make_network(tmp_path, [9, CLASSES], samples=64)
    before, _ = compile_cim(tmp_path, "before.mlir", "--cells=2", "--split=unary", "--tune")
    after, said = compile_cim(tmp_path, "after.mlir", "--cells=2", "--split=unary", "--tune=cells")
    assert "cells are not tuned: no matrix has its cells in columns of their own" in said
    assert (tmp_path / "before.mlir").read_text() == (tmp_path / "after.mlir").read_text()


@pytest.mark.parametrize("tune, held", [("--tune", 1024 // 4), ("--tune=cells", 4096 // 4)])
def test_samples_that_are_looked_at(tune, held, tmp_path):
    make_network(tmp_path, [CLASSES], samples=5000)
    _, said = compile_cim(tmp_path, "after.mlir", "--cells=2", "--split=unary", tune)
    assert f": on {held} samples held back" in said


def test_too_many_products(tmp_path):
    """Steps that would take days are not begun."""
    rng = np.random.default_rng(1)
    x = rng.normal(0, 1, (8, 96, 64, 64)).astype(np.float32)
    np.save(tmp_path / "x.npy", x)
    weights = numpy_helper.from_array(rng.normal(0, 1, (96, 96, 3, 3)).astype(np.float32), "w")
    maps = [helper.make_tensor_value_info(name, TensorProto.FLOAT, x.shape) for name in "xy"]
    node = helper.make_node("Conv", ["x", "w"], ["y"], name="conv", pads=[1] * 4)
    model = helper.make_model(helper.make_graph([node], "conv", maps[:1], maps[1:], [weights]))
    model.ir_version, model.opset_import[0].version = 8, 17
    onnx.save(model, tmp_path / "dense.onnx")
    options = ["--emit=cim", "--cells=4", f"--calibration={tmp_path / 'x.npy'}", "--tune=cells"]
    said = tools.compile_model(tmp_path / "dense.onnx", tmp_path / "conv.mlir", *options)
    assert "cells are not tuned: expected at most 2^43 products in 2000 steps, but got 2^44" in said


@pytest.mark.parametrize("tune", ["--tune", "--tune=cells"])
def test_same_bits_for_any_threads(tune, tmp_path):
    make_network(tmp_path, [9, CLASSES], samples=64)
    texts = []
    for name, wrap in (("all.mlir", []), ("one.mlir", ["taskset", "-c", "0"])):
        command = [*wrap, str(tools.BUILD / "bin" / "cim-compile"), tmp_path / "dense.onnx", "-o", tmp_path / name]
        options = ["--emit=cim", tune, f"--calibration={tmp_path / 'x.npy'}"]
        tools.subprocess.run([*command, *options], check=True, capture_output=True, timeout=tools.TIMEOUT)
        texts.append((tmp_path / name).read_text())
    assert texts[0] == texts[1]


def test_no_gain_no_change(tmp_path):
    """What samples held back gain may be chance: scales and biases stay."""
    x, wanted = make_network(tmp_path, [9, CLASSES], samples=200)
    before, _ = compile_cim(tmp_path, "before.mlir")
    after, said = compile_cim(tmp_path, "after.mlir", "--tune")
    _, first, best = tuning.tune(tuning.Network(before, False, (wanted**2).mean()), x, wanted)
    assert losses(said, "scales and biases stay as they are") == pytest.approx([first.mean(), best.mean()], rel=1e-3)
    for old, new in zip(before, after):
        np.testing.assert_array_equal([old.scale, old.bias], [new.scale, new.bias])


def test_infinite_gradient(tmp_path):
    """The square root of what a ReLU makes 0: nothing to go by, nothing moves."""
    make_network(tmp_path, [CLASSES], samples=64)
    model = onnx.load(tmp_path / "dense.onnx")
    model.graph.node.append(helper.make_node("Relu", ["y"], ["r"]))
    model.graph.node.append(helper.make_node("Sqrt", ["r"], ["root"]))
    model.graph.output[0].name = "root"
    onnx.save(model, tmp_path / "dense.onnx")
    _, said = compile_cim(tmp_path, "after.mlir", "--tune")
    assert "scales and biases stay as they are" in said


def test_mixtures_that_are_not_finite(tmp_path):
    """The logarithm of y^2 - 1/4, which is negative only between samples."""
    make_network(tmp_path, [CLASSES], samples=16)
    signs = np.where(np.arange(16) % 8 < 4, np.float32(1), np.float32(-1))[:, None].repeat(INPUTS, 1)
    np.save(tmp_path / "x.npy", signs)
    model = onnx.load(tmp_path / "dense.onnx")
    model.graph.initializer.append(numpy_helper.from_array(np.float32(0.25), "quarter"))
    for node in (("Mul", ["x", "x"], ["square"]), ("Sub", ["square", "quarter"], ["rest"]), ("Log", ["rest"], ["logs"])):
        model.graph.node.append(helper.make_node(*node))
    model.graph.output.append(helper.make_tensor_value_info("logs", TensorProto.FLOAT, [8, INPUTS]))
    onnx.save(model, tmp_path / "dense.onnx")
    before, _ = compile_cim(tmp_path, "before.mlir", "--tune")
    after, said = compile_cim(tmp_path, "after.mlir", "--tune=cells")
    assert "cells are not tuned: outputs of the float network on mixtures are not finite" in said
    np.testing.assert_array_equal(before[0].weights, after[0].weights)
    np.testing.assert_array_equal(before[0].scale, after[0].scale)


def test_few_samples(tmp_path):
    make_network(tmp_path, [CLASSES], samples=7)
    before, _ = compile_cim(tmp_path, "before.mlir")
    after, said = compile_cim(tmp_path, "after.mlir", "--tune")
    assert "scales and biases are not tuned: expected at least 8 samples, but got 7" in said
    np.testing.assert_array_equal(before[0].scale, after[0].scale)


@pytest.mark.parametrize("tuned", ["--tune", "--tune=cells"])
def test_what_arrives_quantised_stays(tuned, tmp_path):
    network = layercases.Network(layercases.draw(2000))
    onnx.save(network.model(), tmp_path / "layer.onnx")
    np.save(tmp_path / "x.npy", np.repeat(network.x, 4, 0))
    texts = []
    for tune in ([], [tuned]):
        options = ["--emit=cim", f"--cells={network.case.cells}", f"--calibration={tmp_path / 'x.npy'}"]
        said = tools.compile_model(tmp_path / "layer.onnx", tmp_path / "layer.mlir", *options, *tune)
        texts.append((tmp_path / "layer.mlir").read_text())
    assert texts[0] == texts[1]
    assert "scales and biases are not tuned: no layer on the arrays arrived in float" in said


def test_a_host_has_nothing_to_tune(tmp_path):
    make_network(tmp_path, [CLASSES], samples=16)
    options = ["-o", tmp_path / "net.so", "--target=host", "--tune", f"--calibration={tmp_path / 'x.npy'}"]
    result = tools.invoke("cim-compile", tmp_path / "dense.onnx", *options)
    assert result.returncode == 1 and "--tune with a chip" in result.stderr


def test_no_gradient(tmp_path):
    """One error at the node, and a way out."""
    make_network(tmp_path, [CLASSES], samples=16)
    model = onnx.load(tmp_path / "dense.onnx")
    model.graph.node.append(helper.make_node("ReduceProd", ["y"], ["p"], name="product", keepdims=0))
    del model.graph.output[:]
    model.graph.output.append(helper.make_tensor_value_info("p", TensorProto.FLOAT, [8]))
    model.graph.node[-1].attribute.append(helper.make_attribute("axes", [1]))
    onnx.save(model, tmp_path / "dense.onnx")
    with pytest.raises(tools.ToolError) as error:
        compile_cim(tmp_path, "net.mlir", "--tune")
    assert error.value.result.returncode == 1
    lines = [line for line in error.value.result.stderr.splitlines() if "error" in line]
    assert len(lines) == 1 and "node 'product'" in lines[0] and "compile without --tune" in lines[0]
    assert not (tmp_path / "net.mlir").exists()


@pytest.mark.parametrize(
    "options, problem",
    [
        (["--tune", "--emit=cim"], "--tune expects --calibration"),
        (["--tune=wrong", "--calibration=x.npy"], "Cannot find option named 'wrong'"),
        (["--tune", "--emit=quant", "--calibration=x.npy"], "--tune expects --emit=cim or a later stage"),
    ],
)
def test_wrong_usage(options, problem, tmp_path):
    onnx.save(smallmodel.build(), tmp_path / "net.onnx")
    result = tools.invoke("cim-compile", tmp_path / "net.onnx", *options)
    assert result.returncode == 2
    assert problem in result.stderr
