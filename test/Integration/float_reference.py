# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""onnxruntime as the reference for float and QDQ graphs, qonnx_reference.py for those of QONNX."""

import numpy as np
import onnx
import onnxruntime

import qonnx_reference


def session(model):
    """A session that computes what the file says.

    Its optimiser is off because it replaces quantised graphs by integer kernels
    that round elsewhere.
    """
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.intra_op_num_threads = 2
    options.log_severity_level = 3
    source = model if isinstance(model, (str, bytes)) else model.SerializeToString()
    return onnxruntime.InferenceSession(source, options, providers=["CPUExecutionProvider"])


def run(model, x):
    """First output for any number of samples, in chunks of the file's batch."""
    loaded = model if isinstance(model, onnx.ModelProto) else onnx.load(model)
    if qonnx_reference.is_qonnx(loaded):
        return qonnx_reference.run(loaded, x)
    reference = session(model)
    info = reference.get_inputs()[0]
    batch = info.shape[0] if isinstance(info.shape[0], int) else len(x)
    out = []
    for first in range(0, len(x), batch):
        chunk = x[first : first + batch]
        short = batch - len(chunk)
        chunk = np.concatenate([chunk, np.repeat(chunk[:1], short, 0)]) if short else chunk
        out.append(reference.run(None, {info.name: chunk})[0][: batch - short])
    return np.concatenate(out)
