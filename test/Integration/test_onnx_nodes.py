# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""ONNX backend node tests through `cim-compile --target=host` and cim-run.

onnx_expected_failures.txt names the tests that are not expected to work, with a
reason each. Those must still be refused properly: exit code 1 and one
diagnostic. One that works is a failure too, so that the list stays true.
"""

import fnmatch
import pathlib

import numpy as np
import onnx
import pytest

import nodecases
import tools

LIST = pathlib.Path(__file__).with_name("onnx_expected_failures.txt")


def expected_failures():
    """[(pattern, reason)] of the list."""
    entries = []
    for line in LIST.read_text().splitlines():
        if line.strip() and not line.startswith("#"):
            pattern, _, reason = line.partition(" ")
            assert reason.strip(), f"{LIST.name}: '{pattern}' has no reason"
            entries.append((pattern, reason.strip()))
    return entries


CASES = nodecases.collect()
EXPECTED = expected_failures()


def reason_of(name):
    return next((reason for pattern, reason in EXPECTED if fnmatch.fnmatchcase(name, pattern)), None)


def test_the_list_names_only_tests_that_exist():
    unused = [p for p, _ in EXPECTED if not fnmatch.filter(CASES, p)]
    assert not unused


def test_every_operator_has_a_node_test_that_passes():
    passing = {c.model.graph.node[0].op_type for n, c in CASES.items() if not reason_of(n)}
    assert passing == set(nodecases.OPERATORS)


@pytest.mark.parametrize("name", sorted(CASES))
def test_node(name, tmp_path):
    case, reason = CASES[name], reason_of(name)
    wrapped = nodecases.Wrapped(case)
    onnx.save(wrapped.model, tmp_path / "node.onnx")
    so = tmp_path / "node.so"
    result = tools.invoke("cim-compile", tmp_path / "node.onnx", "-o", so, "--target=host")
    if reason:
        assert result.returncode != 0, f"passes: remove it from {LIST.name} (reason there: {reason})"
        tools.check_refused(result, so)
        return
    assert result.returncode == 0, result.stderr
    found = tools.run_model(so, wrapped.inputs, tmp_path, outputs=list(wrapped.expected))
    for output, expected in wrapped.expected.items():
        assert found[output].dtype == expected.dtype and found[output].shape == expected.shape
        np.testing.assert_allclose(found[output], expected, rtol=case.rtol, atol=case.atol)
