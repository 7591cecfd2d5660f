// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Calls a handler per node.
#include "GraphImporter.h"
#include "FunctionCall.h"
#include "NodeBinder.h"

using namespace mlir;

namespace cim::onnx {

LogicalResult
GraphImporter::prepare(Location loc, const Opsets &opsets, Scope *around,
                       const llvm::StringMap<const Attribute *> *attributes) {
  FailureOr<OrderedNodes> live =
      orderLiveNodes(graph, loc, /*isSubgraph=*/around != nullptr);
  if (failed(live))
    return failure();
  order = std::move(*live);
  constants.parent = around;
  constants.opsets = &opsets;
  constants.attributes = attributes;
  for (const HostTensor &tensor : graph.initializers)
    if (order.used.contains(tensor->name))
      constants.values[tensor->name].host = state.narrowed(tensor);
  return success();
}

SmallVector<ImportedValue> GraphImporter::run(ArrayRef<ImportedValue> inputs,
                                              std::string prefix) {
  Scope scope;
  scope.parent = &constants;
  scope.opsets = constants.opsets;
  scope.used = &order.used;
  scope.prefix = std::move(prefix);
  Scope *around = std::exchange(state.scope, &scope);
  ++state.depth;
  for (auto [info, value] : llvm::zip(graph.inputs, inputs))
    state.bind(info.name, value);
  for (const Node *node : order.nodes)
    importNode(*node);
  SmallVector<ImportedValue> outputs;
  for (const ValueInfo &output : graph.outputs) {
    ImportedValue *value = state.find(output.name);
    outputs.push_back(value ? *value : ImportedValue());
  }
  --state.depth;
  state.scope = around;
  return outputs;
}

/// Runs the handler; false when it refused the node.
static bool runHandler(ImportState &state, const Node &node, Handler handler) {
  NodeBinder binder(state, node);
  if (failed(handler(binder)) || binder.failed() ||
      failed(binder.checkOutputs())) {
    state.refused.insert(&node);
    return false;
  }
  binder.warnOfUnreadAttributes();
  return true;
}

/// Fails when the node is not imported, which has been reported.
LogicalResult GraphImporter::importUnlessRefused(const Node &node) {
  if (state.refused.contains(&node))
    return failure();
  std::string name = operatorName(node);
  int64_t opset = state.opset(node.domain);
  Handler handler = HandlerTable::get().lookup(name, opset);
  auto function = state.model.functions.find(name);
  if (!handler && function != state.model.functions.end())
    return callFunction(state, node, function->second);
  if (!handler)
    state.errors.addOperator(node, state.scope->prefix + node.label(), opset);
  bool readsMissing = llvm::any_of(node.inputs, [&](const std::string &input) {
    return !input.empty() && state.find(input)->isMissing();
  });
  return success(handler && !readsMissing && runHandler(state, node, handler));
}

void GraphImporter::importNode(const Node &node) {
  if (succeeded(importUnlessRefused(node)))
    return;
  for (const std::string &output : node.outputs)
    if (!output.empty())
      state.bind(output, {});
}

} // namespace cim::onnx
