// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What becomes of a dimension where data moves.
#include "MovedAxis.h"

using namespace mlir;

namespace cim::nn {

static MovedAxis unchanged(int64_t dim, int64_t extent) {
  return {dim, llvm::to_vector(llvm::seq<int64_t>(0, extent))};
}

/// Row-major order under another shape: the dimension may have been joined with
/// others.
static std::optional<MovedAxis>
reshapedAxis(ArrayRef<int64_t> from, ArrayRef<int64_t> to, int64_t axis) {
  if (llvm::is_contained(from, 0))
    return std::nullopt;
  int64_t extent = from[axis],
          inner = llvm::product_of(from.drop_front(axis + 1));
  for (int64_t dim = 0, rank = to.size(); dim < rank; ++dim) {
    int64_t step = llvm::product_of(to.drop_front(dim + 1));
    if (inner % step != 0 || to[dim] * step % (extent * inner) != 0)
      continue;
    MovedAxis result;
    result.dim = dim;
    for (int64_t i = 0; i < to[dim]; ++i)
      result.origin.push_back(i * step / inner % extent);
    return result;
  }
  return std::nullopt;
}

std::optional<MovedAxis> followAxis(Operation *op, int64_t axis) {
  ArrayRef<int64_t> from = shapeOf(op->getOperand(0)),
                    to = shapeOf(op->getResult(0));
  if (isa<ReshapeOp>(op))
    return reshapedAxis(from, to, axis);
  if (auto transpose = dyn_cast<TransposeOp>(op)) {
    ArrayRef<int64_t> permutation = transpose.getPermutation();
    return unchanged(llvm::find(permutation, axis) - permutation.begin(),
                     from[axis]);
  }
  if (isa<PadOp>(op)) {
    if (to[axis] != from[axis])
      return std::nullopt;
    return unchanged(axis, from[axis]);
  }
  auto slice = cast<SliceOp>(op);
  MovedAxis result{axis, {}};
  for (int64_t i = 0; i < to[axis]; ++i)
    result.origin.push_back(slice.getStarts()[axis] +
                            i * slice.getSteps()[axis]);
  return result;
}

std::optional<MovedAxis> traceAxis(Operation *op, int64_t axis) {
  ArrayRef<int64_t> from = shapeOf(op->getOperand(0)),
                    to = shapeOf(op->getResult(0));
  if (isa<ReshapeOp>(op))
    return reshapedAxis(to, from, axis);
  if (auto transpose = dyn_cast<TransposeOp>(op))
    return unchanged(transpose.getPermutation()[axis], to[axis]);
  auto slice = cast<SliceOp>(op);
  if (to[axis] != from[axis] || slice.getSteps()[axis] < 0)
    return std::nullopt;
  return unchanged(axis, to[axis]);
}

} // namespace cim::nn
