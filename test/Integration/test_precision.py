# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""cim-compile --accuracy-drop: the fewest cells that keep the accuracy."""

import json
import re

import numpy as np
import onnx
import pytest

import smallmodel
import tools

MODEL = tools.ROOT / "models" / "fashion-resnet.onnx"
SAMPLES = np.load(tools.ROOT / "examples" / "classify" / "calibration.npz")["image"]
HELD = len(SAMPLES) // 4


def choose(model, folder, samples, drop, *options, name="chosen"):
    """The compiled network, and its report."""
    np.save(folder / "samples.npy", samples)
    so, report = folder / f"{name}.so", folder / f"{name}.json"
    tools.compile_model(
        model, so, f"--calibration={folder / 'samples.npy'}", f"--accuracy-drop={drop}", f"--report={report}", *options
    )
    return so, json.loads(report.read_text())


def run_float(model, samples, folder):
    tools.compile_model(model, folder / "host.so", "--target=host")
    return tools.run_model(folder / "host.so", samples, folder)


@pytest.fixture(scope="module")
def fashion(tmp_path_factory):
    """A folder, the compiled network, its report and the classes of the float network."""
    if tools.is_sanitized():
        pytest.skip("takes too long with sanitizers; the small networks below do the same")
    folder = tmp_path_factory.mktemp("precision")
    so, report = choose(MODEL, folder, SAMPLES, 100 / HELD)
    return folder, so, report, run_float(MODEL, SAMPLES, folder).argmax(1)


def count_cells(precision):
    return sum(layer["weights"] * layer["cells_per_weight"] for layer in precision["layers"])


def test_classes_of_samples_that_were_held_back_are_compared(fashion):
    folder, so, report, classes = fashion
    precision = report["precision"]
    assert (precision["measure"], precision["held_samples"]) == ("agreement", HELD)
    assert report["mapping"]["cells_used"] == count_cells(precision)
    y = tools.run_model(so, SAMPLES[-HELD:], folder, "--device=exact")
    drop = 100 * (y.argmax(1) != classes[-HELD:]).mean()
    assert drop == pytest.approx(precision["drop"]) and drop <= precision["bound"]


def test_labels_of_the_float_network_and_another_run_choose_the_same(fashion):
    folder, so, report, classes = fashion
    np.save(folder / "labels.npy", classes.astype(np.uint8))
    again, labelled = choose(MODEL, folder, SAMPLES, 100 / HELD, f"--labels={folder / 'labels.npy'}", name="labelled")
    assert again.read_bytes() == so.read_bytes()
    assert labelled["precision"] == {**report["precision"], "measure": "labels"}


def test_wrong_labels_give_the_float_network_no_credit(fashion):
    # No network can lose against one that is never right: one cell is enough.
    folder, _, _, classes = fashion
    np.save(folder / "wrong.npy", (classes + 1) % 10)
    _, report = choose(MODEL, folder, SAMPLES, 0, f"--labels={folder / 'wrong.npy'}", name="wrong")
    assert {layer["cells_per_weight"] for layer in report["precision"]["layers"]} == {1}


def test_a_ratio_is_of_the_outputs_even_where_they_are_classes(tmp_path):
    onnx.save(smallmodel.build(), tmp_path / "small.onnx")
    _, report = choose(tmp_path / "small.onnx", tmp_path, smallmodel.data(64), "15dB")
    precision = report["precision"]
    assert precision["measure"] == "error"
    assert precision["bound"] == pytest.approx(100 * 10**-1.5) and 0 < precision["drop"] <= precision["bound"]


@pytest.fixture()
def feature_map(tmp_path):
    """A network that does not classify: the first two nodes of the small one."""
    model = smallmodel.build()
    del model.graph.node[2:], model.graph.initializer[2:], model.graph.output[:]
    model.graph.output.append(onnx.helper.make_tensor_value_info("r", onnx.TensorProto.FLOAT, [2, 4, 8, 8]))
    onnx.save(model, tmp_path / "map.onnx")
    return tmp_path / "map.onnx"


