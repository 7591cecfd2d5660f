# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""QONNX networks in NumPy: onnx's reference evaluator, with Quant written from
https://github.com/fastmachinelearning/qonnx, docs/qonnx-custom-ops."""

import numpy as np
import onnx
from onnx.reference import ReferenceEvaluator
from onnx.reference.op_run import OpRun

DOMAINS = ("qonnx.custom_op.general", "onnx.brevitas")


def integers(x, scale, zero, bits, signed, narrow):
    """The integers that ROUND makes of `x`, and the bounds that they keep."""
    bits = int(np.asarray(bits).item())
    lowest = -(2 ** (bits - 1)) + narrow if signed else 0
    highest = 2 ** (bits - 1) - 1 if signed else 2**bits - 1 - narrow
    return np.rint(np.clip(x / scale + zero, lowest, highest))


class Quant(OpRun):
    op_domain = "onnx.brevitas"

    def _run(self, x, scale, zero, bits, signed=None, narrow=None, rounding_mode=None):
        assert rounding_mode == "ROUND"
        q = integers(x, scale, zero, bits, signed, narrow)
        return (((q - zero) * scale).astype(x.dtype),)


class BatchNormalization(OpRun):
    """onnx's own takes statistics of the batch before opset 14."""

    def _run(self, x, scale, bias, mean, variance, epsilon=None, momentum=None, training_mode=None):
        s, b, m, v = (p.reshape(-1, *[1] * (x.ndim - 2)) for p in (scale, bias, mean, variance))
        return ((((x - m) / np.sqrt(v + epsilon)) * s + b).astype(x.dtype),)


def is_qonnx(model):
    return any(node.domain in DOMAINS for node in model.graph.node)


def run(model, x):
    """First output for any number of samples."""
    stored = {t.name for t in model.graph.initializer}
    name = next(i.name for i in model.graph.input if i.name not in stored)
    imported = onnx.ModelProto()
    imported.CopyFrom(model)
    if Quant.op_domain not in {o.domain for o in model.opset_import}:  # Brevitas leaves it out
        imported.opset_import.add(domain=Quant.op_domain, version=1)
    return ReferenceEvaluator(imported, new_ops=[Quant, BatchNormalization]).run(None, {name: x})[0]
