# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Bad input is refused: one diagnostic, exit code 1, nothing written, no crash."""

import pathlib
import random
import resource
import shutil
import struct
import subprocess
import zlib

import numpy as np
import onnx
import pytest

import smallmodel
import tools

JPEG = bytes.fromhex("ffd8ffe000104a46494600010101006000600000ffdb0043") + bytes(range(256)) * 8


@pytest.fixture()
def model(tmp_path):
    path = tmp_path / "model.onnx"
    onnx.save(smallmodel.build(), path)
    return path


@pytest.fixture(scope="module")
def calibration(tmp_path_factory):
    path = tmp_path_factory.mktemp("calibration") / "good.npy"
    np.save(path, smallmodel.data())
    return path


@pytest.fixture(scope="module")
def compiled(tmp_path_factory, calibration):
    folder = tmp_path_factory.mktemp("compiled")
    onnx.save(smallmodel.build(), folder / "model.onnx")
    tools.compile_model(folder / "model.onnx", folder / "model.so", "--target=imec-ania", f"--calibration={calibration}")
    return folder / "model.so"


def refuse(tmp_path, model, *options, mentions=(), code=1, **popen):
    """cim-compile refuses; the diagnostic mentions every word given."""
    out = tmp_path / "out"
    out.mkdir(exist_ok=True)
    result = tools.invoke("cim-compile", model, "-o", out / "model.so", *options, **popen)
    message = tools.check_refused(result, out / "model.so", code)
    for word in mentions:
        assert word in result.stderr, f"'{word}' is not in:\n{result.stderr}"
    assert list(out.iterdir()) == []
    return message


# --- model files --------------------------------------------------------------


def test_the_small_model_is_good(tmp_path, model, calibration):
    tools.compile_model(model, tmp_path / "host.so", "--target=host")
    tools.compile_model(model, tmp_path / "model.so", "--target=imec-ania", f"--calibration={calibration}")
    y = tools.run_model(tmp_path / "model.so", smallmodel.data(3), tmp_path)
    assert y.shape == (3, 10) and np.isfinite(y).all()


def test_no_model_file(tmp_path):
    refuse(tmp_path, tmp_path / "absent.onnx", "--target=host", mentions=["absent.onnx"])


def test_model_is_a_directory(tmp_path):
    refuse(tmp_path, tmp_path, "--target=host")


@pytest.mark.parametrize("content", [b"", JPEG, b"hello, world\n", b"\x00" * 100], ids=["empty", "jpeg", "text", "zeros"])
def test_not_a_model(tmp_path, content):
    (tmp_path / "model.onnx").write_bytes(content)
    refuse(tmp_path, tmp_path / "model.onnx", "--target=host", mentions=["model.onnx"])


@pytest.mark.parametrize("share", [0.001, 0.1, 0.5, 0.9, 0.999])
def test_truncated_model(tmp_path, model, share):
    content = model.read_bytes()
    model.write_bytes(content[: int(len(content) * share)])
    refuse(tmp_path, model, "--target=host")


@pytest.mark.parametrize("fault", smallmodel.FAULTS)
def test_faulty_model(tmp_path, model, fault):
    bad = smallmodel.build()
    smallmodel.FAULTS[fault](bad)
    model.write_bytes(bad.SerializeToString())
    refuse(tmp_path, model, "--target=host")


@pytest.mark.parametrize("spoil", smallmodel.NOT_FINITE)
def test_weights_on_arrays_are_finite(tmp_path, model, calibration, spoil):
    bad = smallmodel.build()
    spoil(bad)
    model.write_bytes(bad.SerializeToString())
    refuse(tmp_path, model, "--target=imec-ania", f"--calibration={calibration}", mentions=["expected finite values"])
    tools.compile_model(model, tmp_path / "host.so", "--target=host")


@pytest.mark.parametrize(
    "fault, words",
    [
        ("unknown_op", ["Frobnicate", "relu"]),
        ("missing_initializer", ["'w'"]),
        ("dangling_input", ["nowhere"]),
        ("unbound_dimension", ["--shape"]),
        ("opset_too_new", ["999"]),
        ("opset_too_old", ["6"]),
    ],
)
def test_diagnostics_name_the_culprit(tmp_path, model, fault, words):
    bad = smallmodel.build()
    smallmodel.FAULTS[fault](bad)
    model.write_bytes(bad.SerializeToString())
    refuse(tmp_path, model, "--target=host", mentions=words)


