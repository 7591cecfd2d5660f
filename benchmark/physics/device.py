# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""A device (the simulator, or any driver) as a matrix product for NumPy, through the device interface cim-c/hal.h."""

import ctypes as c
import json
import os
import pathlib

import numpy as np

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("CIM_BUILD_DIR", ROOT / "build" / "release")).resolve()


F32, I8 = 0, 1  # cim_type of status.h


class Block(c.Structure):
    _fields_ = [(n, c.c_uint32) for n in "array row column plane k k_count n n_count repeat".split()] + [("gain", c.c_float)]


_FLOATS = c.POINTER(c.c_float)


class Layer(c.Structure):
    _fields_ = (
        [("size", c.c_uint32), ("id", c.c_uint32), ("name", c.c_char_p)]
        + [
            (n, c.c_uint32)
            for n in "in_h in_w in_c out_h out_w out_c kernel_h kernel_w stride_h stride_w dilation_h dilation_w pad_top pad_left groups in_type".split()
        ]
        + [("blocks", c.POINTER(Block)), ("block_count", c.c_uint32), ("plane_count", c.c_uint32), ("significance", _FLOATS)]
        + [("adc_lo", c.c_int32), ("adc_hi", c.c_int32), ("adc_rounding", c.c_uint32), ("scale", _FLOATS), ("bias", _FLOATS)]
        + [("lo", c.c_float), ("hi", c.c_float), ("out_type", c.c_uint32), ("out_rounding", c.c_uint32)]
    )


class Config(c.Structure):
    _fields_ = [("size", c.c_uint32), ("mode", c.c_char_p), ("target", c.c_char_p), ("seed", c.c_uint64), ("trial", c.c_uint32), ("age", c.c_double)]


class Stream(c.Structure):
    _fields_ = [("size", c.c_uint32), ("layer", c.c_uint32), ("first_image", c.c_uint64), ("image_count", c.c_uint32), ("input", c.c_void_p), ("output", c.c_void_p)]


class Api(c.Structure):
    _fields_ = [("size", c.c_uint32), ("version", c.c_uint32)] + [
        (n, c.CFUNCTYPE(c.c_int, *arguments))
        for n, arguments in [
            ("create", (c.POINTER(Config), c.POINTER(c.c_void_p))),
            ("destroy", (c.c_void_p,)),
            ("query", (c.c_void_p, c.c_void_p)),
            ("program", (c.c_void_p, c.c_uint32, c.c_uint32, c.c_uint32, c.c_void_p)),
            ("prepare", (c.c_void_p, c.POINTER(Layer))),
            ("stream", (c.c_void_p, c.POINTER(Stream))),
            ("wait", (c.c_void_p,)),
        ]
    ] + [("last_error", c.CFUNCTYPE(c.c_char_p))]


def multiply(x, cells, target=None, mode="analog", gain=256.0, adc_bits=24, seed=1, trial=0, age=0.0, library=None):
    """x[samples][rows] times cells[rows][columns] on one array: what the digital side gets, in units of the integer sum."""
    lib = c.CDLL(str(library or BUILD / "lib" / "libcim-runtime.so"))
    lib.cim_device_get_api.restype = c.POINTER(Api)
    api = lib.cim_device_get_api(1).contents
    x, cells = np.ascontiguousarray(x, np.int8), np.ascontiguousarray(cells, np.int8)
    (rows, columns), samples = cells.shape, len(x)
    device = c.c_void_p()

    def check(status):
        if status:
            raise RuntimeError(api.last_error().decode())

    config = Config(c.sizeof(Config), mode.encode(), json.dumps(target or {}).encode(), seed, trial, age)
    ones, zeros = np.ones(columns, np.float32), np.zeros(columns, np.float32)
    table = lambda a: a.ctypes.data_as(_FLOATS)
    block = Block(0, 0, 0, 0, 0, rows, 0, columns, 1, gain)
    half = 1 << (adc_bits - 1)
    layer = Layer(size=c.sizeof(Layer), id=0, name=b"product", in_h=1, in_w=1, in_c=rows, out_h=1, out_w=1, out_c=columns)
    for name in "kernel_h kernel_w stride_h stride_w dilation_h dilation_w groups block_count plane_count".split():
        setattr(layer, name, 1)
    layer.in_type, layer.out_type = I8, F32
    layer.blocks, layer.significance = c.pointer(block), table(ones)
    layer.adc_lo, layer.adc_hi, layer.scale, layer.bias = -half, half - 1, table(ones), table(zeros)
    layer.lo, layer.hi = -np.inf, np.inf
    y = np.empty((samples, columns), np.float32)
    check(api.create(config, device))
    try:
        check(api.program(device, 0, rows, columns, cells.ctypes.data))
        check(api.prepare(device, layer))
        check(api.stream(device, Stream(c.sizeof(Stream), 0, 0, samples, x.ctypes.data, y.ctypes.data)))
        check(api.wait(device))
    finally:
        api.destroy(device)
    return y.astype(np.float64)


def conductances(level, target, count=100, **options):
    """What count x count cells of one level conduct, in levels."""
    x = 63 * np.eye(count, dtype=np.int8)
    return multiply(x, np.full((count, count), level), target, **options).ravel() / 63
