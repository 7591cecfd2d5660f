// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// If and Loop leave no trace: branches are imported in place, bodies unrolled.
#include "Subgraph.h"

using namespace mlir;

namespace cim::onnx {

/// The value of a truth value, when the importer knows it.
static std::optional<bool> constantTruth(const ImportedValue &value) {
  HostTensor constant = constantOf(value);
  if (!constant || constant->type != DataType::Bool ||
      constant->numElements() != 1)
    return std::nullopt;
  return toInts(*constant).front() != 0;
}

//===----------------------------------------------------------------------===//
// If
//===----------------------------------------------------------------------===//

/// Neither branch has side effects, so that both may be computed.
static LogicalResult importBothBranches(NodeBinder &b, Subgraph &thenBranch,
                                        Subgraph &elseBranch) {
  FailureOr<ImportedValues> yes = thenBranch.run({}), no = elseBranch.run({});
  Value condition = b.createReshape(b.boolInput(0), {});
  if (failed(yes) || failed(no) || !condition)
    return failure();
  if (yes->size() != no->size())
    return b.error() << "expected branches with as many results, but got "
                     << yes->size() << " and " << no->size();
  for (auto [index, a, c] : llvm::enumerate(*yes, *no)) {
    Value first = b.emit(a), second = b.emit(c);
    if (!first || !second)
      return failure();
    if (first.getType() != second.getType())
      return b.error() << "its condition is computed at run time; expected "
                          "branches with results of one type, but output "
                       << index << " is " << first.getType() << " or "
                       << second.getType();
    a = {{}, b.create<nn::SelectOp>(condition, first, second)};
  }
  return bindResults(b, *yes);
}

static LogicalResult importIf(NodeBinder &b) {
  const ImportedValue *condition = b.imported(0);
  if (b.failed())
    return failure();
  std::optional<bool> taken = constantTruth(*condition);
  if (!taken) {
    Subgraph thenBranch(b, "then_branch", 0), elseBranch(b, "else_branch", 0);
    return importBothBranches(b, thenBranch, elseBranch);
  }
  b.ignore({"then_branch", "else_branch"});
  Subgraph branch(b, *taken ? "then_branch" : "else_branch", 0);
  FailureOr<ImportedValues> outputs = branch.run({});
  return failed(outputs) ? failure() : bindResults(b, *outputs);
}

//===----------------------------------------------------------------------===//
// Loop
//===----------------------------------------------------------------------===//

namespace {
class LoopImporter {
public:
  explicit LoopImporter(NodeBinder &b)
      : b(b), numCarried(b.numInputs() > 2 ? b.numInputs() - 2 : 0),
        body(b, "body", 2 + numCarried) {}

  LogicalResult run();

private:
  LogicalResult readBounds();
  LogicalResult iterate(int64_t iteration);
  FailureOr<ImportedValues> results();

  NodeBinder &b;
  size_t numCarried;
  Subgraph body;
  /// Iterations at most, or -1 without an end.
  int64_t trips = -1;
  bool hasCondition = false, condition = true;
  ImportedValues carried;
  std::vector<ImportedValues> scanned;
};

LogicalResult LoopImporter::readBounds() {
  if (b.hasInput(0)) {
    SmallVector<int64_t> count = b.constantInts(0, "M");
    if (!b.failed() && count.size() != 1)
      return b.error() << "expected one number as trip count";
    trips = b.failed() ? 0 : std::max<int64_t>(count[0], 0);
  }
  hasCondition = b.hasInput(1);
  const ImportedValue *first = hasCondition ? b.imported(1) : nullptr;
  if (b.failed())
    return failure();
  if (first) {
    std::optional<bool> truth = constantTruth(*first);
    if (!truth)
      return b.error() << "expected 'cond' (operand 1) to be a constant truth "
                          "value, but it is computed at run time";
    condition = *truth;
  }
  if (trips < 0 && !hasCondition)
    return b.error() << "expected a trip count or a condition, but it has "
                        "neither and never ends";
  if (body.numOutputs() < 1 + numCarried)
    return b.error() << "expected a body with at least " << 1 + numCarried
                     << " outputs, but it has " << body.numOutputs();
  return success();
}

LogicalResult LoopImporter::iterate(int64_t iteration) {
  auto constant = [](DataType type, int64_t value) {
    return ImportedValue{
        std::make_shared<const Tensor>(fromInts(type, {}, value)), {}};
  };
  ImportedValues inputs{constant(DataType::Int64, iteration),
                        constant(DataType::Bool, 1)};
  inputs.append(carried);
  FailureOr<ImportedValues> outputs =
      body.run(inputs, "[" + std::to_string(iteration) + "]");
  if (failed(outputs))
    return failure();
  if (hasCondition) {
    std::optional<bool> next = constantTruth(outputs->front());
    if (!next)
      return b.error() << "expected the condition that its body returns ('"
                       << body.outputName(0)
                       << "') to be a constant, but it is computed at run time";
    condition = *next;
  }
  auto rest = ArrayRef(*outputs).drop_front();
  carried.assign(rest.begin(), rest.begin() + numCarried);
  for (auto [list, value] :
       llvm::zip_equal(scanned, rest.drop_front(numCarried)))
    list.push_back(value);
  return success();
}

FailureOr<ImportedValues> LoopImporter::results() {
  ImportedValues values = carried;
  for (size_t i = 0; i < scanned.size(); ++i) {
    bool isUsed = b.isOutputUsed(values.size());
    if (isUsed && scanned[i].empty())
      return b.error() << "without iterations, output " << values.size()
                       << " has no elements";
    values.push_back({{}, isUsed ? stack(b, scanned[i], /*axis=*/0) : Value()});
    if (b.failed())
      return failure();
  }
  return values;
}

LogicalResult LoopImporter::run() {
  if (failed(readBounds()))
    return failure();
  for (size_t i = 0; i < numCarried; ++i) {
    const ImportedValue *value = b.imported(2 + i);
    if (!value)
      return failure();
    carried.push_back(*value);
  }
  scanned.resize(body.numOutputs() - 1 - numCarried);
  for (int64_t i = 0; condition && i != trips; ++i)
    if (failed(iterate(i)))
      return failure();
  FailureOr<ImportedValues> values = results();
  return failed(values) ? failure() : bindResults(b, *values);
}
} // namespace

static LogicalResult importLoop(NodeBinder &b) { return LoopImporter(b).run(); }

void registerControlFlow(HandlerTable &table) {
  table.add("If",
            {Place::Folded, "constant condition: the branch taken; else both "
                            "branches, with results of equal shape"},
            {{1, importIf}});
  table.add("Loop",
            {Place::Folded, "unrolled, with functions to 100,000 nodes; "
                            "constant trip count and conditions"},
            {{1, importLoop}});
}

} // namespace cim::onnx