@pytest.mark.parametrize("seed", range(60))
def test_damaged_model_never_crashes(tmp_path, model, seed):
    """Flipped bytes: refused with one diagnostic, or a model that still makes sense."""
    rng = random.Random(seed)
    content = bytearray(model.read_bytes())
    structure = [i for i in range(len(content)) if i < 200 or i > len(content) - 600]
    for _ in range(rng.choice([1, 2, 8])):
        content[rng.choice(structure if rng.random() < 0.8 else range(len(content)))] = rng.randrange(256)
    model.write_bytes(content)
    result = tools.invoke("cim-compile", model, "-o", tmp_path / "model.so", "--target=host")
    if result.returncode != 0:
        tools.check_refused(result, tmp_path / "model.so")


# --- calibration --------------------------------------------------------------


def bad_calibrations():
    good = smallmodel.data()
    nan = good.copy()
    nan[4, 1, 2, 3] = np.nan
    infinite = good.copy()
    infinite[0, 0, 0, 0] = -np.inf
    return {
        "other-shape": good[:, :, :, :7],
        "other-rank": good[0],
        "no-samples": good[:0],
        "float64": good.astype(np.float64),
        "int64": good.astype(np.int64),
        "complex": good.astype(np.complex64),
        "text": np.array(["a", "b"]),
        "nan": nan,
        "infinite": infinite,
        "scalar": np.float32(3),
    }


@pytest.mark.parametrize("what", bad_calibrations())
def test_bad_calibration(tmp_path, model, what):
    np.save(tmp_path / "bad.npy", bad_calibrations()[what])
    refuse(tmp_path, model, "--target=imec-ania", f"--calibration={tmp_path / 'bad.npy'}", mentions=["bad.npy"])


def test_calibration_of_objects(tmp_path, model):
    np.save(tmp_path / "bad.npy", np.array([{}], object), allow_pickle=True)
    refuse(tmp_path, model, "--target=imec-ania", f"--calibration={tmp_path / 'bad.npy'}")


@pytest.mark.parametrize("size", [0, 5, 60, 1000, -4])
def test_truncated_calibration(tmp_path, model, calibration, size):
    (tmp_path / "bad.npy").write_bytes(calibration.read_bytes()[:size])
    refuse(tmp_path, model, "--target=imec-ania", f"--calibration={tmp_path / 'bad.npy'}")


def test_calibration_archive_with_other_names(tmp_path, model):
    np.savez(tmp_path / "bad.npz", z=smallmodel.data(), w=smallmodel.data())
    refuse(tmp_path, model, "--target=imec-ania", f"--calibration={tmp_path / 'bad.npz'}", mentions=["'x'"])
    # One array for one input needs no name: NumPy's own would be arr_0.
    np.savez(tmp_path / "good.npz", smallmodel.data())
    tools.compile_model(model, tmp_path / "model.so", f"--calibration={tmp_path / 'good.npz'}")


def test_calibration_is_absent(tmp_path, model):
    refuse(tmp_path, model, "--target=imec-ania", f"--calibration={tmp_path / 'absent.npy'}", mentions=["absent.npy"])


def test_crossbar_without_calibration(tmp_path, model):
    refuse(tmp_path, model, "--target=imec-ania", mentions=["--calibration"])


# --- target and mapping -------------------------------------------------------


def test_unknown_target(tmp_path, model):
    refuse(tmp_path, model, "--target=imec-anja", mentions=["imec-anja", "imec-ania"])


@pytest.mark.parametrize(
    "old, new",
    [("rows: 1024", "rows: -3"), ("rows: 1024", "rowz: 1024"), ("44.4 ns", "44.4 kg"), ("bits: 7", "bits: seven"), ("array:", "array: [")],
)
def test_bad_target_file(tmp_path, model, calibration, old, new):
    text = (tools.ROOT / "targets" / "imec-ania.yaml").read_text()
    assert old in text
    (tmp_path / "bad.yaml").write_text(text.replace(old, new))
    refuse(tmp_path, model, f"--target={tmp_path / 'bad.yaml'}", f"--calibration={calibration}", mentions=["bad.yaml:"])


