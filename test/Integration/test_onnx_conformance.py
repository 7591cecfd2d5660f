# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""All ONNX backend tests against onnx_expected_failures.txt (see onnx_conformance.py)."""

import ml_dtypes
import numpy as np
import pytest

import onnx_cases
import onnx_conformance

CASES, LEFT_OUT = onnx_cases.collect()


@pytest.fixture(scope="session")
def outcomes(request):
    """Those of the selected tests, run in batches."""
    items = (item for item in request.session.items if item.function is test_case)
    return onnx_conformance.run([CASES[item.callspec.params["name"]] for item in items])


@pytest.mark.parametrize("name", sorted(CASES))
def test_case(name, outcomes):
    assert onnx_conformance.complaint(CASES[name], outcomes[name]) is None


def test_every_line_of_the_list_is_needed():
    used = {onnx_conformance.entry_of(case) for case in CASES.values()}
    assert not [entry.pattern for entry in onnx_conformance.entries() if entry not in used]


def test_few_families_are_left_out():
    assert sum(LEFT_OUT.values()) == 71


def test_share_of_node_tests():
    passed, total = map(sum, zip(*onnx_conformance.shares().values()))
    assert passed / total >= 0.85


# found, expected, whether they agree with rtol 1e-3 and atol 1e-7
COMPARED = {
    "within": (np.float32([1.0009, -5]), np.float32([1, -5]), True),
    "beyond": (np.float32([1.0011, -5]), np.float32([1, -5]), False),
    "nan": (np.float32([np.nan, np.inf]), np.float32([np.nan, np.inf]), True),
    "nan-for-a-number": (np.float32([np.nan]), np.float32([1]), False),
    "other-infinity": (np.float32([np.inf]), np.float32([-np.inf]), False),
    "integer": (np.int32([7]), np.int32([8]), False),
    "type": (np.int32([7]), np.int64([7]), False),
    "count": (np.float32([1, 1]), np.float32([1]), False),
    # Half a unit of bfloat16 at 1 is 2^-8 = 0.0039, of float16 2^-11 = 0.0005.
    "bfloat16": (np.float32([1.0048]), np.array([1], ml_dtypes.bfloat16), True),
    "bfloat16-beyond": (np.float32([1.0051]), np.array([1], ml_dtypes.bfloat16), False),
    "float16": (np.float32([1.0014]), np.float16([1]), True),
    "float16-beyond": (np.float32([1.0016]), np.float16([1]), False),
    "float16-overflow": (np.float32([65520]), np.float16([np.inf]), True),
    "float16-no-overflow": (np.float32([65519]), np.float16([np.inf]), False),
    "float64": (np.float32([0.1]), np.float64([0.1]), True),
    "int4": (np.int8([-8]), np.array([-8], ml_dtypes.int4), True),
}


@pytest.mark.parametrize("what", COMPARED)
def test_comparison(what):
    found, expected, agree = COMPARED[what]
    case = CASES["test_relu"]
    assert (case.rtol, case.atol) == (1e-3, 1e-7)
    assert (onnx_cases.disagreement(case, found, expected) is None) == agree
