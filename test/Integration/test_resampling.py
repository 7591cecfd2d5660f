# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Random Resize, GridSample and RoiAlign against onnxruntime."""

import numpy as np

import operatorcase

COORDINATES = [
    "half_pixel", "half_pixel_symmetric", "pytorch_half_pixel", "align_corners", "asymmetric", "tf_crop_and_resize",
]  # fmt: skip


def normal(rng, *shape):
    return rng.standard_normal(shape).astype(np.float32)


def draw_resize(seed):
    rng = np.random.default_rng([seed, 1])
    extents = rng.integers(2, 8, int(rng.integers(1, 3))).tolist()
    mode = str(rng.choice(["nearest", "linear", "cubic"]))
    if mode == "cubic":  # onnxruntime takes images only
        extents = rng.integers(2, 8, 2).tolist()
    attributes = {"mode": mode, "coordinate_transformation_mode": str(rng.choice(COORDINATES))}
    if mode == "nearest":
        attributes["nearest_mode"] = str(rng.choice(["round_prefer_floor", "round_prefer_ceil", "floor", "ceil"]))
    if mode == "cubic":
        attributes |= {"exclude_outside": int(rng.integers(0, 2)), "cubic_coeff_a": float(rng.choice([-0.5, -0.75]))}
    roi = None
    if attributes["coordinate_transformation_mode"] == "tf_crop_and_resize":
        attributes["extrapolation_value"] = 3.0
        starts = rng.uniform(-0.2, 0.4, len(extents))
        roi = np.concatenate([[0, 0], starts, [1, 1], starts + rng.uniform(0.3, 0.8, len(extents))]).astype(np.float32)
    scales = sizes = None
    if roi is None and rng.random() < 0.5:
        # Exact in binary, so that all agree where a place lies between two elements.
        scales = np.array([1, 1, *rng.choice([0.5, 1, 2, 4], len(extents))], np.float32)
    else:
        sizes = np.array([1, 2, *rng.integers(1, 12, len(extents))])
        if roi is not None:  # onnxruntime looks at no region where the extent stays
            sizes[2:] += sizes[2:] == extents
    operands = [normal(rng, 1, 2, *extents), roi, scales, sizes]
    # onnxruntime divides by an inexact scale, which ONNX's reference does with more digits.
    reference = mode == "nearest" and scales is None
    return operatorcase.make_case("Resize", seed, attributes, operands, how=[1, 2, 3], reference=reference)


def draw_grid_sample(seed):
    rng = np.random.default_rng([seed, 2])
    spatial = int(rng.integers(2, 4))
    modes = ["linear", "nearest", "cubic"][: 3 if spatial == 2 else 2]
    attributes = {
        "mode": str(rng.choice(modes)),
        "padding_mode": str(rng.choice(["zeros", "border", "reflection"])),
        "align_corners": int(rng.integers(0, 2)),
    }
    # There onnxruntime differs from ONNX's reference.
    reference = attributes["mode"] == "cubic" and attributes["padding_mode"] == "border"
    shape = [2, 3, *rng.integers(1, 6, spatial)]
    grid = rng.uniform(-2.5, 2.5, [2, *rng.integers(1, 6, spatial), spatial]).astype(np.float32)
    return operatorcase.make_case("GridSample", seed, attributes, [normal(rng, *shape), grid], reference=reference)


def draw_roi_align(seed):
    rng = np.random.default_rng([seed, 3])
    attributes = {
        "coordinate_transformation_mode": str(rng.choice(["half_pixel", "output_half_pixel"])),
        "mode": "avg",
        "output_height": int(rng.integers(1, 4)),
        "output_width": int(rng.integers(1, 4)),
        "sampling_ratio": int(rng.integers(1, 4)),
        "spatial_scale": float(rng.choice([1, 0.5])),
    }
    corner = rng.uniform(-2, 6, (4, 2))
    rois = np.concatenate([corner, corner + rng.uniform(0, 6, (4, 2))], axis=1).astype(np.float32)
    return operatorcase.make_case("RoiAlign", seed, attributes, [normal(rng, 2, 3, 7, 6), rois, rng.integers(0, 2, 4)])


def test_resize():
    operatorcase.check(draw_resize, 100)


def test_grid_sample():
    operatorcase.check(draw_grid_sample, 40)


def test_roi_align():
    operatorcase.check(draw_roi_align, 30)
