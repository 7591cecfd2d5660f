# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""docs/Numerics.md section 5 and docs/Runtime.md "Random numbers" in NumPy.

Written from these pages. The one thing taken from the simulator's folder is the
table of the inverse normal distribution, which the page declares to be data.
"""

import math
import re
from dataclasses import dataclass

import numpy as np

import numerics
import tools

f32, u32, u64 = np.float32, np.uint32, np.uint64
READ, CONVERSION, CELL, GAIN, OFFSET = range(5)


def philox(key, counter, rounds=7):
    """Philox4x32 (Salmon et al., SC11); counter is 4 arrays of words."""
    c = [np.asarray(w, u64) for w in np.broadcast_arrays(*counter)]
    k0, k1 = (int(k) for k in key)
    mask = u64(0xFFFFFFFF)
    for _ in range(rounds):
        a, b = c[0] * u64(0xD2511F53), c[2] * u64(0xCD9E8D57)
        c = [(b >> u64(32)) ^ c[1] ^ u64(k0), b & mask, (a >> u64(32)) ^ c[3] ^ u64(k1), a & mask]
        k0, k1 = (k0 + 0x9E3779B9) & 0xFFFFFFFF, (k1 + 0xBB67AE85) & 0xFFFFFFFF
    return np.stack([w.astype(u32) for w in c])


def _table():
    text = (tools.ROOT / "runtime" / "Simulator" / "NormalTable.inc").read_text()
    text = re.sub(r"//.*", "", text)
    rows = re.findall(r"\{([^{}]*)\}", text)
    table = np.array([[float.fromhex(v.strip().rstrip("f")) if "x" in v else float(v.strip().rstrip("f")) for v in r.split(",") if v.strip()] for r in rows], f32)
    return table if table.shape[1] == 32 else table.T  # [degree][octave]


TABLE = _table()


def normal(bits):
    """32 bits to a normal deviate."""
    x = ((bits & u32(0x7FFFFFFF)) | u32(1)).astype(f32)
    raw = x.view(u32)
    octave = (raw >> u32(23)) & u32(31)
    s = ((raw & u32(0x7FFFFF)) | u32(0x3F800000)).view(f32) - f32(1.5)
    y = TABLE[3][octave]
    for degree in (2, 1, 0):
        y = y * s + TABLE[degree][octave]  # NumPy rounds product and sum
    return np.where(bits >> u32(31), -y, y).astype(f32)


@dataclass
class Chip:
    """One instance of a target. Relative sigmas are fractions, the others codes."""

    seed: int = 0
    trial: int = 0
    read: float = 0
    static: float = 0
    adc_offset: float = 0
    adc_gain: float = 0
    adc_noise: float = 0
    levels: int = 1
    rounds: int = 7  # of Philox

    @property
    def key(self):
        low, high = self.seed & 0xFFFFFFFF, self.seed >> 32
        return low, high ^ (self.trial * 0x9E3779B9 & 0xFFFFFFFF)

    def draw(self, what, columns, word1, word2, word3):
        """One deviate per column and counter: four neighbouring columns share a call."""
        columns = np.asarray(columns)
        words = philox(self.key, (u32(what << 28) | (columns >> 2).astype(u32), word1, word2, word3), self.rounds)
        pick = np.broadcast_to(columns & 3, words.shape[1:])
        return normal(np.take_along_axis(words, pick[None], 0)[0])

    def conductances(self, block, place, z):
        """G of section 5: [k_count][n_count]."""
        if not self.static:
            return block.cells.astype(f32).sum(axis=1)
        k_count, repeat, n_count = block.cells.shape
        rows = place["row"] + np.arange(k_count * repeat)[:, None]
        columns = place["column"] + np.arange(n_count)[None, :]
        deviate = self.draw(CELL, columns, rows, place["array"], 0).reshape(block.cells.shape)
        cells = block.cells.astype(f32) * (f32(1) + f32(self.static) * deviate)
        weight = cells[:, 0]
        for r in range(1, repeat):
            weight = weight + cells[:, r]
        return np.clip(np.rint(weight * f32(z)), -127, 127)


def accumulate(q, layer, layer_id, places, chip, first_image=0):
    """S for an NHWC integer map; `places` has array, row and column of each block."""
    rows = numerics.windows(np.asarray(q).astype(f32), layer)
    images, oh, ow, _ = rows.shape
    total = np.zeros((images, oh, ow, layer.out_shape[2]), f32)
    image = (first_image + np.arange(images))[:, None, None, None]
    window = (np.arange(oh)[:, None] * ow + np.arange(ow))[None, :, :, None]
    largest_repeat = max(b.cells.shape[1] for b in layer.blocks)
    z = max(2, math.floor(127 / (chip.levels * largest_repeat * (1 + 4 * chip.static)))) if chip.static else 1
    covered = np.zeros(layer.out_shape[2], int)
    for block, place in zip(layer.blocks, places):
        n_count = block.cells.shape[2]
        n = np.arange(block.n, block.n + n_count)
        part = rows[..., block.k : block.k + block.cells.shape[0]]
        g = chip.conductances(block, place, z)
        assert np.abs(part).max(initial=0) * np.abs(g).sum(0).max() < 2**24
        word3 = (layer_id << 16) | covered[n]
        a = part @ g
        if z != 1:
            a = a * (f32(1) / f32(z))
        x = a * f32(block.gain)
        columns = place["column"] + np.arange(n_count)
        read = f32(chip.read) * f32(block.gain)
        if chip.adc_gain:
            gain = f32(1) + f32(chip.adc_gain) * chip.draw(GAIN, columns, 0, place["array"], 0)
            x, read = x * gain, read * gain
        if chip.adc_offset:
            x = x + f32(chip.adc_offset) * chip.draw(OFFSET, columns, 0, place["array"], 0)
        if chip.read:
            power = (part.astype(np.float64) ** 2) @ (block.cells.astype(np.float64) ** 2).sum(axis=1)
            variance = power.astype(f32) * (read * read) + f32(chip.adc_noise) * f32(chip.adc_noise)
            x = x + np.sqrt(variance) * chip.draw(READ, n, window, image, word3)
        elif chip.adc_noise:
            x = x + f32(chip.adc_noise) * chip.draw(CONVERSION, n, window, image, word3)
        v = numerics.convert(x, layer)
        total[..., n] = total[..., n] + v * (layer.significance[block.plane, n] / f32(block.gain))
        covered[n] += 1
    return total


def run_layer(q, layer, layer_id, places, chip, first_image=0):
    return numerics.epilogue(accumulate(q, layer, layer_id, places, chip, first_image), layer)
