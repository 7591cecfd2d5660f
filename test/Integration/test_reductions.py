# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Operators that look along dimensions: random forms against onnxruntime, and samples of a batch stay apart."""

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

import operatorcase
import tools


def tensor(rng, kind=np.float32):
    """Small integers, so that there are equal ones, as numbers of type `kind`."""
    shape = rng.integers(1, 6, rng.integers(1, 5))
    return (rng.integers(-4, 5, shape) if np.dtype(kind).kind != "u" else rng.integers(0, 9, shape)).astype(kind)


def maybe(rng, attributes):
    return {name: value for name, value in attributes.items() if rng.random() < 0.6}


def draw_reduce(seed):
    rng = np.random.default_rng(seed)
    op = str(rng.choice(["Max", "Mean", "Min", "Prod", "Sum", "SumSquare", "L1", "L2", "LogSum", "LogSumExp"]))
    kinds = [np.float32, np.int32] if op not in ("LogSum", "LogSumExp") else [np.float32]
    x = tensor(rng, rng.choice(kinds))
    if op == "LogSum":
        x = np.abs(x)
    axes = rng.permutation(x.ndim)[: rng.integers(0, x.ndim + 1)]
    axes = np.where(rng.random(len(axes)) < 0.5, axes, axes - x.ndim).astype(np.int64)
    attributes = maybe(rng, {"keepdims": 0, "noop_with_empty_axes": 1})
    # onnxruntime leaves the square and the logarithm away.
    if not len(axes) and op in ("SumSquare", "L1", "L2", "LogSum", "LogSumExp"):
        attributes.pop("noop_with_empty_axes", None)
    operands = [x, axes if rng.random() < 0.8 or len(axes) else None]
    return operatorcase.make_case("Reduce" + op, seed, attributes, operands, how=[1])


def draw_ranking(seed):
    rng = np.random.default_rng([seed, 1])
    x = tensor(rng, rng.choice([np.float32, np.int32, np.int64]))
    axis = int(rng.integers(-x.ndim, x.ndim))
    if rng.random() < 0.5:
        op = str(rng.choice(["ArgMax", "ArgMin"]))
        attributes = {"axis": axis, **maybe(rng, {"keepdims": 0, "select_last_index": 1})}
        return operatorcase.make_case(op, seed, attributes, [x])
    k = np.array([rng.integers(1, x.shape[axis] + 1)])
    attributes = {"axis": axis, **maybe(rng, {"largest": 0})}
    return operatorcase.make_case("TopK", seed, attributes, [x, k], outputs=2, how=[1])


def draw_cumulative(seed):
    rng = np.random.default_rng([seed, 2])
    x = tensor(rng, rng.choice([np.float32, np.int32, np.int64]))
    axis = np.array(rng.integers(-x.ndim, x.ndim))
    return operatorcase.make_case("CumSum", seed, maybe(rng, {"exclusive": 1, "reverse": 1}), [x, axis], how=[1])


def draw_normalization(seed):
    rng = np.random.default_rng([seed, 3])
    x = tensor(rng)
    axis = int(rng.integers(-x.ndim, x.ndim))
    ops = ["LayerNormalization", "LpNormalization", "LogSoftmax", "Hardmax", "MeanVarianceNormalization"]
    op = str(rng.choice(ops))
    attributes, operands, outputs = {"axis": axis}, [x], 1
    if op == "LayerNormalization":
        scale = rng.standard_normal(x.shape[axis:]).astype(np.float32)
        operands += [scale, scale + 1] if rng.random() < 0.7 else [scale]
        attributes |= maybe(rng, {"epsilon": 0.1})
        outputs = 3
    if op == "LpNormalization":
        attributes |= maybe(rng, {"p": 1})
        x[x == 0] = 1  # onnxruntime divides by a norm of 0
    if op == "MeanVarianceNormalization":
        attributes = {"axes": sorted(set(int(a) for a in rng.integers(0, x.ndim, 2)))}
        # onnxruntime divides 0 by 0 where all elements are equal.
        return operatorcase.make_case(op, seed, attributes, operands, reference=True)
    return operatorcase.make_case(op, seed, attributes, operands, outputs)


