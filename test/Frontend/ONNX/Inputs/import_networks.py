# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Imports every network of a data folder and compares the types of @main with
what the file declares.

    import_networks.py CIM-TRANSLATE DATA-FOLDER
"""

import pathlib
import re
import subprocess
import sys

import onnx

ELEMENTS = {onnx.TensorProto.FLOAT: "f32", onnx.TensorProto.INT64: "i64"}
SHAPES = {"vdsr": ["--shape", "input=1x1x64x48"]}


def declared(infos, symbols):
    shapes = []
    for info in infos:
        dims = [d.dim_value or symbols.get(d.dim_param, 1) for d in info.type.tensor_type.shape.dim]
        shapes.append("x".join(map(str, [*dims, ELEMENTS[info.type.tensor_type.elem_type]])))
    return shapes


def check(tool, path):
    name = path.stem
    result = subprocess.run(
        [tool, "--import-onnx", path, "--mlir-elide-resource-strings-if-larger=64", *SHAPES.get(name, [])], capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, (name, result.stderr)
    signature = re.search(r"func.func @main\((.*)\) -> \((.*)\) \{", result.stdout)
    graph = onnx.load(path).graph
    constants = {t.name for t in graph.initializer}
    symbols = {"H": 64, "W": 48}
    for values, infos in [
        (signature[1], [i for i in graph.input if i.name not in constants]),
        (signature[2], graph.output),
    ]:
        assert re.findall(r"tensor<(.*?)>", values) == declared(infos, symbols), (name, values)


tool, folder = sys.argv[1], pathlib.Path(sys.argv[2])
files = sorted([*folder.glob("models/*.onnx"), *folder.glob("onnx-light/*.onnx")])
assert files, f"no networks in {folder}"
for file in files:
    check(tool, file)