def test_more_arrays_than_allowed(tmp_path, model, calibration):
    text = (tools.ROOT / "targets" / "imec-ania.yaml").read_text()
    text = text.replace("rows: 1024", "rows: 32").replace("columns: 512", "columns: 16")
    (tmp_path / "small.yaml").write_text(text[: text.index("\nanchors:")] + "\n")
    options = [f"--target={tmp_path / 'small.yaml'}", f"--calibration={calibration}"]
    refuse(tmp_path, model, *options, "--arrays=2", mentions=["allows 2"])


def test_cells_of_a_layer_that_does_not_exist(tmp_path, model, calibration):
    refuse(tmp_path, model, "--target=imec-ania", f"--calibration={calibration}", "--cells=nolayer=2", mentions=["nolayer"])


def test_shape_of_an_input_that_does_not_exist(tmp_path, model):
    refuse(tmp_path, model, "--target=host", "--shape", "z=1x3x8x8", mentions=["'z'"])


# --- usage --------------------------------------------------------------------


@pytest.mark.parametrize("tool", ["cim-compile", "cim-run", "cim-opt", "cim-translate"])
def test_unknown_flag(tool):
    result = tools.invoke(tool, "--frobnicate")
    assert result.returncode == 2, result.stderr
    assert "frobnicate" in result.stderr


@pytest.mark.parametrize("tool", ["cim-compile", "cim-run"])
def test_no_arguments(tool):
    assert tools.invoke(tool).returncode == 2


@pytest.mark.parametrize("tool", ["cim-compile", "cim-run", "cim-opt", "cim-translate"])
def test_help_and_version(tool):
    for flag in ("--help", "--version"):
        result = tools.invoke(tool, flag)
        assert result.returncode == 0 and result.stdout.strip()


@pytest.mark.parametrize(
    "option", ["--split=binary", "--emit=pdf", "--cells=0", "--cells=many", "--arrays=-1", "--optimize=beauty", "--shape=x=axb"]
)
def test_bad_option_value(tmp_path, model, option):
    result = tools.invoke("cim-compile", model, "-o", tmp_path / "model.so", option)
    assert result.returncode == 2, f"exit {result.returncode}: {result.stderr}"
    assert not (tmp_path / "model.so").exists()


@pytest.mark.parametrize("option", ["--seed=abc", "--trials=0", "--threads=-1"])
def test_bad_run_option_value(tmp_path, compiled, option):
    np.save(tmp_path / "x.npy", smallmodel.data(2))
    result = tools.invoke("cim-run", compiled, "--input", tmp_path / "x.npy", option)
    assert result.returncode == 2, f"exit {result.returncode}: {result.stderr}"


@pytest.mark.parametrize("option", ["-o", "--report", "--remarks", "--calibration"])
def test_output_never_replaces_an_input(tmp_path, model, option):
    """Another spelling of the network's path is the same file."""
    network = tmp_path / "copy.onnx"
    network.write_bytes(pathlib.Path(model).read_bytes())
    same = tmp_path / "." / "copy.onnx"
    options = ["-o", network] if option == "--calibration" else ["-o", tmp_path / "model.so"]
    result = tools.invoke("cim-compile", network, *options, f"{option}={same}", "--target=host")
    assert result.returncode == 2, f"exit {result.returncode}: {result.stderr}"
    assert "name the same file" in result.stderr
    assert network.read_bytes() == pathlib.Path(model).read_bytes()


def test_report_goes_with_the_output(tmp_path, model, calibration):
    """Neither is left when one of them cannot be written."""
    options = [f"--calibration={calibration}", "--quiet"]
    result = tools.invoke("cim-compile", model, "-o", tmp_path / "absent" / "m.so", f"--report={tmp_path / 'r.json'}", *options)
    tools.check_refused(result, tmp_path / "r.json")
    result = tools.invoke("cim-compile", model, "-o", tmp_path / "m.so", f"--report={tmp_path / 'absent' / 'r.json'}", *options)
    tools.check_refused(result, tmp_path / "m.so")


def test_remarks_are_written_after_linking(tmp_path, model):
    result = tools.invoke("cim-compile", model, "-o", tmp_path / "m.so", "--target=host", f"--remarks={tmp_path / 'r.yaml'}")
    assert result.returncode == 0, result.stderr
    assert (tmp_path / "r.yaml").exists()