@pytest.fixture()
def chain(tmp_path):
    """Four convolutions; what they make is no vector, so no class."""
    rng = np.random.default_rng(5)
    nodes, tensors, channels = [], [], 3
    for i, out in enumerate([8, 8, 16, 4]):
        w = rng.normal(0, 1 / np.sqrt(9 * channels), (out, channels, 3, 3)).astype(np.float32)
        tensors.append(onnx.numpy_helper.from_array(w, f"w{i}"))
        name = f"conv{i}"
        nodes.append(onnx.helper.make_node("Conv", [f"x{i}", f"w{i}"], [f"c{i}"], name=name, pads=[1, 1, 1, 1]))
        nodes.append(onnx.helper.make_node("Relu", [f"c{i}"], [f"x{i + 1}"], name=f"relu{i}"))
        channels = out
    x = onnx.helper.make_tensor_value_info("x0", onnx.TensorProto.FLOAT, ["N", *smallmodel.INPUT_SHAPE[1:]])
    y = onnx.helper.make_tensor_value_info("x4", onnx.TensorProto.FLOAT, ["N", 4, 8, 8])
    model = onnx.helper.make_model(onnx.helper.make_graph(nodes, "chain", [x], [y], tensors))
    model.ir_version, model.opset_import[0].version = 8, 13
    onnx.save(model, tmp_path / "chain.onnx")
    return tmp_path / "chain.onnx"


def relative_error(y, exact):
    return 100 * ((y.astype(np.float64) - exact) ** 2).sum() / (exact.astype(np.float64) ** 2).sum()


def test_layers_get_different_numbers_of_cells_where_two_each_are_not_enough(chain, tmp_path):
    so, report = choose(chain, tmp_path, smallmodel.data(128), 2)
    precision = report["precision"]
    assert (precision["measure"], precision["held_samples"]) == ("error", 32)
    weights = sum(layer["weights"] for layer in precision["layers"])
    cells = count_cells(precision)
    assert 2 * weights < cells < 3 * weights and report["mapping"]["cells_used"] == cells
    held = smallmodel.data(128)[-32:]
    error = relative_error(tools.run_model(so, held, tmp_path, "--device=exact"), run_float(chain, held, tmp_path))
    assert error == pytest.approx(precision["drop"], rel=1e-4) and error <= 2
    # Nothing that was tried and is enough is cheaper.
    uniform = [(trial["cells"], trial["drop"] > 2) for trial in precision["trials"][:3]]
    assert uniform == [(weights, True), (2 * weights, True), (3 * weights, False)]
    assert min(t["cells"] for t in precision["trials"] if t["drop"] <= 2) == cells
    # Sensitivities: more cells lose less.
    assert all(sorted(layer["loss"], reverse=True) == layer["loss"] for layer in precision["layers"])


def test_a_layer_stays_digital_when_no_number_of_cells_is_enough(feature_map, tmp_path):
    so, report = choose(feature_map, tmp_path, smallmodel.data(64), 1e-6)
    assert [layer["cells_per_weight"] for layer in report["precision"]["layers"]] == [0]
    assert report["mapping"]["arrays"] == 0
    assert "it would cost more accuracy than allowed" in next(op for op in report["digital"] if op["name"] == "conv")["reason"]
    held = smallmodel.data(4, seed=9)
    assert relative_error(tools.run_model(so, held, tmp_path), run_float(feature_map, held, tmp_path)) <= 1e-6


def test_what_the_user_keeps_digital_is_no_choice(chain, tmp_path):
    _, report = choose(chain, tmp_path, smallmodel.data(64), 5, "--digital=conv0,conv3")
    assert [layer["node"] for layer in report["precision"]["layers"]] == ["conv1", "conv2"]
    assert [op["name"] for op in report["digital"] if op.get("reason") == "as the user wants it"] == ["conv0", "conv3"]


def test_a_network_may_stay_digital_as_a_whole(chain, tmp_path):
    np.save(tmp_path / "x.npy", smallmodel.data(8))
    options = [f"--calibration={tmp_path / 'x.npy'}", "--digital=conv0,conv1,conv2,conv3"]
    tools.compile_model(chain, tmp_path / "m.so", *options)
    x = smallmodel.data(4, seed=9)
    assert np.array_equal(tools.run_model(tmp_path / "m.so", x, tmp_path), run_float(chain, x, tmp_path))


