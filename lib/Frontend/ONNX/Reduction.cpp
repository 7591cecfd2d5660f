// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Reductions.
#include "NodeBinder.h"

using namespace mlir;

namespace cim::onnx {

/// Without axes all dimensions are reduced.
static LogicalResult reduceMean(NodeBinder &b, ArrayRef<int64_t> axes) {
  int64_t rank = b.shape(0).size();
  bool keepDims = b.getBool("keepdims", true);
  SmallVector<int64_t> sorted = b.normalizeAxes(axes, rank);
  if (axes.empty())
    sorted = llvm::to_vector(llvm::seq<int64_t>(0, rank));
  llvm::sort(sorted);
  Value input = b.floatInput(0);
  return b.result(b.create<nn::ReduceMeanOp>(input, sorted, keepDims));
}

static LogicalResult importReduceMeanAttributes(NodeBinder &b) {
  return reduceMean(b, b.getInts("axes").value_or(SmallVector<int64_t>()));
}

static LogicalResult importReduceMean(NodeBinder &b) {
  SmallVector<int64_t> axes;
  if (b.hasInput(1))
    axes = b.constantInts(1, "axes");
  bool keepAll = b.getBool("noop_with_empty_axes", false);
  if (!b.failed() && axes.empty() && keepAll) {
    b.ignore({"keepdims"});
    return b.forward(0);
  }
  return reduceMean(b, axes);
}

void registerReduction(HandlerTable &table) {
  table.add("ReduceMean", {Place::Digital, "constant axes, float"},
            {{1, importReduceMeanAttributes}, {18, importReduceMean}});
}

} // namespace cim::onnx
