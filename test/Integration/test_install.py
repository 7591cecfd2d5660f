# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The installed package: find_package(CIM), cim_add_model and examples/classify, as an application uses them."""

import os
import subprocess

import pytest

import tools

EXAMPLE = tools.ROOT / "examples" / "classify"


def call(*command, **popen):
    return subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, timeout=tools.TIMEOUT, **popen
    )


def must(*command, **popen):
    result = call(*command, **popen)
    assert result.returncode == 0, f"{command}\n{result.stdout}\n{result.stderr}"
    return result.stdout


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    if tools.is_sanitized():
        pytest.skip("an application without sanitizers cannot load a runtime with them")
    prefix = tmp_path_factory.mktemp("with space") / "cim"
    must("cmake", "--install", tools.BUILD, "--prefix", prefix)
    return prefix


def configure(source, build, package):
    return call("cmake", "-S", source, "-B", build, "-G", "Ninja", f"-DCMAKE_PREFIX_PATH={package}")


def project(folder, lines):
    """A CMake project that finds the package and then does `lines`."""
    text = "cmake_minimum_required(VERSION 3.25)\nproject(application LANGUAGES C)\nfind_package(CIM 0.1 REQUIRED)\n"
    (folder / "CMakeLists.txt").write_text(text + lines + "\n")
    return folder


@pytest.fixture(scope="module")
def classify(package, tmp_path_factory):
    build = tmp_path_factory.mktemp("classify")
    result = configure(EXAMPLE, build, package)
    assert result.returncode == 0, result.stderr
    must("cmake", "--build", build)
    return build


def test_example_names_the_boot(classify):
    assert must(classify / "classify", EXAMPLE / "boot.pgm").startswith("ankle boot (score ")


def test_example_is_built_once(classify):
    assert "no work to do" in must("cmake", "--build", classify)


def test_example_refuses_another_file(classify):
    result = call(classify / "classify", EXAMPLE / "classify.c")
    assert result.returncode == 1
    assert "expected a binary PGM of 28 x 28" in result.stderr


def test_installed_tools_stand_alone(package):
    environment = {"PATH": os.environ["PATH"]}
    for tool in ["cim-compile", "cim-device-check", "cim-opt", "cim-run", "cim-translate"]:
        assert "cim" in must(package / "bin" / tool, "--version", env=environment)
    for file in [*package.glob("bin/*"), *package.glob("lib/*.so")]:
        dynamic = must("readelf", "-d", file)
        assert str(tools.BUILD) not in dynamic and str(tools.ROOT) not in dynamic, file


def test_driver_from_the_package_alone(package, tmp_path):
    """A vendor has the headers, the checker and the simulator."""
    source = tools.ROOT / "unittests" / "Runtime" / "Inputs" / "test-driver.c"
    driver = tmp_path / "driver.so"
    must(tools.CLANG, "-shared", "-fPIC", f"-I{package / 'include'}", source, "-o", driver)
    checker = package / "bin" / "cim-device-check"
    assert " 0 failed" in must(checker, package / "lib" / "libcim-runtime.so")
    result = call(checker, driver)
    assert result.returncode == 1 and "FAIL  numbers/converter" in result.stdout


def test_installed_targets_are_found(package, tmp_path):
    installed = package / "share" / "cim" / "targets"
    text = (installed / "imec-ania.yaml").read_text()
    (installed / "mine.yaml").write_text(text.replace("name: imec-ania", "name: mine"))
    empty = tmp_path / "empty.mlir"
    empty.write_text("module {}")
    report = tmp_path / "report.json"
    must(package / "bin" / "cim-opt", empty, f"--cim-report=target=mine file={report}")
    assert '"name": "mine"' in report.read_text()


@pytest.mark.parametrize(
    "lines, message",
    [
        ("cim_add_model(net)", "cim_add_model(net): MODEL names no ONNX file"),
        ("cim_add_model(net MODEL net.onnx CELS 2)", "cim_add_model(net): unknown arguments CELS;2"),
        ("cim_add_model(my-net MODEL net.onnx)", "cim_add_model(my-net): expected a name of letters, digits and '_'"),
    ],
)
def test_wrong_use_of_cim_add_model(package, tmp_path, lines, message):
    result = configure(project(tmp_path, lines), tmp_path / "build", package)
    assert result.returncode != 0
    assert message in " ".join(result.stderr.split())


def test_package_of_another_version(package, tmp_path):
    folder = project(tmp_path, "")
    file = folder / "CMakeLists.txt"
    file.write_text(file.read_text().replace("CIM 0.1", "CIM 7.0"))
    result = configure(folder, tmp_path / "build", package)
    assert result.returncode != 0 and 'compatible with requested version "7.0"' in " ".join(result.stderr.split())


def test_broken_network_breaks_the_build(package, tmp_path):
    (tmp_path / "net.onnx").write_bytes(b"")
    folder = project(tmp_path, "cim_add_model(net MODEL net.onnx)\nadd_custom_target(go ALL DEPENDS net-model)")
    result = configure(folder, tmp_path / "build", package)
    assert result.returncode == 0, result.stderr
    build = call("cmake", "--build", tmp_path / "build")
    assert build.returncode != 0 and "net.onnx: error: " in build.stdout + build.stderr
    assert not (tmp_path / "build" / "net.so").exists()
