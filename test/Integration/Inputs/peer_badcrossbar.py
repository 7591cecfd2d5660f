# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""badcrossbar's currents of a crossbar with resistive wires; runs in .venv-peers.

usage: peer_badcrossbar.py G.npy V.npy ROW_OHM COLUMN_OHM I.npy    (as cim-crossbar; prints milliseconds)
"""

import logging
import sys
import time

import badcrossbar
import numpy as np

logging.disable()
conductance, voltage = np.load(sys.argv[1]), np.load(sys.argv[2])
row, column = float(sys.argv[3]), float(sys.argv[4])
with np.errstate(divide="ignore"):
    resistance = 1 / conductance
start = time.process_time()
solution = badcrossbar.compute(voltage[:, None], resistance, r_i_word_line=row, r_i_bit_line=column)
took = time.process_time() - start
np.save(sys.argv[5], np.asarray(solution.currents.output, np.float64).ravel())
print(1e3 * took)
