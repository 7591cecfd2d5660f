# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""cim-compile --report, counted again from its own list of blocks."""

import collections
import html.parser
import json

import pytest

import tools

MODEL = tools.ROOT / "models" / "fashion-resnet.onnx"
CALIBRATION = tools.ROOT / "examples" / "classify" / "calibration.npz"
ROWS, COLUMNS, MVM_TIME = 1024, 512, 44.4e-9  # targets/imec-ania.yaml
CASES = [("radix", 3), ("unary", 2), ("residual", 2)]


@pytest.fixture(scope="module", params=CASES, ids=lambda case: f"{case[0]}{case[1]}")
def compiled(request, tmp_path_factory):
    """The report and the manifest of a network, and its number of cells per weight."""
    folder = tmp_path_factory.mktemp("report")
    split, cells = request.param
    options = [f"--calibration={CALIBRATION}", f"--split={split}", f"--cells={cells}"]
    tools.compile_model(MODEL, folder / "p.mlir", "--emit=program", f"--report={folder}/r.json", *options)
    manifest = tools.invoke("cim-translate", "--cim-to-manifest", "--target=imec-ania", folder / "p.mlir")
    assert manifest.returncode == 0, manifest.stderr
    return json.loads((folder / "r.json").read_text()), json.loads(manifest.stdout), cells


def test_counts_are_those_of_the_manifest(compiled):
    report, manifest, _ = compiled
    for key, value in manifest["statistics"].items():
        assert report["mapping"][key] == pytest.approx(value, rel=1e-12), key


def test_counts_follow_from_the_blocks(compiled):
    report, _, cells = compiled
    mvms = macs = 0
    seconds = 0.0
    for layer in report["layers"]:
        activations = {(b["array"], b["row"], b["matrix_row"]) for b in layer["blocks"]}
        turns = max(collections.Counter(array for array, _, _ in activations).values())
        mvms += len(activations) * layer["windows_per_image"]
        macs += layer["windows_per_image"] * layer["matrix"][0] * layer["matrix"][1] // layer["groups"]
        seconds += turns * layer["windows_per_image"] * MVM_TIME
        assert layer["cells_per_weight"] == cells
        assert layer["cells_used"] == cells * layer["matrix"][0] * layer["matrix"][1]
    mapping = report["mapping"]
    assert (mapping["mvms_per_image"], mapping["macs_per_image"]) == (mvms, macs)
    assert mapping["latency_per_image_s"] == pytest.approx(seconds)
    assert mapping["cells_used"] == sum(array["used_cells"] for array in report["arrays"])
    assert mapping["area_lower_bound_arrays"] <= mapping["arrays"] == len(report["arrays"])
    # Never better than a full array at the chip's published 1300 TOP/s/W.
    assert 0 < mapping["ops_per_joule"] < 1.31e15


def test_blocks_lie_in_arrays_and_not_on_each_other(compiled):
    report, _, _ = compiled
    taken = collections.defaultdict(set)
    for layer in report["layers"]:
        for b in layer["blocks"]:
            assert b["row"] + b["rows"] <= ROWS and b["column"] + b["columns"] <= COLUMNS
            for row in range(b["row"], b["row"] + b["rows"]):
                cells = {(row, column) for column in range(b["column"], b["column"] + b["columns"])}
                assert not cells & taken[b["array"]]
                taken[b["array"]] |= cells
    assert [len(taken[array["index"]]) for array in report["arrays"]] == [a["used_cells"] for a in report["arrays"]]


def test_names_and_digital_operations_are_those_of_the_network(compiled):
    report, _, _ = compiled
    assert report["model"] and report["target"]["name"] == "imec-ania"
    assert report["layers"][0]["node"] == "/conv/Conv"
    assert "nn.add" in {op["op"] for op in report["digital"]}


class Balanced(html.parser.HTMLParser):
    VOID = {"meta", "br"}

    def __init__(self):
        super().__init__()
        self.open, self.seen = [], collections.Counter()

    def handle_starttag(self, tag, attributes):
        self.seen[tag] += 1
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_page_is_well_formed(tmp_path):
    page = tmp_path / "report.html"
    tools.compile_model(
        MODEL, tmp_path / "p.mlir", "--emit=program", f"--calibration={CALIBRATION}", f"--report={page}"
    )
    parser = Balanced()
    parser.feed(page.read_text())
    assert not parser.open
    assert parser.seen["figure"] >= 1 and parser.seen["table"] == 2 and not parser.seen["script"]


def test_host_program_has_only_digital_operations(tmp_path):
    report = tmp_path / "report.json"
    tools.compile_model(MODEL, tmp_path / "p.mlir", "--emit=nn", "--target=host", f"--report={report}")
    content = json.loads(report.read_text())
    assert content["mapping"]["arrays"] == 0 and content["layers"] == []
    assert "nn.conv" in {op["op"] for op in content["digital"]}


def test_unknown_format_is_refused_before_work(tmp_path):
    out = tmp_path / "net.so"
    result = tools.invoke("cim-compile", MODEL, "-o", out, f"--calibration={CALIBRATION}", "--report=r.pdf")
    assert "'.json' or '.html'" in tools.check_refused(result, out)
