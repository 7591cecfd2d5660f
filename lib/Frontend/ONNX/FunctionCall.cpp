// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Inputs, attributes and outputs of a call; recursion and growth are refused.
#include "FunctionCall.h"
#include "GraphImporter.h"
#include "NodeBinder.h"

using namespace mlir;

namespace cim::onnx {

namespace {
class Call {
public:
  Call(ImportState &state, const Node &node, const Function &function)
      : state(state), node(node), function(function), binder(state, node) {}

  LogicalResult run();

private:
  LogicalResult check();
  LogicalResult bindAttributes();
  SmallVector<ImportedValue> bindInputs();

  ImportState &state;
  const Node &node;
  const Function &function;
  NodeBinder binder;
  llvm::StringMap<const Attribute *> attributes;
};

LogicalResult Call::check() {
  if (llvm::is_contained(state.calls, &function))
    return binder.error() << "function '" << function.name
                          << "' calls itself, expected no recursion";
  auto opset = function.opsets.find("");
  if (opset != function.opsets.end() && !isSupportedOpset(opset->second))
    return binder.error() << "function '" << function.name << "' has opset "
                          << opset->second << ", expected " << kOldestOpset
                          << " to " << kNewestOpset;
  size_t inputs = function.body.inputs.size();
  size_t outputs = function.body.outputs.size();
  if (node.inputs.size() > inputs || node.outputs.size() > outputs)
    return binder.error() << "function '" << function.name << "' has " << inputs
                          << " inputs and " << outputs
                          << " outputs, but the node has " << node.inputs.size()
                          << " and " << node.outputs.size();
  return binder.checkUnrolling(function.body.nodes.size());
}

LogicalResult Call::bindAttributes() {
  for (const Attribute &byDefault : function.defaults)
    attributes[byDefault.name] = &byDefault;
  for (const Attribute &attribute : node.attributes) {
    if (!attributes.contains(attribute.name) &&
        !llvm::is_contained(function.attributes, attribute.name))
      continue;
    // Read through the binder: what is left over is warned of.
    const Attribute *given = binder.getAttribute(attribute.name);
    if (!given)
      continue;
    // It would read values of the caller from within the function.
    if (given->graph)
      return binder.error()
             << "attribute '" << attribute.name << "' of function '"
             << function.name << "' is a graph, which is not supported";
    attributes[attribute.name] = given;
  }
  binder.warnOfUnreadAttributes();
  return success();
}

SmallVector<ImportedValue> Call::bindInputs() {
  SmallVector<ImportedValue> inputs;
  for (size_t i = 0; i < function.body.inputs.size(); ++i)
    if (i < node.inputs.size() && !node.inputs[i].empty())
      inputs.push_back(*state.find(node.inputs[i]));
    else
      inputs.emplace_back().isOmitted = true;
  return inputs;
}

LogicalResult Call::run() {
  if (failed(check()) || failed(bindAttributes()))
    return failure();
  GraphImporter body(state, function.body);
  if (failed(body.prepare(binder.loc(), function.opsets, nullptr, &attributes)))
    return failure();
  state.calls.push_back(&function);
  SmallVector<ImportedValue> outputs =
      body.run(bindInputs(), binder.label() + "/");
  state.calls.pop_back();
  for (auto [name, value] : llvm::zip(node.outputs, outputs))
    if (!name.empty())
      state.bind(name, value);
  return success();
}
} // namespace

LogicalResult callFunction(ImportState &state, const Node &node,
                           const Function &function) {
  LogicalResult result = Call(state, node, function).run();
  if (failed(result))
    state.refused.insert(&node);
  return result;
}

} // namespace cim::onnx
