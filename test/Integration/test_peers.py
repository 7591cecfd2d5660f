# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The simulator against other people's simulators, where the two mean the same thing.

aihwkit: 1024 x 512 ternary cells, 7-bit inputs, symmetric 6-bit converter, read noise of 2 % (its PCM_READ, which for
ternary cells is noise proportional to the conductance). badcrossbar: exact currents of resistive crossbars with wires.
Needs `scripts/bootstrap.sh --peers`.
"""

import json
import subprocess
from statistics import NormalDist

import numpy as np
import pytest

import hal
import tools

PEERS = tools.ROOT / ".venv-peers" / "bin" / "python"
SIMULATOR = tools.BUILD / "lib" / "libcim-runtime.so"
ROWS, COLUMNS, NOISE = 1024, 512, 0.02
# Codes per unit of sum(q t) are 310 / 19971: no sum is a tie, the nearest is 2.5e-5 codes off, where aihwkit's sums in
# binary32 are good to 1e-5.
BOUND, CODES = 31.7, 31
GAIN = CODES / (63 * BOUND)
FINE = 1 << 23  # codes of a converter that rounds nothing away

needs_peers = pytest.mark.skipif(
    not PEERS.exists(), reason="aihwkit and badcrossbar are not installed; scripts/bootstrap.sh --peers installs them"
)
needs_plain_library = pytest.mark.skipif(tools.is_sanitized(), reason="Python cannot load a library with sanitizers")
pytestmark = [needs_peers, needs_plain_library]


@pytest.fixture(scope="module")
def cells():
    return np.random.default_rng(0).integers(-1, 2, (ROWS, COLUMNS))


def inputs(samples, seed=1):
    return np.random.default_rng(seed).integers(-63, 64, (samples, ROWS))


def aihwkit(folder, cells, q, bits, noise, bound=BOUND):
    """Outputs of aihwkit in units of sum(q t)."""
    np.save(folder / "cells.npy", cells)
    np.save(folder / "q.npy", q)
    files = {name: str(folder / f"{file}.npy") for name, file in [("cells", "cells"), ("inputs", "q"), ("output", "y")]}
    (folder / "job.json").write_text(json.dumps({**files, "bound": bound, "bits": bits, "noise": noise}))
    script = tools.ROOT / "test" / "Integration" / "Inputs" / "peer_aihwkit.py"
    subprocess.run([PEERS, script, folder / "job.json"], check=True, timeout=tools.TIMEOUT)
    return np.load(folder / "y.npy").astype(np.float64) * 63


def device(cells, bits, noise, seed=0):
    target = {"noise": {"read": noise}} if noise else {}
    codes = (-CODES, CODES) if bits else (-FINE, FINE)
    # A fine converter has 100 codes for a unit of the sum.
    return hal.MatrixDevice(SIMULATOR, cells, GAIN if bits else 100, codes, "analog", seed, **target)


def test_codes_without_noise(cells, tmp_path):
    q = inputs(300)
    theirs = aihwkit(tmp_path, cells, q, 6, 0) * GAIN
    assert np.abs(theirs - np.rint(theirs)).max() < 1e-3, "not the codes of this converter"
    ours = device(cells, 6, 0).codes(q)
    assert np.array_equal(ours, np.rint(theirs))
    assert (np.abs(ours) == CODES).mean() > 0.01, "nothing is clipped"


class Noise:
    """Repeated reads of one input vector: deviations from the exact sums by what they should be."""

    def __init__(self, cells, q, sums):
        self.sigma = NOISE * np.sqrt((q.astype(np.float64) ** 2) @ cells**2)
        self.z = (sums - q @ cells) / self.sigma
        self.count = self.z.size

    def check(self, ratio_limit):
        mean = self.z.mean(0) * np.sqrt(len(self.z))
        assert 0.8 < np.sqrt((mean**2).mean()) < 1.2, "means of columns are not those of independent reads"
        ratio = self.z.std()
        assert abs(ratio - 1) < ratio_limit, ratio
        edges = [NormalDist().inv_cdf(i / 32) for i in range(1, 32)]
        counts = np.bincount(np.digitize(self.z.ravel(), edges), minlength=32)
        return ((counts - self.count / 32) ** 2 / (self.count / 32)).sum()


def flip_rate(cells, q):
    """How often read noise changes a code, by the normal distribution: mean and deviation for one read of all columns."""
    x = q @ cells * GAIN
    sigma = GAIN * NOISE * np.sqrt((q.astype(np.float64) ** 2) @ cells**2)
    code = np.clip(np.rint(x), -CODES, CODES)
    upper = np.where(code == CODES, np.inf, code + 0.5)
    lower = np.where(code == -CODES, -np.inf, code - 0.5)
    cdf = np.vectorize(NormalDist().cdf)
    p = 1 - (cdf((upper - x) / sigma) - cdf((lower - x) / sigma))
    return p.mean(), np.sqrt((p * (1 - p)).sum()) / len(p)


READS = 400


def test_read_noise(cells, tmp_path):
    q = inputs(1)[0]
    repeated = np.repeat(q[None], READS, axis=0)
    ours = Noise(cells, q, device(cells, 0, NOISE).codes(repeated).astype(np.float64) / 100)
    # Four standard errors of a deviation; 31 degrees of freedom.
    chi2 = ours.check(4 / np.sqrt(2 * ours.count))
    assert chi2 < 31 + 4.5 * np.sqrt(2 * 31)
    # aihwkit draws from a list of 32,768 normals: its deviation is off by 0.39 % (one sigma) for a seed.
    Noise(cells, q, aihwkit(tmp_path, cells, repeated, 0, NOISE, bound=1e6)).check(0.012)


def test_flips_of_codes(cells, tmp_path):
    q = inputs(1)[0]
    repeated = np.repeat(q[None], READS, axis=0)
    quiet = np.clip(np.rint(q @ cells * GAIN), -CODES, CODES)
    expected, deviation = flip_rate(cells, q)
    deviation /= np.sqrt(READS)
    ours = (device(cells, 6, NOISE).codes(repeated) != quiet).mean()
    assert abs(ours - expected) < 3 * deviation, (ours, expected, deviation)
    theirs = (np.rint(aihwkit(tmp_path, cells, repeated, 6, NOISE) * GAIN) != quiet).mean()
    # Its deviation is off by up to 1.2 %, and so is its rate.
    assert abs(theirs - expected) < 3 * deviation + 0.012 * expected, (theirs, expected)


@pytest.mark.parametrize("rows, columns", [(1, 1), (8, 5), (64, 64), (100, 30)])
def test_crossbar_with_wires(tmp_path, rows, columns):
    if not (tools.BUILD / "bin" / "cim-crossbar").exists():
        pytest.skip("built without benchmarks: no cim-crossbar")
    rng = np.random.default_rng(rows)
    np.save(tmp_path / "g.npy", rng.uniform(1e-6, 5e-5, (rows, columns)))
    np.save(tmp_path / "v.npy", rng.uniform(-0.3, 0.3, rows))
    for ohms in [(0.35, 0.35), (1, 2), (20, 5)]:
        args = [tmp_path / "g.npy", tmp_path / "v.npy", *map(str, ohms)]
        result = tools.invoke("cim-crossbar", *args, tmp_path / "ours.npy")
        assert result.returncode == 0, result.stderr
        script = tools.ROOT / "test" / "Integration" / "Inputs" / "peer_badcrossbar.py"
        subprocess.run([PEERS, script, *args, tmp_path / "theirs.npy"], check=True, timeout=tools.TIMEOUT, capture_output=True)
        ours, theirs = np.load(tmp_path / "ours.npy"), np.load(tmp_path / "theirs.npy")
        assert (np.abs(ours - theirs) < 1e-6 * np.abs(theirs)).all()
