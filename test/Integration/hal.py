# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""include/cim-c/hal.h in Python: one matrix product on a device, without a network around it."""

import ctypes as c
import json
import math

import numpy as np

VERSION = 1
F32, I8 = 0, 1
NEAREST_EVEN = 0
u32, i32, u64, f32, pointer = c.c_uint32, c.c_int32, c.c_uint64, c.c_float, c.c_void_p


class Block(c.Structure):
    _fields_ = [(name, u32) for name in "array row column plane k k_count n n_count repeat".split()] + [("gain", f32)]


class Layer(c.Structure):
    _fields_ = [
        ("size", u32), ("id", u32), ("name", c.c_char_p),
        *[(name, u32) for name in "in_h in_w in_c out_h out_w out_c kernel_h kernel_w stride_h stride_w dilation_h dilation_w pad_top pad_left groups in_type".split()],
        ("blocks", c.POINTER(Block)), ("block_count", u32), ("plane_count", u32), ("significance", pointer),
        ("adc_lo", i32), ("adc_hi", i32), ("adc_rounding", u32),
        ("scale", pointer), ("bias", pointer), ("lo", f32), ("hi", f32), ("out_type", u32), ("out_rounding", u32),
    ]  # fmt: skip


class Config(c.Structure):
    _fields_ = [("size", u32), ("mode", c.c_char_p), ("target", c.c_char_p), ("seed", u64), ("trial", u32)]


class Stream(c.Structure):
    _fields_ = [
        ("size", u32), ("layer", u32), ("first_image", u64), ("image_count", u32), ("input", pointer), ("output", pointer)
    ]  # fmt: skip


class Api(c.Structure):
    _fields_ = [
        ("size", u32), ("version", u32),
        ("create", c.CFUNCTYPE(i32, c.POINTER(Config), c.POINTER(pointer))),
        ("destroy", c.CFUNCTYPE(None, pointer)),
        ("query", c.CFUNCTYPE(i32, pointer, pointer)),
        ("program", c.CFUNCTYPE(i32, pointer, u32, u32, u32, pointer)),
        ("prepare", c.CFUNCTYPE(i32, pointer, c.POINTER(Layer))),
        ("stream", c.CFUNCTYPE(i32, pointer, c.POINTER(Stream))),
        ("wait", c.CFUNCTYPE(i32, pointer)),
        ("last_error", c.CFUNCTYPE(c.c_char_p)),
    ]  # fmt: skip


class MatrixDevice:
    """A chip with the K x N integer matrix `cells` on one array. `codes(q)` are the converters' codes."""

    def __init__(self, path, cells, gain, adc, mode="exact", seed=0, trial=0, **target):
        library = c.CDLL(str(path))
        library.cim_device_get_api.restype = c.POINTER(Api)
        self.api = library.cim_device_get_api(u32(VERSION)).contents
        self.rows, self.columns = cells.shape
        self.device = pointer()
        text = json.dumps({"input": {"bits": 7}, **target}).encode()
        config = Config(c.sizeof(Config), mode.encode(), text, seed, trial)
        self.check(self.api.create(config, c.byref(self.device)))
        cells = np.ascontiguousarray(cells, np.int8)
        self.check(self.api.program(self.device, 0, self.rows, self.columns, cells.ctypes.data))
        self.prepare(gain, adc)

    def prepare(self, gain, adc):
        block = Block(k_count=self.rows, n_count=self.columns, repeat=1, gain=gain)
        # A code counts for significance / gain: with this, as itself.
        self.tables = [np.full(self.columns, f32(gain).value, np.float32), np.ones(self.columns, np.float32), np.zeros(self.columns, np.float32)]
        significance, scale, bias = (table.ctypes.data for table in self.tables)
        self.layer = Layer(
            size=c.sizeof(Layer), in_h=1, in_w=1, in_c=self.rows, out_h=1, out_w=1, out_c=self.columns,
            kernel_h=1, kernel_w=1, stride_h=1, stride_w=1, dilation_h=1, dilation_w=1, groups=1, in_type=I8,
            blocks=c.pointer(block), block_count=1, plane_count=1, significance=significance,
            adc_lo=adc[0], adc_hi=adc[1], adc_rounding=NEAREST_EVEN, scale=scale, bias=bias,
            lo=-math.inf, hi=math.inf, out_type=F32,
        )  # fmt: skip
        self.check(self.api.prepare(self.device, self.layer))

    def codes(self, q, first=0):
        """[samples][columns] for the integers [samples][rows]; `first` numbers the samples."""
        q = np.ascontiguousarray(q, np.int8)
        out = np.empty((len(q), self.columns), np.float32)
        stream = Stream(c.sizeof(Stream), 0, first, len(q), q.ctypes.data, out.ctypes.data)
        self.check(self.api.stream(self.device, stream))
        self.check(self.api.wait(self.device))
        return out

    def check(self, status):
        if status != 0:
            raise RuntimeError(self.api.last_error().decode())

    def __del__(self):
        if getattr(self, "device", None):
            self.api.destroy(self.device)
