# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""All ONNX backend tests against onnx_expected_failures.txt (see onnx_conformance.py)."""

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

