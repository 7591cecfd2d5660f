// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Calls a handler per node.
#include "GraphImporter.h"
#include "NodeBinder.h"

using namespace mlir;

namespace cim::onnx {

LogicalResult GraphImporter::prepare(Scope *around, const Opsets &opsets,
                                     Location loc) {
  FailureOr<OrderedNodes> live =
      orderLiveNodes(graph, loc, /*isSubgraph=*/around != nullptr);
  if (failed(live))
    return failure();
  order = std::move(*live);
  constants.parent = around;
  constants.opsets = &opsets;
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
  for (auto [info, value] : llvm::zip(graph.inputs, inputs))
    state.bind(info.name, value);
  for (const Node *node : order.nodes)
    importNode(*node);
  SmallVector<ImportedValue> outputs;
  for (const ValueInfo &output : graph.outputs) {
    ImportedValue *value = state.find(output.name);
    outputs.push_back(value ? *value : ImportedValue());
  }
  state.scope = around;
  return outputs;
}

/// Runs the handler; false when it refused the node.
static bool runHandler(ImportState &state, const Node &node, Handler handler) {
  NodeBinder binder(state, node);
  if (failed(handler(binder)) || binder.failed() ||
      failed(binder.checkOutputs()))
    return false;
  auto unread = binder.unreadAttributes();
  if (!unread.empty() && state.warned.insert(&node).second)
    for (StringRef name : unread)
      emitWarning(binder.loc())
          << node.op << " '" << binder.label() << "': attribute '" << name
          << "' is not known in opset " << binder.opset() << " and ignored";
  return true;
}

void GraphImporter::importNode(const Node &node) {
  int64_t opset = state.opset(node.domain);
  Handler handler = HandlerTable::get().lookup(operatorName(node), opset);
  if (!handler)
    state.errors.addOperator(node, state.scope->prefix + node.label(), opset);
  bool readsMissing = llvm::any_of(node.inputs, [&](const std::string &name) {
    return !name.empty() && state.find(name)->isMissing();
  });
  if (handler && !readsMissing && runHandler(state, node, handler))
    return;
  for (const std::string &output : node.outputs)
    if (!output.empty())
      state.bind(output, {});
}

} // namespace cim::onnx