# --- compiled networks --------------------------------------------------------


def refuse_run(tmp_path, so, *options, mentions=(), env=None, **popen):
    out = tmp_path / "out"
    out.mkdir(exist_ok=True)
    result = tools.invoke("cim-run", so, "--output", out / "y.npy", *options, env=env, **popen)
    tools.check_refused(result, out / "y.npy")
    for word in mentions:
        assert word in result.stderr, f"'{word}' is not in:\n{result.stderr}"
    assert list(out.iterdir()) == []


@pytest.fixture()
def x(tmp_path):
    np.save(tmp_path / "x.npy", smallmodel.data(3))
    return tmp_path / "x.npy"


@pytest.mark.parametrize("content", [b"", JPEG, b"\x7fELF", b"\x7fELF\x02\x01\x01" + bytes(200)], ids=["empty", "jpeg", "magic", "header"])
def test_not_a_compiled_network(tmp_path, x, content):
    (tmp_path / "bad.so").write_bytes(content)
    refuse_run(tmp_path, tmp_path / "bad.so", "--input", x, mentions=["bad.so"])


def test_absent_and_directory(tmp_path, x):
    refuse_run(tmp_path, tmp_path / "absent.so", "--input", x)
    refuse_run(tmp_path, tmp_path, "--input", x)


@pytest.mark.parametrize("share", [0.01, 0.3, 0.6, 0.99])
def test_damaged_compiled_network(tmp_path, compiled, x, share):
    """One flipped bit, wherever it is: headers, code, tables or cells."""
    content = bytearray(compiled.read_bytes())
    content[int(share * len(content))] ^= 0x10
    (tmp_path / "damaged.so").write_bytes(content)
    refuse_run(tmp_path, tmp_path / "damaged.so", "--input", x)


@pytest.mark.parametrize("share", [0.01, 0.1, 0.3, 0.5, 0.7, 0.9, 0.99])
def test_truncated_compiled_network(tmp_path, compiled, x, share):
    content = compiled.read_bytes()
    (tmp_path / "bad.so").write_bytes(content[: int(len(content) * share)])
    refuse_run(tmp_path, tmp_path / "bad.so", "--input", x)


def test_foreign_shared_object(tmp_path, reference_device, x):
    refuse_run(tmp_path, reference_device, "--input", x)


@pytest.mark.parametrize("seed", range(10))
def test_damaged_compiled_network(tmp_path, compiled, x, seed):
    """One wrong byte anywhere, also in the code, which no other check would find."""
    content = bytearray(compiled.read_bytes())
    content[random.Random(seed).randrange(len(content))] ^= 0x10
    (tmp_path / "bad.so").write_bytes(content)
    refuse_run(tmp_path, tmp_path / "bad.so", "--input", x, mentions=["bad.so"])


@pytest.mark.parametrize("seed", range(40))
def test_damaged_manifest_never_crashes(tmp_path, compiled, x, seed):
    """A manifest with wrong characters under a seal (cim_seal in model.h) that is right."""
    rng = random.Random(seed)
    content = bytearray(compiled.read_bytes())
    assert content[-16:-8] == b"CIMSEAL1"
    start = content.find(b'"layers"')
    assert start > 0
    for _ in range(rng.choice([1, 1, 3])):
        content[start + rng.randrange(1500)] = rng.choice(b'{}[]",:0123456789-eax \x00\xff')
    content[-8:-4] = struct.pack("<I", zlib.crc32(content[:-16]))
    (tmp_path / "bad.so").write_bytes(content)
    result = tools.invoke("cim-run", tmp_path / "bad.so", "--input", x, "--output", tmp_path / "y.npy")
    if result.returncode != 0:
        tools.check_refused(result, tmp_path / "y.npy")


def bad_inputs():
    good = smallmodel.data(3)
    nan = good.copy()
    nan[2, 0, 7, 7] = np.nan
    return {
        "nan": nan,
        "other-shape": good[:, :, :7],
        "other-rank": good.reshape(3, -1),
        "one-sample": good[0],
        "float64": good.astype(np.float64),
        "int8": good.astype(np.int8),
        "no-samples": good[:0],
        "scalar": np.float32(1),
    }


