// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Reductions along dimensions.
#include "Inference.h"

using namespace mlir;
using namespace cim::nn;

LogicalResult ReduceOp::inferReturnTypes(MLIRContext *,
                                         std::optional<Location> location,
                                         Adaptor adaptor,
                                         SmallVectorImpl<Type> &types) {
  auto input = cast<ShapedType>(adaptor.getInput().getType());
  ArrayRef<int64_t> axes = adaptor.getAxes();
  for (size_t i = 0; i < axes.size(); ++i)
    if (axes[i] < 0 || axes[i] >= input.getRank() ||
        (i > 0 && axes[i] <= axes[i - 1]))
      return inferenceError(location, "expected increasing axes in [0, ",
                            input.getRank(), "), but got [", axes, "]");
  if (adaptor.getKind() == Reduction::Mean && !input.getElementType().isF32())
    return inferenceError(location, "expected a mean of floats, but got ",
                          input.getElementType());
  SmallVector<int64_t> shape;
  for (int64_t dim = 0; dim < input.getRank(); ++dim) {
    if (!llvm::is_contained(axes, dim))
      shape.push_back(input.getDimSize(dim));
    else if (adaptor.getKeepDims())
      shape.push_back(1);
  }
  types.push_back(RankedTensorType::get(shape, input.getElementType()));
  return success();
}

LogicalResult TopKOp::inferReturnTypes(MLIRContext *context,
                                       std::optional<Location> location,
                                       Adaptor adaptor,
                                       SmallVectorImpl<Type> &types) {
  auto input = cast<RankedTensorType>(adaptor.getInput().getType());
  int64_t k = adaptor.getK();
  if (input.getRank() == 0 || k < 1 || k > input.getShape().back())
    return inferenceError(
        location, "expected k of at least 1 and at most the last extent of [",
        input.getShape(), "], but got ", k);
  SmallVector<int64_t> shape(input.getShape());
  shape.back() = k;
  types.push_back(input.clone(shape));
  types.push_back(RankedTensorType::get(shape, IntegerType::get(context, 64)));
  return success();
}

LogicalResult SoftmaxOp::verify() {
  int64_t rank = getType().getRank();
  int64_t axis = getAxis();
  if (axis < 0 || axis >= rank)
    return emitOpError("expects an axis in [0, ")
           << rank << "), but got " << axis;
  return success();
}
