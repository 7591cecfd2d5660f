# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Reads what devices/reference recorded, and checks it against the text.

`Recording` gives every layer as numerics.Layer, with the cells taken from the
array images, and the maps that went in and out.
"""

import json
import pathlib
import re

import numpy as np

import numerics

_TYPES = {"<f4": np.float32, "|i1": np.int8, "|u1": np.uint8}
_ROUNDING = [numerics.NEAREST_EVEN, numerics.FLOOR, numerics.MID_RISE]


class RecordedLayer:
    def __init__(self, folder, path):
        self.raw = json.loads(path.read_text())
        self.id, self.name = self.raw["id"], self.raw["name"]
        self.in_type = _TYPES[self.raw["in_type"]]
        self.blocks = self.raw["blocks"]
        for block in self.blocks:
            block["gain"] = float.fromhex(block["gain"])
        load = lambda what: np.load(folder / f"layer{self.id}.{what}.npy")
        self.significance, self.scale, self.bias = load("significance"), load("scale"), load("bias")
        self._folder = folder

    def map(self, what):
        """The recorded maps of all images, "in" or "out", in image order."""
        found = {}
        for path in self._folder.glob(f"layer{self.id}.image*.{what}.npy"):
            found[int(re.search(r"\.image(\d+)\.", path.name)[1])] = np.load(path)
        return np.concatenate([found[first] for first in sorted(found)])

    def numerics_layer(self, arrays):
        raw = self.raw
        blocks = []
        for b in self.blocks:
            rows = b["k_count"] * b["repeat"]
            image = arrays[b["array"]]
            cells = image[b["row"] : b["row"] + rows, b["column"] : b["column"] + b["n_count"]]
            assert cells.shape == (rows, b["n_count"]), f"block outside its array: {b}"
            cells = cells.reshape(b["k_count"], b["repeat"], b["n_count"])
            blocks.append(numerics.Block(b["plane"], b["k"], b["n"], cells, b["gain"]))
        order = [(b.k, b.plane, b.n) for b in blocks]
        assert order == sorted(order), f"{self.name}: blocks are not in the order of Numerics.md"
        pairs = {k: tuple(raw[k]) for k in ("in_shape", "out_shape", "kernel", "strides", "dilations", "pads")}
        return numerics.Layer(
            **pairs,
            groups=raw["groups"],
            blocks=blocks,
            significance=self.significance,
            adc_lo=raw["adc_lo"],
            adc_hi=raw["adc_hi"],
            adc_rounding=_ROUNDING[raw["adc_rounding"]],
            scale=self.scale,
            bias=self.bias,
            lo=float.fromhex(raw["lo"]),
            hi=float.fromhex(raw["hi"]),
            out_type=_TYPES[raw["out_type"]],
            out_rounding=_ROUNDING[raw["out_rounding"]],
        )


class Recording:
    def __init__(self, folder):
        folder = pathlib.Path(folder)
        paths = [p for p in folder.glob("layer*.json")]
        self.layers = sorted((RecordedLayer(folder, p) for p in paths), key=lambda l: l.id)
        self.arrays = {
            int(re.search(r"array(\d+)\.npy", p.name)[1]): np.load(p) for p in folder.glob("array*.npy")
        }
        assert [l.id for l in self.layers] == list(range(len(self.layers)))

    def check_no_overlap(self):
        """No cell of an array belongs to two blocks, but for layers that share a matrix: their blocks are the same."""
        owner = {index: np.zeros(image.shape, bool) for index, image in self.arrays.items()}
        known = set()
        for layer in self.layers:
            for b in layer.blocks:
                block = tuple(sorted(b.items()))
                if block in known:
                    continue
                known.add(block)
                rows = slice(b["row"], b["row"] + b["k_count"] * b["repeat"])
                columns = slice(b["column"], b["column"] + b["n_count"])
                taken = owner[b["array"]][rows, columns]
                assert not taken.any(), f"{layer.name}: block overlaps another: {b}"
                taken[...] = True
        for index, image in self.arrays.items():
            assert not image[~owner[index]].any(), f"array {index}: cells outside blocks are not 0"

    def check_streams(self, mode):
        """NumPy recomputes every layer from its recorded input."""
        for layer in self.layers:
            given = layer.map("in")
            assert given.dtype == layer.in_type
            expected = numerics.run_layer(given, layer.numerics_layer(self.arrays), mode)
            found = layer.map("out")
            if not _same_bits(found, expected):
                raise AssertionError(difference(layer.name, found, expected))


def _same_bits(a, b):
    return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()


def difference(name, found, expected):
    if found.dtype != expected.dtype or found.shape != expected.shape:
        return f"{name}: {found.dtype}{found.shape}, expected {expected.dtype}{expected.shape}"
    wrong = np.argwhere(found != expected)
    if not len(wrong):
        return f"{name}: signs of zero differ"
    at = tuple(wrong[0])
    return (
        f"{name}: {len(wrong)} of {found.size} values differ, "
        f"the first at {at}: {found[at]!r}, expected {expected[at]!r}"
    )


def check_mapping(layer, arrays, matrix, split, cells, array_rows, array_columns):
    """The recorded layer is the mapping that Numerics.md section 2 prescribes.

    `matrix` is the integer matrix as the ONNX file has it.
    """
    planes, significance = numerics.planes_of(matrix, split, cells, layer.raw["groups"])
    k_total, n_total = matrix.shape
    repeat = planes.shape[2]
    assert layer.raw["plane_count"] == len(planes)
    assert layer.significance.tobytes() == significance.tobytes(), "significance differs from the text"
    groups = layer.raw["groups"]
    rectangles = numerics.block_rectangles(k_total, n_total, groups, array_rows, array_columns, repeat)
    wanted = {(p, k, kc, n, nc) for p in range(len(planes)) for k, kc, n, nc in rectangles}
    columns = {}
    for b, block in zip(layer.blocks, layer.numerics_layer(arrays).blocks):
        assert b["repeat"] == repeat
        assert b["row"] + b["k_count"] * repeat <= array_rows
        assert b["column"] + b["n_count"] <= array_columns
        expected = planes[b["plane"], b["k"] : b["k"] + b["k_count"], :, b["n"] : b["n"] + b["n_count"]]
        assert np.array_equal(block.cells, expected), f"cells differ from the text: {b}"
        # Columns may be cut anywhere: collect them per row block of a plane.
        owner = next(
            (w for w in wanted if w[:3] == (b["plane"], b["k"], b["k_count"]) and w[3] <= b["n"] < w[3] + w[4]),
            None,
        )
        assert owner, f"the text has no such row block: {b}; it has {sorted(wanted)}"
        columns.setdefault(owner, []).append((b["n"], b["n_count"]))
    assert set(columns) == wanted, f"missing row blocks: {sorted(wanted - set(columns))}"
    for (_, _, _, n, count), parts in columns.items():
        at = n
        for first, width in sorted(parts):
            assert first == at, "columns are missing or covered twice"
            at += width
        assert at == n + count
