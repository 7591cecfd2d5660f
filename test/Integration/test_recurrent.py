# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""LSTM, GRU and RNN in all their forms on `--target=host`, against onnxruntime."""

import numpy as np
import pytest
from onnx import TensorProto, helper

import float_reference
import onnx_cases
import onnx_conformance

GATES = {"LSTM": 4, "GRU": 3, "RNN": 1}
FUNCTIONS = {"LSTM": 3, "GRU": 2, "RNN": 1}
# Of each function: how many of alpha and beta it takes.
ACTIVATIONS = {
    "Relu": 0, "Tanh": 0, "Sigmoid": 0, "Affine": 2, "LeakyRelu": 1, "ThresholdedRelu": 1, "ScaledTanh": 2,
    "HardSigmoid": 2, "Elu": 1, "Softsign": 0, "Softplus": 0,
}  # fmt: skip
TOLERANCE = 1e-5  # a few binary32 roundings per step, of values of magnitude 1


def draw(op, seed):
    """(attributes, {operand: array}) of layout 0."""
    rng = np.random.default_rng([seed, len(op)])
    steps, batch, inputs, hidden = (int(n) for n in rng.integers(1, [7, 4, 5, 6]))
    direction = str(rng.choice(["forward", "reverse", "bidirectional"]))
    directions, gates = 1 + (direction == "bidirectional"), GATES[op] * hidden
    attributes = {"hidden_size": hidden, "direction": direction}
    maybe = lambda: rng.random() < 0.5
    if maybe():
        names = [str(n) for n in rng.choice(list(ACTIVATIONS), directions * FUNCTIONS[op])]
        takes = [ACTIVATIONS[n] for n in names]
        attributes["activations"] = names
        # Left out, every function has the default of its operator; not every runtime knows those of all functions.
        attributes["activation_alpha"] = [float(rng.uniform(0.1, 0.9)) for t in takes if t > 0]
        attributes["activation_beta"] = [float(rng.uniform(0.1, 0.9)) for t in takes if t > 1]
        attributes = {name: value for name, value in attributes.items() if value != []}
    if maybe():
        attributes["clip"] = 0.4
    if op == "GRU" and maybe():
        attributes["linear_before_reset"] = 1
    if op == "LSTM" and maybe():
        attributes["input_forget"] = 1
    floats = lambda *shape: rng.uniform(-1, 1, shape).astype(np.float32)
    operands = {
        "X": floats(steps, batch, inputs),
        "W": floats(directions, gates, inputs),
        "R": floats(directions, gates, hidden),
    }
    if maybe():
        operands["B"] = floats(directions, 2 * gates)
    if maybe():
        operands["sequence_lens"] = rng.integers(1, steps + 1, batch).astype(np.int32)
    if maybe():
        operands["initial_h"] = floats(directions, batch, hidden)
    if op == "LSTM":
        if maybe():
            operands["initial_c"] = floats(directions, batch, hidden)
        if maybe():
            operands["P"] = floats(directions, 3 * hidden)
    return attributes, operands


def make_model(op, attributes, operands, results=None):
    positions = ["X", "W", "R", "B", "sequence_lens", "initial_h", "initial_c", "P"]
    names = [name if name in operands else "" for name in positions]
    while not names[-1]:
        names.pop()
    outputs = ["Y", "Y_h", "Y_c"][: 3 if op == "LSTM" else 2]
    info = lambda name, value: helper.make_tensor_value_info(
        name, helper.np_dtype_to_tensor_dtype(value.dtype), value.shape
    )
    return helper.make_model(
        helper.make_graph(
            [helper.make_node(op, names, outputs, **attributes)],
            "recurrent",
            [info(name, value) for name, value in operands.items()],
            [
                info(name, results[name]) if results else helper.make_tensor_value_info(name, TensorProto.FLOAT, None)
                for name in outputs
            ],
        ),
        opset_imports=[helper.make_opsetid("", 14)],
        ir_version=8,
    )


def make_case(op, seed):
    attributes, operands = draw(op, seed)
    model = make_model(op, attributes, operands)
    session = float_reference.session(model.SerializeToString())
    names = [o.name for o in model.graph.output]
    results = dict(zip(names, session.run(names, operands)))
    if seed % 2:
        # onnxruntime has no batch-first form, which is the same with dimensions swapped.
        attributes["layout"] = 1
        swap = {"X": (1, 0, 2), "initial_h": (1, 0, 2), "initial_c": (1, 0, 2)}
        operands = {n: np.ascontiguousarray(v.transpose(swap[n])) if n in swap else v for n, v in operands.items()}
        results = {n: v.transpose((2, 0, 1, 3) if n == "Y" else (1, 0, 2)) for n, v in results.items()}
    how = {i for i, name in enumerate(operands) if seed % 3 and name not in ("X", "initial_h", "initial_c")}
    return onnx_cases.Case(
        f"{op}-{seed}", "recurrent", op, make_model(op, attributes, operands, results), list(operands.values()),
        list(results.values()), how, 0, TOLERANCE,
    )  # fmt: skip


@pytest.mark.parametrize("op", GATES)
def test_against_onnxruntime(op, tmp_path):
    """Random forms; weights constant in two of three, as in networks, else computed at run time."""
    cases = [make_case(op, seed) for seed in range(40)]
    assert not onnx_conformance.disagreements(cases, tmp_path)
