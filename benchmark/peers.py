#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The same work here and in other simulators, side by side, with the ratio of their times.

    CIM_BUILD_DIR=build/release .venv/bin/python benchmark/peers.py

Needs `scripts/bootstrap.sh --peers`. aihwkit: products with a 1024 x 512 ternary matrix through 7-bit inputs and a 6-bit
converter, without noise and with 2 % read noise drawn anew for every product, as in test/Integration/test_peers.py, which
shows that results and noise are the same. badcrossbar: the currents of a crossbar with resistive wires. One thread each,
processor time, best of ten after a warm-up (cim-crossbar: wall time, best of three).
"""

import json
import pathlib
import subprocess
import sys
import tempfile
import time

import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "test" / "Integration"))
import test_peers as peers  # noqa: E402
import tools  # noqa: E402

INPUTS = tools.ROOT / "test" / "Integration" / "Inputs"


def ours(cells, q, noise):
    device = peers.device(cells, 6, noise)
    device.codes(q)
    times = []
    for _ in range(10):
        start = time.process_time()
        device.codes(q)
        times.append(time.process_time() - start)
    return 1e3 * min(times) / len(q)


def aihwkit(folder, cells, q, noise):
    np.save(folder / "cells.npy", cells)
    np.save(folder / "q.npy", q)
    job = {"cells": str(folder / "cells.npy"), "inputs": str(folder / "q.npy"), "time": True}
    (folder / "job.json").write_text(json.dumps({**job, "bound": peers.BOUND, "bits": 6, "noise": noise}))
    command = [peers.PEERS, INPUTS / "peer_aihwkit.py", folder / "job.json"]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def crossbar(folder, size):
    rng = np.random.default_rng(size)
    np.save(folder / "g.npy", rng.uniform(1e-6, 5e-5, (size, size)))
    np.save(folder / "v.npy", rng.uniform(-0.3, 0.3, size))
    args = [folder / "g.npy", folder / "v.npy", "0.35", "0.35", folder / "i.npy"]

    def best(command):
        outputs = [subprocess.run(command, check=True, capture_output=True, text=True).stdout for _ in range(3)]
        return min(float(text.split()[-2] if "ms" in text else text) for text in outputs)

    return best([tools.BUILD / "bin" / "cim-crossbar", *args]), best([peers.PEERS, INPUTS / "peer_badcrossbar.py", *args])


def main():
    if not peers.PEERS.exists():
        sys.exit("peers.py: error: aihwkit and badcrossbar are not installed; scripts/bootstrap.sh --peers installs them")
    print(f"{'work':42} {'other':>9} {'cim':>9}  ratio")
    cells = np.random.default_rng(0).integers(-1, 2, (peers.ROWS, peers.COLUMNS))
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        for noise, batch in [(0, 1), (0, 64), (peers.NOISE, 1), (peers.NOISE, 64)]:
            q = peers.inputs(batch)
            theirs, mine = aihwkit(folder, cells, q, noise), ours(cells, q, noise)
            work = f"aihwkit: ms per product, {'2 % read noise' if noise else 'no noise'}, batch {batch}"
            print(f"{work:42} {theirs:9.4f} {mine:9.4f}  {theirs / mine:5.1f}", flush=True)
        for size in (32, 64, 128):
            mine, theirs = crossbar(folder, size)
            print(f"{f'badcrossbar: ms, {size} x {size}':42} {theirs:9.2f} {mine:9.2f}  {theirs / max(mine, 0.05):5.1f}", flush=True)


if __name__ == "__main__":
    main()