@pytest.mark.parametrize("what", bad_inputs())
def test_bad_input_array(tmp_path, compiled, what):
    np.save(tmp_path / "bad.npy", bad_inputs()[what])
    refuse_run(tmp_path, compiled, "--input", tmp_path / "bad.npy", mentions=["bad.npy"])


def test_bad_input_names_and_files(tmp_path, compiled, x):
    refuse_run(tmp_path, compiled, "--input", f"z={x}", mentions=["'z'", "it has x"])
    refuse_run(tmp_path, compiled, "--input", tmp_path / "absent.npy", mentions=["absent.npy"])
    (tmp_path / "cut.npy").write_bytes(x.read_bytes()[:-8])
    refuse_run(tmp_path, compiled, "--input", tmp_path / "cut.npy", mentions=["cut.npy"])


def test_bad_output_name(tmp_path, compiled, x):
    result = tools.invoke("cim-run", compiled, "--input", x, "--output", f"z={tmp_path / 'y.npy'}")
    tools.check_refused(result, tmp_path / "y.npy")


@pytest.mark.parametrize("role", ["network", "input", "labels", "device", "output"])
@pytest.mark.parametrize("alias", ["path", "dotted", "hard-link", "symbolic-link"])
def test_output_over_another_file(tmp_path, compiled, x, reference_device, role, alias):
    """An output is never written over what the command reads, whatever name it goes by."""
    used = {name: tmp_path / f"{name}.file" for name in ("network", "input", "labels", "output")}
    used["device"] = tmp_path / "device.so"
    shutil.copy(compiled, used["network"])
    shutil.copy(x, used["input"])
    shutil.copy(reference_device, used["device"])
    np.save(tmp_path / "l.npy", np.zeros(3, np.int64))
    (tmp_path / "l.npy").rename(used["labels"])
    if "link" in alias:
        used["output"].write_bytes(b"old")
    y = tmp_path / "alias"
    if alias == "path":
        y = used[role]
    elif alias == "dotted":
        y = f"{tmp_path}/./{used[role].name}"
    elif alias == "hard-link":
        y.hardlink_to(used[role])
    else:
        y.symlink_to(used[role])
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    options = ["--input", used["input"], f"--labels={used['labels']}", f"--device={used['device']}"]
    if role == "output":
        options += ["--output", used["output"]]
    result = tools.invoke("cim-run", used["network"], *options, "--output", y)
    message = tools.check_refused(result, code=2)
    assert f"would overwrite the {role} '{used[role]}'" in message
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_output_to_nowhere_is_no_clash(compiled, x):
    result = tools.invoke("cim-run", compiled, "--input", x, "--output", "/dev/null")
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize("output", ["-", "y=-"])
def test_output_to_standard_output(tmp_path, compiled, x, output):
    result = tools.invoke("cim-run", compiled, "--input", x, "--output", output, cwd=tmp_path)
    message = tools.check_refused(result, tmp_path / "-", code=2)
    assert "standard output" in message


def test_output_without_file(tmp_path, compiled, x):
    result = tools.invoke("cim-run", compiled, "--input", x, "--output", "y=", cwd=tmp_path)
    assert "expected a file" in tools.check_refused(result, code=2)


@pytest.mark.parametrize("name", ["", "y="])
def test_output_twice(tmp_path, compiled, x, name):
    out = tmp_path / "out"
    out.mkdir()
    result = tools.invoke("cim-run", compiled, "--input", x, "--output", out / "a.npy", "--output", f"{name}{out / 'b.npy'}")
    assert "output 'y' is given twice" in tools.check_refused(result)
    assert list(out.iterdir()) == []


@pytest.mark.parametrize("labels", [np.zeros(2, np.int64), np.zeros((3, 10), np.float32)], ids=["count", "shape"])
def test_bad_labels(tmp_path, compiled, x, labels):
    np.save(tmp_path / "labels.npy", labels)
    refuse_run(tmp_path, compiled, "--input", x, f"--labels={tmp_path / 'labels.npy'}", mentions=["labels.npy"])


def test_device_that_is_none(tmp_path, compiled, x):
    refuse_run(tmp_path, compiled, "--input", x, f"--device={compiled}")
    refuse_run(tmp_path, compiled, "--input", x, f"--device={tmp_path / 'absent.so'}", mentions=["absent.so"])