def test_layers_that_arrive_quantised_are_no_choice(tmp_path):
    model = smallmodel.build()
    initializer = smallmodel.initializer(model, "w")
    w = np.clip(np.round(onnx.numpy_helper.to_array(initializer) / 0.3), -1, 1)
    initializer.CopyFrom(onnx.numpy_helper.from_array(w.astype(np.int8), "q"))
    model.graph.initializer.append(onnx.numpy_helper.from_array(np.float32(0.3), "s"))
    model.graph.node.insert(0, onnx.helper.make_node("DequantizeLinear", ["q", "s"], ["w"], name="dq"))
    onnx.save(model, tmp_path / "mixed.onnx")
    np.save(tmp_path / "x.npy", smallmodel.data(64))
    np.save(tmp_path / "y.npy", run_float(tmp_path / "mixed.onnx", smallmodel.data(64), tmp_path).argmax(1))
    options = [f"--calibration={tmp_path / 'x.npy'}", f"--labels={tmp_path / 'y.npy'}"]
    message = refuse(tmp_path, tmp_path / "mixed.onnx", *options, "--accuracy-drop=0")
    assert "--accuracy-drop=0: layers that arrive quantised cost" in message


def test_digital_layers_do_not_count_in_the_mean_of_cells(chain, tmp_path):
    np.save(tmp_path / "x.npy", smallmodel.data(32))
    options = [f"--calibration={tmp_path / 'x.npy'}", "--accuracy-drop=0.5", f"--report={tmp_path / 'r.json'}"]
    remarks = tools.compile_model(chain, tmp_path / "m.so", *options)
    precision = json.loads((tmp_path / "r.json").read_text())["precision"]
    layers = precision["layers"]
    mapped = [layer for layer in layers if layer["cells_per_weight"]]
    assert 0 < len(mapped) < len(layers) == 4
    mean = count_cells({"layers": mapped}) / sum(layer["weights"] for layer in mapped)
    assert precision["mean_cells_per_weight"] == pytest.approx(mean)
    assert f"remark: {mean:.2f} cells per weight, {4 - len(mapped)} of 4 layers digital" in remarks


def test_a_remark_says_what_was_chosen_and_what_a_sample_counts(tmp_path):
    onnx.save(smallmodel.build(), tmp_path / "small.onnx")
    np.save(tmp_path / "x.npy", smallmodel.data(64))
    options = [f"--calibration={tmp_path / 'x.npy'}", "--accuracy-drop=99"]
    remarks = tools.compile_model(tmp_path / "small.onnx", tmp_path / "m.so", *options)
    assert "remark: 1.00 cells per weight, 0 of 2 layers digital: of 99 % allowed they lose" in remarks
    assert "(agreement, 16 samples held back, each 6.25 %)" in remarks


def test_the_page_shows_losses_and_trials(feature_map, tmp_path):
    np.save(tmp_path / "x.npy", smallmodel.data(64))
    options = [f"--calibration={tmp_path / 'x.npy'}", "--accuracy-drop=2", f"--report={tmp_path / 'r.html'}"]
    tools.compile_model(feature_map, tmp_path / "m.so", *options)
    page = (tmp_path / "r.html").read_text()
    section = page.partition("<h2>Precision</h2>\n")[2]
    cells = re.search(r"conv</bdi></td><td[^>]*>108</td><td[^>]*>(\d)<", section)[1]
    assert section.startswith(f"<p>{cells}.00 cells per weight on average, chosen for a drop of at most 2 %")
    assert "energy of the error over that of the float outputs" in section and "<p>Trials" in section


LABELS = {
    "short": (np.zeros(63, np.int64), "expected shape (64,), a class for each sample, but got (63,)"),
    "float": (np.zeros(64, np.float32), "expected integers, but got float32"),
    "nan": (np.full(64, np.nan), "expected integers, but got float64"),
    "two axes": (np.zeros((64, 1), np.int32), "expected shape (64,)"),
    "too large": (np.full(64, 10, np.int64), "expected classes from 0 to 9, but got 10 at 0"),
    "beyond int64": (np.full(64, 2**64 - 1, np.uint64), "but got 18446744073709551616 at 0"),
    "negative": (np.full(64, -1, np.int8), "expected classes from 0 to 9, but got -1 at 0"),
}


