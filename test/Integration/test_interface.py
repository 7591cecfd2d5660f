# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What cim-run asks of inputs and outputs (limits in cim-c/model.h), cim-compile asks already."""

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

import smallmodel
import tools


def save(path, nodes, inputs, initializers=(), dtype="float32"):
    """A network of `nodes` from inputs {name: shape} to 'y'."""
    element = helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info(name, element, shape) for name, shape in inputs.items()],
        [helper.make_tensor_value_info("y", element, None)],
        [numpy_helper.from_array(np.asarray(a), n) for n, a in dict(initializers).items()],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)


def relu(source="x"):
    return helper.make_node("Relu", [source], ["y"])


IMAGE = {"x": [1, 3, 8, 8]}
# nodes, inputs, initializers, what the diagnostic says
REFUSED = {
    "transpose": (
        [helper.make_node("Transpose", ["x"], ["y"], perm=[1, 0, 2, 3])], IMAGE, {},
        "graph output 'y': expected the batch of 1 as first dimension, as the first graph input has it, "
        "but got 'tensor<3x1x8x8xf32>'",
    ),
    "flat": (
        [helper.make_node("Reshape", ["x", "s"], ["y"])], IMAGE, {"s": np.array([-1])},
        "graph output 'y': expected the batch of 1 as first dimension, as the first graph input has it, "
        "but got 'tensor<192xf32>'",
    ),
    "sum-of-samples": (
        [helper.make_node("ReduceMean", ["x"], ["y"], axes=[0])], {"x": [4, 3]}, {},
        "graph output 'y': expected the batch of 4 as first dimension, as the first graph input has it, "
        "but got 'tensor<1x3xf32>'",
    ),
    "two-batches": (
        [helper.make_node("Add", ["x", "z"], ["y"])], {"x": [2, 4], "z": [1, 4]}, {},
        "graph input 'z': expected the batch of 2 as first dimension, as the first graph input has it, "
        "but got 'tensor<1x4xf32>'",
    ),
    "scalar-input": (
        [helper.make_node("Add", ["x", "s"], ["y"])], {"x": [2, 4], "s": []}, {},
        "graph input 's': expected the batch of 2 as first dimension, as the first graph input has it, "
        "but got 'tensor<1xf32>'",
    ),
    "scalar-output": (
        [helper.make_node("ReduceMean", ["x"], ["y"], keepdims=0)], {"x": [2, 4]}, {},
        "graph output 'y': expected the batch of 2 as first dimension, as the first graph input has it, "
        "but got 'tensor<1xf32>'",
    ),
    "rank-9": ([relu()], {"x": [1] * 9}, {}, "graph input 'x': expected 1 to 8 dimensions, the batch first, but it has 9"),
    "large-batch": (
        [relu()], {"x": [65537, 2]}, {},
        "graph input 'x': expected a batch of at most 65536, but got 'tensor<65537x2xf32>'; pass a smaller one with --shape",
    ),
    "large-input": (
        [relu()], {"x": [1, 2**31 + 1]}, {},
        "graph input 'x': expected at most 2147483648 elements, but got 'tensor<1x2147483649xf32>'",
    ),
    "large-output": (
        [helper.make_node("Conv", ["x", "w"], ["y"], pads=[2**31, 0, 2**31, 0])], IMAGE,
        {"w": np.ones((4, 3, 3, 3), np.float32)},
        "graph output 'y': expected at most 2147483648 elements, but got 'tensor<1x4x4294967302x6xf32>'",
    ),
    "no-input": (
        [relu("w")], {}, {"w": np.ones((1, 2), np.float32)}, "the graph has no inputs, expected at least one",
    ),
    "constant": (
        [helper.make_node("Identity", ["w"], ["y"])], IMAGE, {"w": np.ones((4, 3), np.float32)},
        "graph output 'y': expected the batch of 1 as first dimension, as the first graph input has it, "
        "but got 'tensor<4x3xf32>'",
    ),
}  # fmt: skip


# Both paths: on a crossbar target the check comes before the calibration data is read.
@pytest.mark.parametrize("options", [["--target=host"], ["--calibration=absent.npy"]], ids=["host", "crossbar"])
@pytest.mark.parametrize("what", REFUSED)
def test_refused(tmp_path, what, options):
    nodes, inputs, initializers, text = REFUSED[what]
    save(tmp_path / "model.onnx", nodes, inputs, initializers)
    result = tools.invoke("cim-compile", tmp_path / "model.onnx", "-o", tmp_path / "model.so", *options)
    assert tools.check_refused(result, tmp_path / "model.so") == text


