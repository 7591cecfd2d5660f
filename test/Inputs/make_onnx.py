# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Turns every *.onnxtxt of a folder into a *.onnx beside it.

The files hold a model in the text form of onnx.parser. Lines that begin with
`#py ` run after parsing, with the model as `model`, for what the text cannot
say (raw bytes, NaN, external data).

    make_onnx.py FOLDER
"""

import pathlib
import sys

import numpy as np
import onnx
import onnx.parser


def initializer(model, name):
    return next(t for t in model.graph.initializer if t.name == name)


def convert(path):
    text = path.read_text()
    try:
        model = onnx.parser.parse_model(text)
    except onnx.parser.ParseError as error:
        sys.exit(f"{path}: {error}")
    script = "\n".join(l[4:] for l in text.splitlines() if l.startswith("#py "))
    exec(script, {"model": model, "onnx": onnx, "np": np, "folder": path.parent, "initializer": lambda n: initializer(model, n)})
    path.with_suffix(".onnx").write_bytes(model.SerializeToString())


for file in sorted(pathlib.Path(sys.argv[1]).glob("*.onnxtxt")):
    convert(file)