def refuse(folder, model, *options, code=1):
    result = tools.invoke("cim-compile", model, "-o", folder / "out.so", *options)
    tools.check_refused(result, folder / "out.so", code)
    return result.stderr


@pytest.mark.parametrize("fault", LABELS)
def test_wrong_labels_are_refused(fault, tmp_path):
    labels, message = LABELS[fault]
    np.save(tmp_path / "l.npy", labels)
    np.save(tmp_path / "x.npy", SAMPLES)
    options = [f"--calibration={tmp_path / 'x.npy'}", "--accuracy-drop=1", f"--labels={tmp_path / 'l.npy'}"]
    assert message in refuse(tmp_path, MODEL, *options)


def test_labels_of_a_network_that_does_not_classify_are_refused(feature_map, tmp_path):
    np.save(tmp_path / "x.npy", smallmodel.data(64))
    np.save(tmp_path / "l.npy", np.zeros(64, np.int64))
    options = [f"--calibration={tmp_path / 'x.npy'}", "--accuracy-drop=1", f"--labels={tmp_path / 'l.npy'}"]
    assert "expected a network with one output of shape (samples, classes)" in refuse(tmp_path, feature_map, *options)


def test_a_float_network_that_overflows_is_refused(tmp_path):
    model = smallmodel.build()
    w = onnx.numpy_helper.to_array(smallmodel.initializer(model, "fc_w"))
    smallmodel.set_tensor(model, "fc_w", w * np.float32(1e38))
    onnx.save(model, tmp_path / "large.onnx")
    np.save(tmp_path / "x.npy", smallmodel.data(64))
    message = refuse(tmp_path, tmp_path / "large.onnx", f"--calibration={tmp_path / 'x.npy'}", "--accuracy-drop=1")
    assert "node 'fc': expected finite outputs of the float network" in message


def test_too_few_samples_are_refused(feature_map, tmp_path):
    np.save(tmp_path / "x.npy", smallmodel.data(7))
    message = refuse(tmp_path, feature_map, f"--calibration={tmp_path / 'x.npy'}", "--accuracy-drop=1")
    assert "expected at least 8 samples" in message


@pytest.mark.parametrize("option", ["--digital=conv", "--classes"])
def test_a_host_has_no_layers_to_choose(option, feature_map, tmp_path):
    assert "expected --digital, --classes and --tune with a chip" in refuse(tmp_path, feature_map, option, "--target=host")


def test_a_host_has_no_cells_to_choose(feature_map, tmp_path):
    np.save(tmp_path / "x.npy", smallmodel.data(8))
    options = [f"--calibration={tmp_path / 'x.npy'}", "--accuracy-drop=1", "--target=host"]
    assert "has no cells to choose" in refuse(tmp_path, feature_map, *options)


USAGE = {
    "--accuracy-drop=nan": "expects percent from 0 to less than 100, or as many dB, but got 'nan'",
    "--accuracy-drop=-1": "but got '-1'",
    "--accuracy-drop=100": "but got '100'",
    "--accuracy-drop=-1dB": "but got '-1dB'",
    "--accuracy-drop=20dB --labels=l.npy": "--labels expects --accuracy-drop in percent",
    "--accuracy-drop=": "but got ''",
    "--accuracy-drop=1 --cells=2": "chooses the cells, expected no --cells",
    "--accuracy-drop=1 --split=residual": "expects another --split than residual",
    "--accuracy-drop=1 --emit=nn": "expects another stage than --emit=nn",
    "--labels=l.npy": "--labels expects --accuracy-drop",
}


@pytest.mark.parametrize("options", USAGE)
def test_wrong_usage(options, tmp_path):
    assert USAGE[options] in refuse(tmp_path, MODEL, "--calibration=x.npy", *options.split(), code=2)


def test_accuracy_needs_samples(tmp_path):
    assert "--accuracy-drop expects --calibration" in refuse(tmp_path, MODEL, "--accuracy-drop=1", code=2)
