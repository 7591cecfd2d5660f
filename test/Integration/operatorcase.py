# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""One random node as a test case, with what onnxruntime computes as the expected result."""

import onnxruntime
from onnx import TensorProto, helper
from onnx.reference import ReferenceEvaluator

import onnx_cases
import onnx_conformance

OPSET = 22
OPSETS = {"RoiAlign": 16}  # what onnxruntime has
# Outputs that are not float: (operator, number of the output).
OUTPUT_TYPES = dict.fromkeys([("MaxPool", 1), ("TopK", 1), ("ArgMax", 0), ("ArgMin", 0)], TensorProto.INT64)


def compute(model, operands):
    """What onnxruntime makes of the operands by name, or None."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    try:
        session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
        return session.run(None, operands)
    except Exception:
        return None


def make_case(op, seed, attributes, operands, outputs=1, how=(), reference=False):
    """A case, or None when onnxruntime does not compute it. `how` are the numbers of operands that are constants, None
    among `operands` is one that is left out. `reference` asks ONNX's slow reference implementation instead."""
    kept = {f"in{i}": x for i, x in enumerate(operands) if x is not None}
    names = [f"in{i}" if x is not None else "" for i, x in enumerate(operands)]
    results = [f"out{i}" for i in range(outputs)]
    node = helper.make_node(op, names, results, **attributes)
    inputs = [
        helper.make_tensor_value_info(n, helper.np_dtype_to_tensor_dtype(x.dtype), x.shape) for n, x in kept.items()
    ]
    types = [OUTPUT_TYPES.get((op, i), inputs[0].type.tensor_type.elem_type) for i in range(outputs)]
    infos = [helper.make_tensor_value_info(n, t, None) for n, t in zip(results, types)]
    opsets = [helper.make_opsetid("", OPSETS.get(op, OPSET))]
    model = helper.make_model(helper.make_graph([node], "g", inputs, infos), opset_imports=opsets, ir_version=10)
    expected = ReferenceEvaluator(model).run(None, kept) if reference else compute(model, kept)
    if expected is None:
        return None
    shapes = [list(x.shape) for x in kept.values()]
    numbers = {list(kept).index(f"in{i}") for i in how if f"in{i}" in kept}
    name = f"{op}-{seed} {attributes} {shapes}"
    return onnx_cases.Case(name, "random", op, model, list(kept.values()), expected, numbers, 1e-4, 1e-4)


def check(draw, attempts):
    """Runs `draw(seed)` for that many seeds, of which onnxruntime refuses some."""
    cases = [case for seed in range(attempts) if (case := draw(seed))]
    assert len(cases) > attempts // 4
    outcomes = onnx_conformance.run(cases)
    assert "\n".join(f"{name}: {o.status} {o.text}" for name, o in outcomes.items() if o.status != "passes") == ""
