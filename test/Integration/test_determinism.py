# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The same bits however a run is cut; other bits for other seeds."""

import numpy as np
import onnx
import pytest

import smallmodel
import tools

SAMPLES = 11
BATCHES = (1, 7, 256)


def quiet_target():
    """imec-ania without any noise."""
    import re

    text = (tools.ROOT / "targets" / "imec-ania.yaml").read_text()
    text, count = re.subn(r"^  (read|static|adc_gain): \{ value: [0-9.]+ %", r"  \1: { value: 0 %", text, flags=re.M)
    assert count == 3
    text, count = re.subn(r"^  (adc_offset|adc_noise): \{ value: [0-9.]+ lsb", r"  \1: { value: 0 lsb", text, flags=re.M)
    assert count == 2
    return text


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("determinism")
    np.save(folder / "calibration.npy", smallmodel.data(32))
    (folder / "quiet.yaml").write_text(quiet_target())
    for batch in BATCHES:
        onnx.save(smallmodel.build(batch), folder / f"batch{batch}.onnx")
        for target in ("imec-ania", str(folder / "quiet.yaml")):
            name = "quiet" if "quiet" in target else "noisy"
            options = [f"--target={target}", f"--calibration={folder / 'calibration.npy'}", "--cells=2"]
            tools.compile_model(folder / f"batch{batch}.onnx", folder / f"{name}{batch}.so", *options)
    return folder


@pytest.fixture()
def run(folder, tmp_path):
    x = smallmodel.data(SAMPLES, seed=9)

    def run(name, *options, first=SAMPLES, x=x):
        return tools.run_model(folder / f"{name}.so", x[:first], tmp_path, *options)

    return run


@pytest.mark.parametrize("device", ["ideal", "exact", "analog"])
def test_threads_and_repetition(run, device):
    base = run("noisy7", f"--device={device}", "--threads=1", "--seed=5")
    assert np.isfinite(base).all()
    for threads in (1, 2, 7):
        again = run("noisy7", f"--device={device}", f"--threads={threads}", "--seed=5")
        assert tools.same_bits(base, again), f"{threads} threads"


@pytest.mark.parametrize("device", ["ideal", "exact", "analog"])
def test_number_of_samples(run, device):
    base = run("noisy7", f"--device={device}")
    for count in (1, 6, 7, 8, 10):
        assert tools.same_bits(base[:count], run("noisy7", f"--device={device}", first=count)), f"{count} samples"


@pytest.mark.parametrize("device", ["ideal", "exact", "analog"])
def test_compiled_batch(run, device):
    base = run("noisy1", f"--device={device}")
    for batch in BATCHES[1:]:
        assert tools.same_bits(base, run(f"noisy{batch}", f"--device={device}")), f"batch {batch}"


@pytest.mark.parametrize("isa", ["portable", "avx2", "avxvnni", "avx512"])
@pytest.mark.parametrize("device", ["ideal", "exact", "analog"])
def test_instruction_set(folder, tmp_path, device, isa):
    if not tools.has_isa(isa):
        pytest.skip(f"this processor has no {isa}")
    x = smallmodel.data(SAMPLES, seed=9)
    base = tools.run_model(folder / "noisy7.so", x, tmp_path, f"--device={device}", env={"CIM_ISA": "portable"})
    again = tools.run_model(folder / "noisy7.so", x, tmp_path, f"--device={device}", env={"CIM_ISA": isa})
    assert tools.same_bits(base, again)


def test_seeds(run):
    outputs = [run("noisy7", "--device=analog", f"--seed={seed}") for seed in (0, 1, 2**40)]
    for i in range(3):
        for j in range(i):
            assert (outputs[i] != outputs[j]).mean() > 0.9
    assert tools.same_bits(run("noisy7", "--device=exact", "--seed=1"), run("noisy7", "--device=exact", "--seed=2"))


def test_noise_depends_on_the_position_of_a_sample(run):
    same = np.repeat(smallmodel.data(1), 6, axis=0)
    y = run("noisy7", "--device=analog", x=same)
    assert len(np.unique(y, axis=0)) == 6
    y = run("noisy7", "--device=exact", x=same)
    assert len(np.unique(y, axis=0)) == 1


def test_analog_without_noise_is_exact(run):
    for batch in BATCHES:
        assert tools.same_bits(run(f"quiet{batch}", "--device=analog", "--seed=3"), run(f"quiet{batch}", "--device=exact"))


def test_trials_are_chips(folder, tmp_path):
    """Trial t of a run is one chip: its output is in row t, and trial 0 is the run without trials."""
    x = smallmodel.data(SAMPLES, seed=9)
    several = tools.run_model(folder / "noisy7.so", x, tmp_path, "--device=analog", "--trials=3", "--seed=4")
    assert several.shape == (3, SAMPLES, 10)
    alone = tools.run_model(folder / "noisy7.so", x, tmp_path, "--device=analog", "--seed=4")
    assert tools.same_bits(several[0], alone)
    assert (several[1] != several[2]).any(-1).all()


def test_json_object(folder, tmp_path):
    np.save(tmp_path / "x.npy", smallmodel.data(SAMPLES))
    np.save(tmp_path / "y.npy", np.arange(SAMPLES, dtype=np.int64) % 10)
    options = ["--input", "x.npy", "--labels=y.npy"]
    plain = tools.run_json(folder / "noisy7.so", tmp_path, *options, "--seed=7", "--threads=2")
    assert set(plain) == {"device", "samples", "top1", "images_per_s", "seed", "threads"}
    assert (plain["device"], plain["samples"], plain["seed"], plain["threads"]) == ("exact", SAMPLES, 7, 2)
    trials = tools.run_json(folder / "noisy7.so", tmp_path, *options, "--device=analog", "--trials=4")
    assert len(trials["trials"]) == 4
    tops = [t["top1"] if isinstance(t, dict) else t for t in trials["trials"]]
    assert abs(trials["top1_mean"] - np.mean(tops)) < 1e-6
    assert min(abs(trials["top1_std"] - np.std(tops, ddof=d)) for d in (0, 1)) < 1e-6


def test_top1_is_counted(folder, tmp_path):
    x = smallmodel.data(SAMPLES)
    y = tools.run_model(folder / "noisy7.so", x, tmp_path)
    labels = y.argmax(1)
    labels[:3] = (labels[:3] + 1) % 10
    np.save(tmp_path / "x.npy", x)
    np.save(tmp_path / "labels.npy", labels)
    result = tools.run_json(folder / "noisy7.so", tmp_path, "--input", "x.npy", "--labels=labels.npy")
    assert abs(result["top1"] - 100 * (SAMPLES - 3) / SAMPLES) < 0.01


def test_compiling_twice_gives_the_same_file(folder, tmp_path):
    options = ["--target=imec-ania", f"--calibration={folder / 'calibration.npy'}", "--cells=2"]
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        tools.compile_model(folder / "batch7.onnx", tmp_path / name / "model.so", *options)
    assert (tmp_path / "a" / "model.so").read_bytes() == (tmp_path / "b" / "model.so").read_bytes()
