// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// nn.broadcast, nn.gather and nn.scatter: elements by their position.
#include "Inference.h"

using namespace mlir;
using namespace cim::nn;

LogicalResult BroadcastOp::verify() {
  ShapedType from = getInput().getType(), to = getType();
  if (from.getElementType() != to.getElementType())
    return emitOpError("expects a result of ")
           << from.getElementType() << ", but got " << to.getElementType();
  FailureOr<SmallVector<int64_t>> shape =
      inferBroadcast(getLoc(), from.getShape(), to.getShape());
  if (failed(shape) || failed(checkMovable(getLoc(), from)))
    return failure();
  if (ArrayRef<int64_t>(*shape) != to.getShape())
    return emitOpError("expects a result that [")
           << from.getShape() << "] broadcasts to, but got [" << to.getShape()
           << "]";
  return success();
}

OpFoldResult BroadcastOp::fold(FoldAdaptor) {
  return getInput().getType() == getType() ? getInput() : OpFoldResult();
}

/// The shape of `data` with dimension `axis` replaced by that of `indices`.
static FailureOr<SmallVector<int64_t>>
inferTaken(std::optional<Location> location, Value data, Value indices,
           int64_t axis) {
  auto type = cast<ShapedType>(data.getType());
  if (axis < 0 || axis >= type.getRank())
    return inferenceError(location, "expected an axis in [0, ", type.getRank(),
                          "), but got ", axis);
  if (failed(checkMovable(location, type)))
    return failure();
  SmallVector<int64_t> shape(type.getShape().take_front(axis));
  llvm::append_range(shape, cast<ShapedType>(indices.getType()).getShape());
  llvm::append_range(shape, type.getShape().drop_front(axis + 1));
  return shape;
}

LogicalResult GatherOp::inferReturnTypes(MLIRContext *,
                                         std::optional<Location> location,
                                         Adaptor adaptor,
                                         SmallVectorImpl<Type> &types) {
  auto data = cast<RankedTensorType>(adaptor.getData().getType());
  FailureOr<SmallVector<int64_t>> shape = inferTaken(
      location, adaptor.getData(), adaptor.getIndices(), adaptor.getAxis());
  if (failed(shape))
    return failure();
  if (data.getDimSize(adaptor.getAxis()) == 0 && !llvm::is_contained(*shape, 0))
    return inferenceError(location, "expected elements along axis ",
                          adaptor.getAxis(), ", but got [", data.getShape(),
                          "]");
  types.push_back(data.clone(*shape));
  return success();
}

LogicalResult ScatterOp::inferReturnTypes(MLIRContext *,
                                          std::optional<Location> location,
                                          Adaptor adaptor,
                                          SmallVectorImpl<Type> &types) {
  auto data = cast<RankedTensorType>(adaptor.getData().getType()),
       updates = cast<RankedTensorType>(adaptor.getUpdates().getType());
  FailureOr<SmallVector<int64_t>> shape = inferTaken(
      location, adaptor.getData(), adaptor.getIndices(), adaptor.getAxis());
  if (failed(shape))
    return failure();
  if (updates != data.clone(*shape))
    return inferenceError(location, "expected updates of type ",
                          data.clone(*shape), ", but got ", updates);
  if (data.getElementType().isInteger(1) &&
      adaptor.getCombine() != Combine::Set)
    return inferenceError(location, "expected numbers to combine, but got ",
                          data.getElementType());
  types.push_back(data);
  return success();
}