@pytest.mark.parametrize("draw", [draw_reduce, draw_ranking, draw_cumulative, draw_normalization])
def test_random(draw, request):
    operatorcase.check(draw, 400 if request.config.getoption("--full") else 60)


def network():
    """A block of a transformer and what is often made of its output."""
    rng = np.random.default_rng(7)
    node = helper.make_node
    nodes = [
        node("MatMul", ["x", "wq"], ["q"]),
        node("MatMul", ["x", "wk"], ["k"]),
        node("MatMul", ["x", "wv"], ["v"]),
        node("Attention", ["q", "k", "v"], ["a"], q_num_heads=4, kv_num_heads=2, is_causal=1),
        node("MatMul", ["a", "wo"], ["o"]),
        node("Add", ["o", "x"], ["sum"]),
        node("LayerNormalization", ["sum", "scale", "shift"], ["normal"]),
        node("Gelu", ["normal"], ["active"]),
        node("MatMul", ["active", "wh"], ["h"]),
        node("ReduceMean", ["h", "one"], ["mean"], keepdims=0),
        node("LogSoftmax", ["mean"], ["probabilities"]),
        node("TopK", ["mean", "three"], ["top", "places"]),
        node("CumSum", ["mean", "axis"], ["sums"]),
    ]
    shapes = {"wq": (16, 32), "wk": (16, 16), "wv": (16, 16), "wo": (32, 16), "wh": (16, 24), "scale": 16, "shift": 16}
    values = {name: (rng.standard_normal(s) / 4).astype(np.float32) for name, s in shapes.items()}
    values |= {"one": np.array([1]), "axis": np.array(1), "three": np.array([3])}
    info = helper.make_tensor_value_info
    outputs = {"probabilities": ("FLOAT", 24), "top": ("FLOAT", 3), "places": ("INT64", 3), "sums": ("FLOAT", 24)}
    graph = helper.make_graph(
        nodes,
        "block",
        [info("x", TensorProto.FLOAT, ["N", 6, 16])],
        [info(name, getattr(TensorProto, kind), ["N", size]) for name, (kind, size) in outputs.items()],
        [numpy_helper.from_array(value, name) for name, value in values.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 23)], ir_version=11)
    return model, list(outputs), rng.standard_normal((64, 6, 16)).astype(np.float32)


@pytest.mark.parametrize("batch", [1, 8])
def test_samples_stay_apart(batch, tmp_path):
    model, names, x = network()
    expected = dict(zip(names, ReferenceEvaluator(model).run(names, {"x": x}), strict=True))
    (tmp_path / "block.onnx").write_bytes(model.SerializeToString())
    so = tmp_path / "block.so"
    tools.compile_model(tmp_path / "block.onnx", so, "--target=host", f"--shape=x={batch}x6x16")
    found = tools.run_model(so, x, tmp_path, outputs=names)
    np.testing.assert_array_equal(found["places"], expected.pop("places"))
    for name, value in expected.items():
        np.testing.assert_allclose(found[name], value, rtol=1e-5, atol=1e-5)


def test_calibration_finds_the_samples(tmp_path):
    """Calibration runs many samples per call. Three cells are 27 levels; errors of the weights dominate."""
    model, names, x = network()
    expected = dict(zip(names, ReferenceEvaluator(model).run(names, {"x": x}), strict=True))
    (tmp_path / "block.onnx").write_bytes(model.SerializeToString())
    np.save(tmp_path / "x.npy", x)
    so = tmp_path / "block.so"
    options = ["--target=imec-ania", "--cells=3", f"--calibration={tmp_path / 'x.npy'}"]
    tools.compile_model(tmp_path / "block.onnx", so, *options)
    found = tools.run_model(so, x, tmp_path, "--device=ideal", outputs=names)
    span = np.ptp(expected["top"])
    assert np.abs(found["top"] - expected["top"]).max() < span / 10
    assert (found["places"][:, 0] == expected["places"][:, 0]).mean() > 0.9