def test_batch_of_the_command_line(tmp_path):
    onnx.save(smallmodel.build(), tmp_path / "model.onnx")
    result = tools.invoke(
        "cim-compile", tmp_path / "model.onnx", "-o", tmp_path / "model.so", "--target=host", "--shape=x=1000000x3x8x8"
    )
    message = tools.check_refused(result, tmp_path / "model.so")
    assert message.startswith("graph input 'x': expected a batch of at most 65536, but got 'tensor<1000000x3x8x8xf32>'")


@pytest.mark.parametrize("shape", [[65536, 2], [1] * 8, [5]], ids=["batch", "rank-8", "rank-1"])
def test_limits_are_accepted(tmp_path, shape):
    """By both: what compiles runs."""
    save(tmp_path / "model.onnx", [relu()], {"x": shape})
    tools.compile_model(tmp_path / "model.onnx", tmp_path / "model.so", "--target=host")
    x = np.linspace(-1, 1, int(np.prod(shape)), dtype=np.float32).reshape(shape)
    assert tools.same_bits(tools.run_model(tmp_path / "model.so", x, tmp_path), np.maximum(x, 0))


# Their extreme values, and for float all that a comparison treats in its own way.
VALUES = {
    "bool": [True, False],
    "float32": [np.nan, -np.inf, np.inf, -0.0, 1e-45],
    **{t: [np.iinfo(t).min, 1, np.iinfo(t).max] for t in ("int8", "uint8", "int16", "uint16", "int32", "int64")},
}


@pytest.mark.parametrize("dtype", VALUES)
def test_element_types(tmp_path, dtype):
    x = np.array([VALUES[dtype], VALUES[dtype][::-1]], dtype)
    save(tmp_path / "model.onnx", [helper.make_node("Transpose", ["x"], ["y"], perm=[0, 2, 1])], {"x": [1, len(x[0]), 1]}, dtype=dtype)
    tools.compile_model(tmp_path / "model.onnx", tmp_path / "model.so", "--target=host")
    found = tools.run_model(tmp_path / "model.so", x[..., None], tmp_path)
    assert tools.same_bits(found, x[:, None])


def test_names_with_slashes(tmp_path):
    """As TensorFlow and PyTorch give them."""
    nodes = [helper.make_node("Sub", ["gpu/a", "/b"], ["y"])]
    save(tmp_path / "model.onnx", nodes, {"gpu/a": [1, 2], "/b": [1, 2]})
    tools.compile_model(tmp_path / "model.onnx", tmp_path / "model.so", "--target=host")
    a, b = np.array([[5, 1]], np.float32), np.array([[2, 3]], np.float32)
    assert tools.same_bits(tools.run_model(tmp_path / "model.so", {"gpu/a": a, "/b": b}, tmp_path), a - b)


def test_float16_is_accepted(tmp_path):
    save(tmp_path / "model.onnx", [relu()], {"x": [2, 3]})
    tools.compile_model(tmp_path / "model.onnx", tmp_path / "model.so", "--target=host")
    x = np.array([[1, -2, 65504], [6e-8, np.inf, 0]], np.float16)
    assert tools.same_bits(tools.run_model(tmp_path / "model.so", x, tmp_path), np.maximum(x, 0).astype(np.float32))


def test_largest_tensor_is_accepted(tmp_path):
    """2^31 elements in front of a Slice; only loaded, since a run would need 8 GiB."""
    ends = {"s": np.array([0]), "e": np.array([2]), "a": np.array([1])}
    save(tmp_path / "model.onnx", [helper.make_node("Slice", ["x", "s", "e", "a"], ["y"])], {"x": [1, 2**31]}, ends)
    tools.compile_model(tmp_path / "model.onnx", tmp_path / "model.so", "--target=host")
    np.save(tmp_path / "x.npy", np.zeros((1, 2), np.float32))
    result = tools.invoke("cim-run", tmp_path / "model.so", "--input", tmp_path / "x.npy")
    assert "x.npy" in tools.check_refused(result)  # the data, not the network


def test_a_scalar_is_one_element(tmp_path):
    """With a batch of one, the first input being a scalar."""
    nodes = [helper.make_node("Mul", ["s", "x"], ["t"]), helper.make_node("ReduceMean", ["t"], ["y"], keepdims=0)]
    save(tmp_path / "model.onnx", nodes, {"s": [], "x": [1, 4]})
    tools.compile_model(tmp_path / "model.onnx", tmp_path / "model.so", "--target=host")
    inputs = {"s": np.array([3], np.float32), "x": np.arange(4, dtype=np.float32)[None]}
    assert tools.run_model(tmp_path / "model.so", inputs, tmp_path) == np.array([4.5], np.float32)
