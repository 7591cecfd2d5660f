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

namespace {
/// What imports a node: one of both.
struct Operator {
  Handler handler = nullptr;
  const Function *function = nullptr;
  explicit operator bool() const { return handler || function; }
};
} // namespace

/// Handlers come first: they know the meaning, a function only the steps.
static Operator findOperator(const ImportState &state, const Node &node) {
  std::string name = operatorName(node);
  if (Handler handler =
          HandlerTable::get().lookup(name, state.opset(node.domain)))
    return {handler, nullptr};
  auto function = state.model.functions.find(name);
  if (function == state.model.functions.end())
    return {};
  return {nullptr, &function->second};
}

static void addOperator(ImportState &state, const Node &node,
                        const std::string &prefix) {
  if (state.refused.insert(&node).second)
    state.errors.addOperator(node, prefix + node.label(),
                             state.opset(node.domain));
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

/// Adds the operators without support in the subgraphs of a node that is not
/// imported itself.
static void addOperatorsWithin(ImportState &state, const Node &node,
                               const std::string &prefix) {
  for (const Attribute &attribute : node.attributes) {
    if (!attribute.graph)
      continue;
    for (const Node &inner : attribute.graph->nodes) {
      std::string label = prefix + node.label() + "/";
      addOperatorsWithin(state, inner, label);
      if (!findOperator(state, inner))
        addOperator(state, inner, label);
    }
  }
}

/// Fails when the node is not imported, which has been reported.
LogicalResult GraphImporter::importUnlessRefused(const Node &node) {
  if (state.refused.contains(&node))
    return failure();
  Operator op = findOperator(state, node);
  if (op.function)
    return callFunction(state, node, *op.function);
  if (!op)
    addOperator(state, node, state.scope->prefix);
  bool readsMissing = llvm::any_of(node.inputs, [&](const std::string &input) {
    return !input.empty() && state.find(input)->isMissing();
  });
  if (op && !readsMissing && runHandler(state, node, op.handler))
    return success();
  addOperatorsWithin(state, node, state.scope->prefix);
  return failure();
}

void GraphImporter::importNode(const Node &node) {
  if (succeeded(importUnlessRefused(node)))
    return;
  for (const std::string &output : node.outputs)
    if (!output.empty())
      state.bind(output, {});
}

} // namespace cim::onnx
