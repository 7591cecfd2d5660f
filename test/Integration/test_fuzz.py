# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Damaged models are imported or refused: no crash, hang, leak or unbounded memory."""

import re

import fuzz_import

# What hostile files are made of (issue 3).
KINDS = ["nested graphs", "cycle", "huge extents", "negative extents", "same names", "raw length", "attribute type"]


def test_damaged_models(tmp_path):
    runs = 20000
    result = fuzz_import.run(fuzz_import.write_seeds(tmp_path), tmp_path, runs, seed=1)
    assert result.returncode == 0, result.stdout + result.stderr
    assert f"{runs} executions without a fault" in result.stdout
    applied = {kind: int(count) for count, kind in re.findall(r"^ *(\d+) (.+)$", result.stdout, re.MULTILINE)}
    assert all(applied[kind] > runs // 50 for kind in KINDS), applied
    imported = int(re.search(r"(\d+) of them imported", result.stdout)[1])
    assert runs // 10 < imported < runs // 2  # the others are damaged indeed
