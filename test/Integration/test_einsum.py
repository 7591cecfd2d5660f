# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Einsum on `--target=host` against NumPy."""

import numpy as np
from onnx import TensorProto, helper

import onnx_cases
import onnx_conformance

EXTENTS = {"a": 2, "b": 3, "c": 4, "d": 1, "e": 5, "A": 2, "z": 3}
# Of every kind of index: kept, summed, repeated, broadcast, missing; written out and not.
EQUATIONS = [
    "ab->ba", "ab->", "ab->a", "abc->cab", "aA->Aa", "aabb->ab", "bzb->z", "aaa->a", "aa", "ba", "Ab",
    "a,a", "a,b->ab", "ab,ab->ab", "ab,ab", "ab,bc->ac", "ab,cb", "bac,cbe->bae", "abc,acbe->ace", "ab,bc->bca",
    "abc,cd->abd", "ab,a->b", "aab,bc->ac", "abc,b->ac", "ab,c->b", "ace,bce->ab",
    "a,a,a", "ab,bc,ce->ae", "abc,ab,bce->ace", "a,b,c->cba", "ab,ab,ab->",
    "...->...", "...a->...", "a...->...a", "...aa->...a", "...ab,...bc->...ac", "b...,b...", "a...b,b->a...",
    " a b , b c -> a c ",
]  # fmt: skip


def shapes_of(equation, rng):
    """Shapes of the operands; what an ellipsis stands for begins with `[2, 3]`, or less, and may be broadcast."""
    shapes = []
    for term in equation.replace(" ", "").split("->")[0].split(","):
        before, dots, after = term.partition("...")
        middle = [int(rng.choice([1, n])) for n in [2, 3]][int(rng.integers(0, 2)) :] if dots else []
        shapes.append([EXTENTS[c] for c in before] + middle + [EXTENTS[c] for c in after])
    return shapes


def make_case(equation, seed):
    rng = np.random.default_rng(seed)
    operands = [rng.uniform(-1, 1, shape).astype(np.float32) for shape in shapes_of(equation, rng)]
    result = np.einsum(equation, *operands, dtype=np.float64).astype(np.float32)
    names = [f"x{i}" for i in range(len(operands))]
    info = lambda name, value: helper.make_tensor_value_info(name, TensorProto.FLOAT, value.shape)
    graph = helper.make_graph(
        [helper.make_node("Einsum", names, ["y"], equation=equation)],
        "einsum",
        list(map(info, names, operands)),
        [info("y", result)],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 12)], ir_version=7)
    # Any operand of two or three may be the weights.
    how = {int(rng.integers(0, len(operands)))} if seed % 2 and len(operands) > 1 else set()
    return onnx_cases.Case(f"{equation} {seed}", "einsum", "Einsum", model, operands, [result], how, 1e-5, 1e-5)


def test_against_numpy(tmp_path):
    cases = [make_case(equation, seed) for equation in EQUATIONS for seed in range(4)]
    assert not onnx_conformance.disagreements(cases, tmp_path)
