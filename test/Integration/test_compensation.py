# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""nn-compensate-weights on random networks against compensation.py: the same integers, and never worse than rounding.

The compiled network runs once more on its calibration data: the recording says
what each layer reads and which integers are in the arrays.
"""

import random
import re

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

import compensation
import float_reference
import gains
import numerics
import recording
import tools
from test_analog import with_noise

CASES, FULL_CASES = 12, 100
# What targets/imec-ania.yaml says.
ANIA = {"adc_bits": 6, "read": 0.02, "static": 0.05}
# Relative difference of e(q) below which two columns are as good as equal.
TIE = 1e-9
# The same of two splits, whose integers may differ by ties.
ALIKE = 1e-5


def pytest_generate_tests(metafunc):
    if "seed" in metafunc.fixturenames:
        metafunc.parametrize("seed", range(FULL_CASES if metafunc.config.getoption("--full") else CASES))


def correlated(rng, *shape):
    """Samples whose elements vary together."""
    flat = int(np.prod(shape[1:]))
    mix = rng.normal(size=(flat, flat)) * rng.random(flat) ** 2
    return (rng.normal(size=(shape[0], flat)) @ mix + rng.normal(size=flat)).reshape(shape).astype(np.float32)


def draw(seed):
    """(model, samples, cells, split): two convolutions or matrix products, the first one behind a ReLU or not."""
    pick, rng = random.Random(f"cim-compensation-{seed}"), np.random.default_rng(seed)
    samples = pick.choice([3, 20, 100, 400])
    weights = lambda *shape: numpy_helper.from_array((rng.normal(size=shape) ** 3).astype(np.float32))
    if pick.random() < 0.4:
        k, n, m = pick.randint(2, 48), pick.randint(2, 24), pick.randint(1, 8)
        x, out = correlated(rng, samples, k), [1, m]
        kind, tables, attributes = "MatMul", [weights(k, n), weights(n, m)], [{}, {}]
    else:
        groups = pick.choice([1, 1, 2, 4])
        channels, hidden, m = groups * pick.randint(1, 3), groups * pick.randint(1, 4), pick.randint(1, 8)
        x, out = correlated(rng, samples, channels, 6, 7), [1, m, None, None]
        kind, tables = "Conv", [weights(hidden, channels // groups, 3, 2), weights(m, hidden, 1, 3)]
        attributes = [
            {"group": groups, "pads": [pick.randint(0, 1) for _ in range(4)], "strides": [1, pick.choice([1, 2])]},
            {"dilations": [1, 1]},
        ]
    if pick.random() < 0.3:  # an input that never varies, and a channel without weights
        x[:, 0] = 0.5
        table = numpy_helper.to_array(tables[0]).copy()
        table[(slice(None), 0) if kind == "MatMul" else 0] = 0
        tables[0] = numpy_helper.from_array(table)
    for i, table in enumerate(tables):
        table.name = f"w{i}"
    middle = "h" if pick.random() < 0.3 else "r"
    nodes = [helper.make_node(kind, ["x", "w0"], ["h"], "first", **attributes[0])]
    nodes += [helper.make_node("Relu", ["h"], ["r"])] if middle == "r" else []
    nodes += [helper.make_node(kind, [middle, "w1"], ["y"], "second", **attributes[1])]
    value = lambda name, shape: helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
    graph = helper.make_graph(nodes, "net", [value("x", [1, *x.shape[1:]])], [value("y", out)], tables)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    return model, x, pick.randint(1, 3), pick.choice(["auto", "auto", "radix", "magnitude", "equal", "unary"])


def float_results(model, x):
    """Results of the layers "first" and "second", channels last, one row per window."""
    named = onnx.ModelProto()
    named.CopyFrom(model)
    results = []
    for name in ("h", "y"):
        del named.graph.output[:]
        named.graph.output.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, None))
        y = float_reference.run(named, x)
        results.append(np.moveaxis(y, 1, -1).reshape(len(x), -1, y.shape[1]))
    return results


def equalize(model, x):
    """The network whose channels between two products have like ranges; convolutions wish nothing."""
    result = onnx.ModelProto()
    result.CopyFrom(model)
    first, second = (numpy_helper.to_array(table).astype(float) for table in model.graph.initializer)
    if first.ndim > 2:
        return result
    hidden = float_results(model, x)[0]
    hidden = np.maximum(hidden, 0) if any(node.op_type == "Relu" for node in model.graph.node) else hidden
    factors = compensation.equalization_factors(hidden, second)
    for table, values in zip(result.graph.initializer, (first / factors, second * factors[:, None])):
        table.CopyFrom(numpy_helper.from_array(values.astype(np.float32), table.name))
    return result


def integers_of(layer):
    """The integer matrix in the arrays."""
    rows = layer.groups * layer.kernel[0] * layer.kernel[1] * layer.in_shape[2] // layer.groups
    matrix = np.zeros((rows, layer.out_shape[2]))
    for block in layer.blocks:
        k, n = block.cells.shape[0], block.cells.shape[2]
        significance = layer.significance[block.plane, block.n : block.n + n]
        matrix[block.k : block.k + k, block.n : block.n + n] += block.cells.sum(1) * significance
    return matrix


def splits_of(split, cells):
    """What `auto` chooses from; 8 bits hold the integers of every split."""
    if split != "auto":
        return [split]
    if cells == 1:
        return ["radix"]
    return [name for name, most in {"radix": 5, "magnitude": 7, "equal": 127}.items() if cells <= most]


def split_of(layer):
    """Of one that `auto` chose: what the second plane counts."""
    return {1: "equal", 2: "magnitude", 3: "radix"}[int(layer.significance[1, 0])] if len(layer.significance) > 1 else "radix"


def input_scales(folder, *options):
    """What the integers that each layer reads stand for."""
    tools.compile_model(folder / "net.onnx", folder / "net.mlir", "--emit=quant", *options)
    layers = re.findall(r"nn\.(?:conv|matmul)\(.*", (folder / "net.mlir").read_text())
    return [float(re.search(r"quant\.uniform<[iu]8<[-0-9:]*>:f32, ([-+.eE0-9]+)>", line)[1]) for line in layers]


def test_same_integers(seed, tmp_path, reference_device):
    check_integers(*draw(seed), tmp_path, reference_device)


def test_many_rows(tmp_path, reference_device):
    """A matrix in two parts. Sums of products fit binary32, so that targets are the same wherever they come from."""
    rng, rows = np.random.default_rng(1), 1300
    x = np.clip(np.rint(rng.normal(size=(300, 40)) @ rng.normal(size=(40, rows)) * 6), -127, 127).astype(np.float32) / 128
    tables = [rng.integers(-31, 32, (rows, 3)) / 64, rng.integers(-31, 32, (3, 2)) / 64]
    tables = [numpy_helper.from_array(t.astype(np.float32), f"w{i}") for i, t in enumerate(tables)]
    nodes = [helper.make_node("MatMul", [a, f"w{i}"], [b], name) for i, (a, b, name) in enumerate([("x", "h", "first"), ("h", "y", "second")])]
    value = lambda name, size: helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, size])
    graph = helper.make_graph(nodes, "net", [value("x", rows)], [value("y", 2)], tables)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    check_integers(model, x, 1, "radix", tmp_path, reference_device)


@pytest.mark.parametrize("number", [3, 16, 28])
def test_noise_of_converters_counts(number, tmp_path, reference_device):
    """--adc-range=noise: offsets and noise of converters, large ones here, make a conversion lose more, and `auto` measures
    with the gains of that method (with those of `mse` the second layer of 28 would take `radix`) and this noise (without
    it a layer of 3 and 16 would)."""
    text = (tools.ROOT / "targets" / "imec-ania.yaml").read_text()
    (tmp_path / "noisy.yaml").write_text(with_noise(text, dict(read=2, static=5, adc_offset=2, adc_noise=3)))
    options = [f"--target={tmp_path / 'noisy.yaml'}", "--adc-range=noise"]
    noise = (0.02**2 + 0.05**2, 0, 2**2 + 3**2)
    check_integers(*draw(1000 + number), tmp_path, reference_device, *options, noise=noise)


def seen_by(layer, recorded, target):
    """Integers of all windows of a layer [samples][windows][K]; the numbers of those that count, and the targets there."""
    windows = numerics.windows(recorded.map("in"), layer)
    windows = windows.reshape(len(target), -1, windows.shape[-1])
    places = compensation.sampled_windows(*windows.shape[:2], windows.shape[2] // layer.groups)
    return windows, places, at(places, target)


def at(places, values):
    return values[np.arange(len(values))[:, None], places]


def groups_of(layer, inputs, targets, weights, scale):
    """(first row, first column, inputs, targets, weights) of every group of a layer, at the windows that count."""
    rows, columns = inputs.shape[2] // layer.groups, targets.shape[2] // layer.groups
    for g in range(layer.groups):
        part = slice(g * columns, (g + 1) * columns)
        own = weights if weights.ndim == 2 else weights[part].transpose(2, 3, 1, 0).reshape(rows, columns)
        x_of_group = inputs[..., g * rows : (g + 1) * rows].reshape(-1, rows) * scale
        yield g * rows, g * columns, x_of_group, targets[..., part].reshape(-1, columns), own


def score(split, cells, found, scale, layer, windows, places, targets, noise):
    """What the results with these integers follow of the targets, less what cells and noise of converters lose."""
    rows, columns = windows.shape[2] // layer.groups, targets.shape[2] // layer.groups
    codes = np.zeros((windows.shape[2], targets.shape[2]), np.int64)
    for g, (_, own) in enumerate(found):
        codes[g * rows : (g + 1) * rows, g * columns : (g + 1) * columns] = np.stack(own, 1)
    planes, significance = numerics.planes_of(codes, split, cells, layer.groups)
    count = min(max(8192 // windows.shape[1], 4), len(windows))
    images = np.arange(count) * len(windows) // count
    converters = gains.Converters(layer.adc_lo, layer.adc_hi, layer.adc_rounding, noise)
    scales = scale * np.array([group.scale(column, n) for group, own in found for n, column in enumerate(own)])
    lost = sum(group.lost_in_cells(column, n) for group, own in found for n, column in enumerate(own))
    return compensation.explained_behind_converters(windows, images, planes, significance, scales, converters, places, targets) - lost


def run_compiled(model, x, folder, reference_device, *options):
    """What the compiled network is asked to do with its calibration data, layer by layer."""
    onnx.save(model, folder / "net.onnx")
    np.save(folder / "x.npy", x)
    tools.compile_model(folder / "net.onnx", folder / "net.so", *options)
    env = {"CIM_REFERENCE_MODE": "exact", "CIM_REFERENCE_RECORD": str(folder)}
    tools.run_model(folder / "net.so", x, folder, f"--device={reference_device}", "--threads=1", env=env)
    return recording.Recording(folder)


def check_integers(model, x, cells, split, tmp_path, reference_device, *more, noise=None):
    options = [f"--calibration={tmp_path / 'x.npy'}", f"--cells={cells}", f"--split={split}", *more]
    seen = run_compiled(model, x, tmp_path, reference_device, *options)
    model = equalize(model, x)
    same = total = 0
    scales = input_scales(tmp_path, *options)
    for recorded, target, table, scale in zip(
        seen.layers, float_results(model, x), model.graph.initializer, scales, strict=True
    ):
        layer = recorded.numerics_layer(seen.arrays)
        q = integers_of(layer)
        windows, places, targets = seen_by(layer, recorded, target)
        groups = list(groups_of(layer, at(places, windows), targets, numpy_helper.to_array(table), scale))
        choices = {choice: [] for choice in splits_of(split, cells)}
        for choice, found in choices.items():
            model_of_cells = compensation.Cells(choice, cells, **ANIA, conversion=noise[2] if noise else 0)
            for _, _, inputs, wanted, own in groups:
                group = compensation.Group([(inputs, wanted)], own, model_of_cells)
                found.append((group, [group.choose(n) for n in range(own.shape[1])]))
        taken = next(iter(choices))
        if len(choices) > 1:
            scores = {choice: score(choice, cells, found, scale, layer, windows, places, targets, noise) for choice, found in choices.items()}
            taken = split_of(layer)
            best = max(scores.values())
            assert scores[taken] >= best - ALIKE * abs(best), scores
        for (k, n0, _, _, own), (group, wanted) in zip(groups, choices[taken]):
            for n, column in enumerate(wanted):
                found = q[k : k + len(own), n0 + n]
                total += 1
                same += np.array_equal(found, column)
                plain = compensation.nearest(own[:, n], group.cells.levels)
                assert group.pure_gain(found, n) >= group.pure_gain(plain, n) * (1 - TIE)
                assert group.gain(found, n) == pytest.approx(group.gain(column, n), rel=TIE)
    assert same >= 0.8 * total, "there are too many ties"


@pytest.mark.parametrize("cells", [6, 8])
def test_more_cells_than_radix_holds(cells, tmp_path, reference_device):
    """With 6 cells `auto` takes `equal` for the first layer and `magnitude` for the second, with 8 only `equal` is left."""
    model, x, _, _ = draw(20)
    check_integers(model, x, cells, "auto", tmp_path, reference_device)


def corrected(sums, target):
    """What scale and bias make of sums: mean and the part of the deviation that follows the target."""
    found = sums.std(0)
    rho = np.clip(((sums - sums.mean(0)) * (target - target.mean(0))).mean(0) / (found * target.std(0)), 0, 1)
    assert (rho > 0).all()
    return (sums - sums.mean(0)) * (rho * target.std(0) / found) + target.mean(0)


def choose_in_rounds(w, choices, read):
    """For a matrix of several layers the split and the integers after each of three rounds; `read`: inputs and targets of
    every layer when these are the integers."""
    plain = {choice: [compensation.nearest(column, cells.levels) for column in w.T] for choice, cells in choices.items()}
    taken = next(iter(choices))
    codes = plain[taken]
    for _ in range(3):
        layers, found = read(np.stack(codes, 1)), {}
        for choice, starts in {**plain, taken: codes}.items():
            group = compensation.Group(layers, w, choices[choice])
            columns = [group.choose(n, start) for n, start in enumerate(starts)]
            found[choice] = sum(group.gain(column, n) for n, column in enumerate(columns)), columns
        taken = max(found, key=lambda choice: found[choice][0])
        codes = found[taken][1]
        yield taken, np.stack(codes, 1)


@pytest.mark.parametrize("cells, split", [(1, "radix"), (2, "radix"), (3, "auto")])
def test_layers_that_share_weights(cells, split, tmp_path, reference_device):
    """Three rounds, each on what the integers of the one before make layers read, through converters of 16 bits; `auto`
    takes the split with the largest e(q) of all columns."""
    rng, samples, k = np.random.default_rng(7), 300, 24
    x, w = correlated(rng, samples, k), rng.normal(size=(k, k)).astype(np.float32)
    nodes = [helper.make_node("MatMul", ["x", "w"], ["h"], "first"), helper.make_node("Relu", ["h"], ["r"])]
    nodes.append(helper.make_node("MatMul", ["r", "w"], ["y"], "second"))
    value = lambda name: helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, k])
    graph = helper.make_graph(nodes, "net", [value("x")], [value("y")], [numpy_helper.from_array(w, "w")])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    text = (tools.ROOT / "targets" / "imec-ania.yaml").read_text()
    (tmp_path / "fine.yaml").write_text(text.replace("adc:\n  bits: 6", "adc:\n  bits: 16"))
    options = [f"--calibration={tmp_path / 'x.npy'}", f"--cells={cells}", f"--split={split}", f"--target={tmp_path / 'fine.yaml'}"]
    seen = run_compiled(model, x, tmp_path, reference_device, *options)
    layers = [recorded.numerics_layer(seen.arrays) for recorded in seen.layers]
    found, again = map(integers_of, layers)
    assert np.array_equal(found, again)
    scales, (first, second) = input_scales(tmp_path, *options), (y.reshape(samples, k) for y in float_results(model, x))
    q = seen.layers[0].map("in").reshape(samples, k).astype(float)

    def read(codes):
        after = np.clip(np.rint(corrected(q @ codes, first) / scales[1]), 0, 127)
        return [(q * scales[0], first), (after * scales[1], second)]

    choices = {choice: compensation.Cells(choice, cells, **{**ANIA, "adc_bits": 16}) for choice in splits_of(split, cells)}
    rounds = list(choose_in_rounds(w, choices, read))
    assert split_of(layers[0]) == split_of(layers[1]) == rounds[-1][0]
    same = [(codes == found).all(0).sum() for _, codes in rounds]
    # An activation between two integers may fall on either side.
    assert same[2] >= 0.8 * k
    assert same[2] > same[0], "one round would do"