@pytest.mark.parametrize(
    "name, meant", [("analogue", "analog"), ("exakt", "exact"), ("Ideal", "ideal"), ("real", "ideal"), ("simulator", None)]
)
def test_unknown_device(tmp_path, compiled, x, name, meant):
    result = tools.invoke("cim-run", compiled, "--input", x, "--output", tmp_path / "y.npy", f"--device={name}")
    message = tools.check_refused(result, tmp_path / "y.npy", code=2)
    assert f"unknown device '{name}', expected ideal, exact, analog or a driver FILE.so" in message
    assert "model.so" not in message
    assert ("did you mean" in message) == (meant is not None)
    assert meant is None or f"(did you mean {meant}?)" in message


def test_output_that_is_called_like_a_device(tmp_path, compiled, x):
    result = tools.invoke("cim-run", compiled, "--input", x, "--output", "exact", cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert np.load(tmp_path / "exact").shape == (3, 10)


def test_device_that_fails(tmp_path, compiled, x, reference_device):
    """The driver's own words reach the user."""
    env = {"CIM_REFERENCE_MODE": "digital"}
    refuse_run(tmp_path, compiled, "--input", x, f"--device={reference_device}", env=env, mentions=["has no mode 'digital'"])
    env = {"CIM_REFERENCE_RECORD": str(tmp_path / "absent")}
    refuse_run(tmp_path, compiled, "--input", x, f"--device={reference_device}", env=env, mentions=["cannot write the recording"])


# --- disk full ----------------------------------------------------------------


def small_files():
    """A disk that is full after 1 KiB, as far as a process can tell."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (1024, 1024))


def test_disk_full_while_compiling(tmp_path, model, calibration):
    # Python ignores SIGXFSZ; the tool inherits that and gets an error from write().
    limits = dict(preexec_fn=small_files, restore_signals=False)
    refuse(tmp_path, model, "--target=host", **limits)
    refuse(tmp_path, model, "--target=imec-ania", f"--calibration={calibration}", **limits)
    refuse(tmp_path, model, "--target=host", "--emit=llvm", **limits)


def test_disk_full_keeps_the_old_file(tmp_path, model):
    (tmp_path / "model.so").write_bytes(b"old")
    result = tools.invoke("cim-compile", model, "-o", tmp_path / "model.so", "--target=host", preexec_fn=small_files, restore_signals=False)
    assert result.returncode == 1
    assert (tmp_path / "model.so").read_bytes() == b"old"


def test_disk_full_while_running(tmp_path, compiled):
    np.save(tmp_path / "x.npy", smallmodel.data(500))
    refuse_run(tmp_path, compiled, "--input", tmp_path / "x.npy", preexec_fn=small_files, restore_signals=False)


def test_no_such_output_folder(tmp_path, model, compiled, x):
    result = tools.invoke("cim-compile", model, "-o", tmp_path / "absent" / "model.so", "--target=host")
    tools.check_refused(result)
    result = tools.invoke("cim-run", compiled, "--input", x, "--output", tmp_path / "absent" / "y.npy")
    tools.check_refused(result)


@pytest.mark.skipif(not pathlib.Path("/dev/full").exists(), reason="no /dev/full here")
def test_full_standard_output(tmp_path, model):
    with open("/dev/full", "w") as full:
        result = subprocess.run(
            [tools.BUILD / "bin" / "cim-compile", model, "-o", "-", "--target=host", "--emit=nn"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=tools.TIMEOUT,
        )
    result.stdout = ""
    tools.check_refused(result)


@pytest.mark.skipif(shutil.which("prlimit") is None, reason="no prlimit")
def test_signals_of_a_full_disk_do_not_kill(tmp_path, model, compiled):
    """With the default action of SIGXFSZ, as from a shell with ulimit -f."""
    out = tmp_path / "out"
    out.mkdir()
    np.save(tmp_path / "x.npy", smallmodel.data(500))
    for command in (
        ["cim-compile", model, "-o", out / "model", "--target=host"],
        ["cim-run", compiled, "--input", tmp_path / "x.npy", "--output", out / "y.npy"],
    ):
        command[0] = tools.BUILD / "bin" / command[0]
        result = subprocess.run(
            ["prlimit", "--fsize=1024", *command], capture_output=True, text=True, timeout=tools.TIMEOUT
        )
        tools.check_refused(result)
        assert list(out.iterdir()) == []
