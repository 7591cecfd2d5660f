# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""aihwkit as a chip with 7-bit inputs, ternary cells and read noise; runs in .venv-peers.

usage: peer_aihwkit.py JOB.json    {"cells", "inputs", "output": files, "bound", "bits", "noise", "seed"}

The configuration is that of test_peers.py: inputs q / 63, outputs in these units, `bits` of the converter (0: none) over
+-bound. With "time" nothing is written, but milliseconds of processor time per product, the best of ten batches, printed.
"""

import json
import sys
import time

import numpy as np
import torch
from aihwkit.nn import AnalogLinear
from aihwkit.simulator.configs import InferenceRPUConfig
from aihwkit.simulator.parameters.enums import BoundManagementType, NoiseManagementType, WeightNoiseType


def configuration(bound, bits, noise):
    config = InferenceRPUConfig()
    forward = config.forward
    forward.is_perfect = False
    forward.inp_bound, forward.inp_res, forward.inp_noise = 1, 1 / (2**7 - 2), 0
    forward.out_bound, forward.out_res, forward.out_noise = bound, 1 / (2**bits - 2) if bits else -1, 0
    forward.bound_management = BoundManagementType.NONE
    forward.noise_management = NoiseManagementType.NONE
    forward.w_noise, forward.w_noise_type = noise, WeightNoiseType.PCM_READ if noise else WeightNoiseType.NONE
    forward.ir_drop = 0
    mapping = config.mapping
    mapping.weight_scaling_omega, mapping.weight_scaling_columnwise, mapping.learn_out_scaling = 0, False, False
    mapping.max_input_size, mapping.max_output_size, mapping.digital_bias = 0, 0, True
    config.drift_compensation = None
    return config


def main(job):
    torch.manual_seed(job.get("seed", 0))
    torch.set_num_threads(job.get("threads", 1))
    cells, q = np.load(job["cells"]), np.load(job["inputs"])
    config = configuration(job["bound"], job["bits"], job["noise"])
    layer = AnalogLinear(*cells.shape, bias=False, rpu_config=config).eval()
    layer.set_weights(torch.from_numpy(cells.T.astype(np.float32)), None)
    x = torch.from_numpy(q.astype(np.float32) / np.float32(63))
    with torch.no_grad():
        if "time" not in job:
            np.save(job["output"], layer(x).numpy())
            return
        layer(x)
        times = []
        for _ in range(10):
            start = time.process_time()
            layer(x)
            times.append(time.process_time() - start)
        print(1e3 * min(times) / len(x))


with open(sys.argv[1]) as file:
    main(json.load(file))
