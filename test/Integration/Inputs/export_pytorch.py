# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Makes pytorch/*.onnx and their reference data, pytorch/*.npz (x, y).

    pip install torch==2.15.0 onnxscript==0.7.2 onnx==1.23.2
    python export_pytorch.py

PyTorch is not needed to test: the files are kept. All come from the dynamo exporter, with a symbolic batch. `-raw` is what
the exporter translates, with its functions; the others went through its optimiser, as they do by default.
"""

import pathlib

import numpy as np
import onnx
import onnx_ir
import onnx_ir.passes.common
import onnxscript
import torch
from onnxscript import FLOAT
from onnxscript import opset18 as op
from torch import nn

OUT = pathlib.Path(__file__).with_name("pytorch")


class Mlp(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(16, 32), nn.GELU(), nn.LayerNorm(32), nn.Linear(32, 32), nn.SiLU(), nn.Dropout(0.1),
            nn.Linear(32, 10), nn.Softmax(-1),
        )  # fmt: skip

    def forward(self, x):
        return self.layers(x)


class Cnn(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1, bias=False), nn.BatchNorm2d(8), nn.ReLU(), nn.MaxPool2d(2))
        self.depthwise = nn.Sequential(nn.Conv2d(8, 8, 3, padding=1, groups=8), nn.BatchNorm2d(8), nn.Hardswish())
        self.pointwise = nn.Conv2d(8, 16, 1)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.classify = nn.Linear(16, 10)

    def forward(self, x):
        x = self.stem(x)
        x = torch.cat([x, self.depthwise(x)], 1)[:, :8] + x
        return self.classify(torch.flatten(self.pool(self.pointwise(x)), 1))


class Lstm(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn = nn.LSTM(8, 12, num_layers=2, batch_first=True, bidirectional=True)
        self.classify = nn.Linear(24, 4)

    def forward(self, x):
        y, _ = self.rnn(x)
        return self.classify(y[:, -1])


class Encoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Linear(8, 16)
        self.position = nn.Parameter(torch.randn(1, 12, 16) * 0.1)
        layer = nn.TransformerEncoderLayer(16, 4, 32, activation="gelu", batch_first=True, norm_first=True)
        self.encode = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        self.classify = nn.Linear(16, 4)

    def forward(self, x):
        return self.classify(self.encode(self.embed(x) + self.position).mean(1))


# A translation of one's own, as users add them.
@onnxscript.script(onnxscript.values.Opset("example", 1), default_opset=op)
def silu(x: FLOAT[...]) -> FLOAT[...]:
    return op.Mul(x, op.Sigmoid(x))


def translate_silu(x):
    return silu(x)


def keep_functions():
    """The exporter inlines functions as its last step; other exporters, and this one's predecessors, keep them."""
    common = onnx_ir.passes.common
    common.InlinePass.call = lambda _, model: onnx_ir.passes.PassResult(model, modified=False)


def export(name, module, shape, opset, optimize):
    x = torch.randn(3, *shape)
    program = torch.onnx.export(
        module, (x,), dynamo=True, optimize=optimize, opset_version=opset, input_names=["x"], output_names=["y"],
        dynamic_shapes=({0: torch.export.Dim("batch")},), verbose=False,
        custom_translation_table={torch.ops.aten.silu.default: translate_silu},
    )  # fmt: skip
    model = program.model_proto
    for node in model.graph.node:
        del node.metadata_props[:]  # stack traces of this script
    onnx.checker.check_model(model)
    onnx.save(model, OUT / f"{name}.onnx")
    with torch.no_grad():
        np.savez(OUT / f"{name}.npz", x=x.numpy(), y=module(x).numpy())
    functions = ", ".join(f.name for f in model.functions) or "none"
    print(f"{name}: {len(model.graph.node)} nodes, functions: {functions}")


def main():
    OUT.mkdir(exist_ok=True)
    torch.manual_seed(0)
    networks = [("mlp", Mlp(), (16,)), ("cnn", Cnn(), (3, 16, 16)), ("lstm", Lstm(), (10, 8)), ("encoder", Encoder(), (12, 8))]
    for _, module, shape in networks:
        for _ in range(3):  # batch normalisation that is not the identity
            module(torch.randn(16, *shape) + 0.3)
        module.eval()
    for name, module, shape in networks:
        export(name, module, shape, opset=23, optimize=True)
    keep_functions()
    for name, module, shape in networks:
        export(f"{name}-raw", module, shape, opset=18, optimize=False)


if __name__ == "__main__":
    main()
