# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Fixtures and the two sizes of the suite (docs/Testing.md)."""

import os
import pathlib

import pytest

import tools


def pytest_addoption(parser):
    parser.addoption(
        "--full",
        action="store_true",
        help="whole data sets and many more random layers; without it the suite takes minutes",
    )


def pytest_report_header(config):
    data = os.environ.get("CIM_DATA_DIR")
    return f"cim tools: {tools.BUILD}; CIM_DATA_DIR: {data or 'NOT SET, tests of real networks are skipped'}"


@pytest.fixture(scope="session")
def full(request):
    return request.config.getoption("--full")


@pytest.fixture(scope="session")
def data_dir():
    """The folder with data sets and larger networks; skips when there is none."""
    path = os.environ.get("CIM_DATA_DIR")
    if not path:
        pytest.skip("CIM_DATA_DIR is not set: this test needs its networks and data sets")
    if not (pathlib.Path(path) / "networks.json").exists():
        pytest.fail(f"CIM_DATA_DIR is '{path}', which has no networks.json")
    return pathlib.Path(path)


@pytest.fixture(scope="session")
def reference_device():
    """devices/reference, for cim-run --device=."""
    return tools.REFERENCE_DEVICE
