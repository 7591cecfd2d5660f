// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Producers, topological order and liveness of the nodes of a graph.
#include "GraphCheck.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/DenseSet.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringMap.h"

using namespace mlir;

namespace cim::onnx {

namespace {
class Analysis {
public:
  Analysis(const Graph &graph, Location loc) : graph(graph), loc(loc) {}

  LogicalResult findProducers();
  LogicalResult checkSources();
  LogicalResult checkOutputs(bool isSubgraph);
  FailureOr<OrderedNodes> order();

private:
  LogicalResult define(StringRef name, const Node *producer);
  LogicalResult visit(const Node *root);
  LogicalResult checkSource(const Node &node, StringRef name, StringRef reader);
  Location nodeLoc(const Node &node) const {
    return NameLoc::get(StringAttr::get(loc.getContext(), node.label()), loc);
  }
  LogicalResult reportCycle(ArrayRef<const Node *> path, const Node *again);

  const Graph &graph;
  Location loc;
  /// Producer of every value; null for graph inputs and initializers.
  llvm::StringMap<const Node *> producers;
  llvm::DenseSet<const Node *> done;
  SmallVector<const Node *> ordered;
};

LogicalResult Analysis::define(StringRef name, const Node *producer) {
  if (producers.try_emplace(name, producer).second)
    return success();
  return emitError(producer ? nodeLoc(*producer) : loc)
         << "value '" << name << "' is defined twice, expected unique names";
}

LogicalResult Analysis::findProducers() {
  for (const HostTensor &initializer : graph.initializers)
    if (failed(define(initializer->name, nullptr)))
      return failure();
  for (const ValueInfo &input : graph.inputs)
    if (failed(define(input.name, nullptr)))
      return failure();
  for (const Node &node : graph.nodes)
    for (const std::string &output : node.outputs)
      if (!output.empty() && failed(define(output, &node)))
        return failure();
  return success();
}

LogicalResult Analysis::checkSource(const Node &node, StringRef name,
                                    StringRef reader) {
  if (name.empty() || producers.contains(name))
    return success();
  return emitError(nodeLoc(node))
         << reader << node.op << " '" << node.label() << "' reads '" << name
         << "', which no node, graph input or initializer defines";
}

LogicalResult Analysis::checkSources() {
  for (const Node &node : graph.nodes) {
    for (const std::string &input : node.inputs)
      if (failed(checkSource(node, input, "")))
        return failure();
    for (const std::string &input : node.captures)
      if (failed(checkSource(node, input, "a subgraph of ")))
        return failure();
  }
  return success();
}

LogicalResult Analysis::checkOutputs(bool isSubgraph) {
  if (graph.outputs.empty())
    return emitError(loc) << "the graph has no outputs";
  if (isSubgraph)
    return success();
  for (const ValueInfo &output : graph.outputs)
    if (!producers.contains(output.name))
      return emitError(loc)
             << "graph output '" << output.name
             << "' is not defined by any node, graph input or initializer";
  return success();
}

LogicalResult Analysis::reportCycle(ArrayRef<const Node *> path,
                                    const Node *again) {
  InFlightDiagnostic diagnostic = emitError(nodeLoc(*again));
  diagnostic << "the graph has a cycle, expected none: ";
  // The path leads from readers to producers; data flows the other way.
  const auto *start = llvm::find(path, again);
  for (const Node *node : llvm::reverse(llvm::make_range(start, path.end())))
    diagnostic << "'" << node->label() << "' -> ";
  return diagnostic << "'" << path.back()->label() << "'";
}

/// Depth-first, without recursion: graphs are thousands of nodes deep.
LogicalResult Analysis::visit(const Node *root) {
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
    const Node &node = *frame.node;
    size_t numInputs = node.inputs.size();
    if (frame.nextInput == numInputs + node.captures.size()) {
      ordered.push_back(frame.node);
      done.insert(frame.node);
      onStack.erase(frame.node);
      stack.pop_back();
      continue;
    }
    size_t next = frame.nextInput++;
    const Node *producer = producers.lookup(
        next < numInputs ? node.inputs[next] : node.captures[next - numInputs]);
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

FailureOr<OrderedNodes> Analysis::order() {
  for (const Node &node : graph.nodes)
    if (failed(visit(&node)))
      return failure();
  OrderedNodes result;
  llvm::DenseSet<const Node *> live;
  auto read = [&](StringRef name) {
    result.used.insert(name);
    live.insert(producers.lookup(name));
  };
  for (const ValueInfo &output : graph.outputs)
    read(output.name);
  for (const Node *node : llvm::reverse(ordered)) {
    if (!live.contains(node))
      continue;
    result.nodes.push_back(node);
    llvm::for_each(node->inputs, read);
    llvm::for_each(node->captures, read);
  }
  std::reverse(result.nodes.begin(), result.nodes.end());
  return result;
}
} // namespace

FailureOr<OrderedNodes> orderLiveNodes(const Graph &graph, Location loc,
                                       bool isSubgraph) {
  Analysis analysis(graph, loc);
  if (failed(analysis.findProducers()) ||
      (!isSubgraph && failed(analysis.checkSources())) ||
      failed(analysis.checkOutputs(isSubgraph)))
    return failure();
  return analysis.order();
}

} // namespace cim::onnx
