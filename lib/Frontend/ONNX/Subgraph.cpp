// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Subgraphs see the values of the graphs around them.
#include "Subgraph.h"

using namespace mlir;

namespace cim::onnx {

Subgraph::Subgraph(NodeBinder &binder, StringRef attribute, size_t inputs)
    : binder(binder), graph(binder.getGraph(attribute)) {
  if (!graph)
    return;
  if (graph->inputs.size() != inputs) {
    binder.error() << "expected '" << attribute << "' to have " << inputs
                   << " inputs, but it has " << graph->inputs.size();
    return;
  }
  ImportState &state = binder.importState();
  importer.emplace(state, *graph);
  if (failed(
          importer->prepare(binder.loc(), *state.scope->opsets, state.scope)))
    binder.giveUp();
}

FailureOr<ImportedValues> Subgraph::run(ArrayRef<ImportedValue> inputs,
                                        std::string iteration) {
  if (binder.failed() || failed(binder.checkUnrolling(graph->nodes.size())))
    return failure();
  ImportedValues outputs =
      importer->run(inputs, binder.label() + iteration + "/");
  if (llvm::any_of(outputs, std::mem_fn(&ImportedValue::isMissing))) {
    binder.giveUp();
    return failure();
  }
  return outputs;
}

Value stack(NodeBinder &b, MutableArrayRef<ImportedValue> parts, int64_t axis,
            bool reversed) {
  SmallVector<Value> values;
  for (ImportedValue &part : parts) {
    Value value = b.emit(part);
    if (!value)
      return {};
    auto shape = llvm::to_vector(cast<ShapedType>(value.getType()).getShape());
    axis = b.normalizeAxis(axis, shape.size() + 1);
    if (b.failed())
      return {};
    shape.insert(shape.begin() + axis, 1);
    values.push_back(b.createReshape(value, shape));
  }
  if (reversed)
    std::reverse(values.begin(), values.end());
  return b.create<nn::ConcatOp>(values, axis);
}

LogicalResult bindResults(NodeBinder &b, ArrayRef<ImportedValue> values) {
  if (values.size() < b.numOutputs())
    return b.error() << "expected at most " << values.size()
                     << " outputs, as the subgraph has them, but got "
                     << b.numOutputs();
  for (size_t i = 0; i < b.numOutputs(); ++i)
    if (failed(b.result(values[i], i)))
      return failure();
  return success();
}

} // namespace cim::onnx
