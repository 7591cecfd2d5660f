// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Scan is unrolled over the static length of what it scans.
#include "Subgraph.h"

using namespace mlir;

namespace cim::onnx {

/// Slice `index` of `axis`, without that dimension.
static Value sliceAt(NodeBinder &b, Value value, int64_t axis, int64_t index) {
  auto sizes = llvm::to_vector(cast<ShapedType>(value.getType()).getShape());
  SmallVector<int64_t> starts(sizes.size(), 0), steps(sizes.size(), 1);
  starts[axis] = index;
  sizes[axis] = 1;
  Value slice = b.create<nn::SliceOp>(value, starts, sizes, steps);
  sizes.erase(sizes.begin() + axis);
  return b.createReshape(slice, sizes);
}

namespace {
/// Where a scan input or output has the dimension that is scanned.
struct Direction {
  int64_t axis = 0;
  bool reversed = false;
};

class ScanImporter {
public:
  /// The first `skipped` operands are none of the scan's own.
  ScanImporter(NodeBinder &b, size_t skipped)
      : b(b), numScans(b.getInt("num_scan_inputs", 0)),
        numOperands(b.numInputs() - std::min(skipped, b.numInputs())),
        body(b, "body", numOperands) {
    for (size_t i = 0; i < numOperands; ++i)
      operands.push_back(b.input(skipped + i));
    if (!b.failed() && (numScans < 1 || size_t(numScans) > numOperands))
      b.error() << "expected 'num_scan_inputs' to be 1 to " << numOperands
                << ", but got " << numScans;
    numStates = b.failed() ? 0 : numOperands - numScans;
    if (!b.failed() && body.numOutputs() < numStates)
      b.error() << "expected a body with at least " << numStates
                << " outputs, but it has " << body.numOutputs();
    if (b.failed())
      return;
    ins.resize(numScans);
    outs.resize(body.numOutputs() - numStates);
  }

  LogicalResult readDirections(MutableArrayRef<Direction> directions,
                               StringRef axes, StringRef reversed);
  /// One pass over the scan inputs: final states, then scan outputs.
  FailureOr<ImportedValues> scan(ArrayRef<Value> values, std::string label);

  NodeBinder &b;
  int64_t numScans;
  size_t numOperands, numStates = 0;
  Subgraph body;
  SmallVector<Value> operands;
  SmallVector<Direction> ins, outs;

private:
  FailureOr<int64_t> length(ArrayRef<Value> scans);
};

LogicalResult
ScanImporter::readDirections(MutableArrayRef<Direction> directions,
                             StringRef axes, StringRef reversed) {
  auto read = [&](StringRef name) {
    SmallVector<int64_t> list =
        b.getInts(name).value_or(SmallVector<int64_t>(directions.size(), 0));
    if (!b.failed() && list.size() != directions.size())
      b.error() << "expected '" << name << "' to have " << directions.size()
                << " elements, but got " << list.size();
    list.resize(directions.size());
    return list;
  };
  SmallVector<int64_t> axisList =
      axes.empty() ? SmallVector<int64_t>(directions.size(), 0) : read(axes);
  SmallVector<int64_t> reversedList = read(reversed);
  for (auto [direction, axis, isReversed] :
       llvm::zip_equal(directions, axisList, reversedList))
    direction = {axis, isReversed != 0};
  return failure(b.failed());
}

FailureOr<int64_t> ScanImporter::length(ArrayRef<Value> scans) {
  std::optional<int64_t> common;
  for (auto [value, direction] : llvm::zip_equal(scans, ins)) {
    ArrayRef<int64_t> shape = cast<ShapedType>(value.getType()).getShape();
    direction.axis = b.normalizeAxis(direction.axis, shape.size());
    if (b.failed())
      return failure();
    int64_t extent = shape[direction.axis];
    if (extent != common.value_or(extent))
      return b.error() << "expected scan inputs of one length, but got "
                       << *common << " and " << extent;
    common = extent;
  }
  return *common;
}

FailureOr<ImportedValues> ScanImporter::scan(ArrayRef<Value> values,
                                             std::string label) {
  ArrayRef<Value> scans = values.drop_front(numStates);
  FailureOr<int64_t> steps = length(scans);
  if (failed(steps))
    return failure();
  ImportedValues states;
  for (Value state : values.take_front(numStates))
    states.push_back({{}, state});
  std::vector<ImportedValues> scanned(outs.size());
  for (int64_t step = 0; step < *steps; ++step) {
    ImportedValues inputs = states;
    for (auto [value, direction] : llvm::zip_equal(scans, ins))
      inputs.push_back(
          {{},
           sliceAt(b, value, direction.axis,
                   direction.reversed ? *steps - 1 - step : step)});
    if (b.failed())
      return failure();
    FailureOr<ImportedValues> outputs =
        body.run(inputs, label + "[" + std::to_string(step) + "]");
    if (failed(outputs))
      return failure();
    states.assign(outputs->begin(), outputs->begin() + numStates);
    for (size_t i = 0; i < scanned.size(); ++i)
      scanned[i].push_back((*outputs)[numStates + i]);
  }
  for (auto [list, direction] : llvm::zip_equal(scanned, outs))
    states.push_back({{}, stack(b, list, direction.axis, direction.reversed)});
  return b.failed() ? FailureOr<ImportedValues>(failure()) : states;
}
} // namespace

static LogicalResult importScan(NodeBinder &b) {
  ScanImporter scan(b, /*skipped=*/0);
  if (b.failed() ||
      failed(scan.readDirections(scan.ins, "scan_input_axes",
                                 "scan_input_directions")) ||
      failed(scan.readDirections(scan.outs, "scan_output_axes",
                                 "scan_output_directions")))
    return failure();
  FailureOr<ImportedValues> results = scan.scan(scan.operands, "");
  return failed(results) ? failure() : bindResults(b, *results);
}

/// Opset 8: everything has a batch in front, and every sample its own length.
static LogicalResult importScanOfBatch(NodeBinder &b) {
  if (b.hasInput(0))
    return b.error() << "'sequence_lens' (operand 0) is not supported, "
                        "expected sequences of one length";
  ScanImporter scan(b, /*skipped=*/1);
  if (b.failed() || failed(scan.readDirections(scan.ins, "", "directions")))
    return failure();
  std::optional<int64_t> batch;
  for (Value operand : scan.operands) {
    ArrayRef<int64_t> shape = cast<ShapedType>(operand.getType()).getShape();
    if (shape.empty() || shape[0] != batch.value_or(shape[0]))
      return b.error() << "expected operands that begin with one batch";
    batch = shape[0];
  }
  std::vector<ImportedValues> results(scan.body.numOutputs());
  for (int64_t sample = 0; sample < *batch; ++sample) {
    SmallVector<Value> values;
    for (Value operand : scan.operands)
      values.push_back(sliceAt(b, operand, 0, sample));
    if (b.failed())
      return failure();
    FailureOr<ImportedValues> outputs =
        scan.scan(values, "[" + std::to_string(sample) + "]");
    if (failed(outputs))
      return failure();
    for (auto [list, value] : llvm::zip_equal(results, *outputs))
      list.push_back(value);
  }
  ImportedValues stacked;
  for (ImportedValues &list : results)
    stacked.push_back({{}, stack(b, list, /*axis=*/0)});
  return b.failed() ? failure() : bindResults(b, stacked);
}

void registerScan(HandlerTable &table) {
  table.add("Scan",
            {Place::Folded, "unrolled like Loop; no sequence_lens in opset 8"},
            {{8, importScanOfBatch}, {9, importScan}});
}

} // namespace cim::onnx
