// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Producers, topological order and liveness of the nodes of a graph.
#include "GraphCheck.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/DenseSet.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringMap.h"

using namespace mlir;

namespace cim::onnx {

Location nodeLoc(Location fileLoc, const Node &node) {
  return NameLoc::get(StringAttr::get(fileLoc.getContext(), node.label()),
                      fileLoc);
}

namespace {
class Graph {
public:
  Graph(const Model &model, Location fileLoc)
      : model(model), fileLoc(fileLoc) {}

  LogicalResult findProducers();
  LogicalResult checkSources();
  FailureOr<SmallVector<const Node *>> order();

private:
  LogicalResult define(StringRef name, const Node *producer);
  LogicalResult visit(const Node *root);
  LogicalResult reportCycle(ArrayRef<const Node *> path, const Node *again);

  const Model &model;
  Location fileLoc;
  /// Producer of every value; null for graph inputs and initializers.
  llvm::StringMap<const Node *> producers;
  llvm::DenseSet<const Node *> done;
  SmallVector<const Node *> ordered;
};

LogicalResult Graph::define(StringRef name, const Node *producer) {
  if (producers.try_emplace(name, producer).second)
    return success();
  Location loc = producer ? nodeLoc(fileLoc, *producer) : fileLoc;
  return emitError(loc) << "value '" << name
                        << "' is defined twice, expected unique names";
}

LogicalResult Graph::findProducers() {
  for (const Tensor &initializer : model.initializers)
    if (failed(define(initializer.name, nullptr)))
      return failure();
  // Files of IR version 3 list initializers among the inputs too.
  llvm::StringMap<const Node *> initializers = producers;
  for (const ValueInfo &input : model.inputs)
    if (!initializers.contains(input.name) &&
        failed(define(input.name, nullptr)))
      return failure();
  for (const Node &node : model.nodes)
    for (const std::string &output : node.outputs)
      if (!output.empty() && failed(define(output, &node)))
        return failure();
  return success();
}

LogicalResult Graph::checkSources() {
  for (const Node &node : model.nodes)
    for (const std::string &input : node.inputs)
      if (!input.empty() && !producers.contains(input))
        return emitError(nodeLoc(fileLoc, node))
               << node.op << " '" << node.label() << "' reads '" << input
               << "', which no node, graph input or initializer defines";
  if (model.outputs.empty())
    return emitError(fileLoc) << "the graph has no outputs";
  for (const ValueInfo &output : model.outputs)
    if (!producers.contains(output.name))
      return emitError(fileLoc)
             << "graph output '" << output.name
             << "' is not defined by any node, graph input or initializer";
  return success();
}

LogicalResult Graph::reportCycle(ArrayRef<const Node *> path,
                                 const Node *again) {
  InFlightDiagnostic diagnostic = emitError(nodeLoc(fileLoc, *again));
  diagnostic << "the graph has a cycle, expected none: ";
  // The path leads from readers to producers; data flows the other way.
  const auto *start = llvm::find(path, again);
  for (const Node *node : llvm::reverse(llvm::make_range(start, path.end())))
    diagnostic << "'" << node->label() << "' -> ";
  return diagnostic << "'" << path.back()->label() << "'";
}

/// Depth-first, without recursion: graphs are thousands of nodes deep.
LogicalResult Graph::visit(const Node *root) {
  if (done.contains(root))
    return success();
  struct Frame {
    const Node *node;
    size_t nextInput = 0;
  };
  SmallVector<Frame> stack{{root}};
  llvm::DenseSet<const Node *> onStack{root};
  while (!stack.empty()) {
    Frame &frame = stack.back();
    if (frame.nextInput == frame.node->inputs.size()) {
      ordered.push_back(frame.node);
      done.insert(frame.node);
      onStack.erase(frame.node);
      stack.pop_back();
      continue;
    }
    const Node *producer =
        producers.lookup(frame.node->inputs[frame.nextInput++]);
    if (!producer || done.contains(producer))
      continue;
    if (!onStack.insert(producer).second) {
      auto path = llvm::map_to_vector(stack, [](Frame &f) { return f.node; });
      return reportCycle(path, producer);
    }
    stack.push_back({producer});
  }
  return success();
}

FailureOr<SmallVector<const Node *>> Graph::order() {
  for (const Node &node : model.nodes)
    if (failed(visit(&node)))
      return failure();
  llvm::DenseSet<const Node *> live;
  for (const ValueInfo &output : model.outputs)
    live.insert(producers.lookup(output.name));
  SmallVector<const Node *> result;
  for (const Node *node : llvm::reverse(ordered)) {
    if (!live.contains(node))
      continue;
    result.push_back(node);
    for (const std::string &input : node->inputs)
      live.insert(producers.lookup(input));
  }
  std::reverse(result.begin(), result.end());
  return result;
}
} // namespace

FailureOr<SmallVector<const Node *>> orderLiveNodes(const Model &model,
                                                    Location fileLoc) {
  Graph graph(model, fileLoc);
  if (failed(graph.findProducers()) || failed(graph.checkSources()))
    return failure();
  return graph.order();
}

} // namespace cim::onnx
