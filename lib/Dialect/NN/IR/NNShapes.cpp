// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Shape and data movement ops of the nn dialect.
#include "Inference.h"

using namespace mlir;
using namespace cim::nn;

LogicalResult ReshapeOp::verify() {
  ShapedType from = getInput().getType(), to = getType();
  if (from.getElementType() != to.getElementType())
    return emitOpError("expects a result of ")
           << from.getElementType() << ", but got " << to.getElementType();
  if (from.getNumElements() != to.getNumElements())
    return emitOpError("expects a result of ")
           << from.getNumElements() << " elements, but got [" << to.getShape()
           << "]";
  return checkMovable(getLoc(), from);
}

OpFoldResult ReshapeOp::fold(FoldAdaptor) {
  if (getInput().getType() == getType())
    return getInput();
  if (auto producer = getInput().getDefiningOp<ReshapeOp>()) {
    getInputMutable().assign(producer.getInput());
    return getResult();
  }
  return {};
}

LogicalResult TransposeOp::inferReturnTypes(MLIRContext *,
                                            std::optional<Location> location,
                                            Adaptor adaptor,
                                            SmallVectorImpl<Type> &types) {
  auto input = cast<ShapedType>(adaptor.getInput().getType());
  ArrayRef<int64_t> permutation = adaptor.getPermutation();
  SmallVector<int64_t> sorted(permutation);
  llvm::sort(sorted);
  if (!llvm::equal(sorted, llvm::seq<int64_t>(0, input.getRank())))
    return inferenceError(location, "expected a permutation of ",
                          input.getRank(), " dimensions, but got [",
                          permutation, "]");
  if (failed(checkMovable(location, input)))
    return failure();
  SmallVector<int64_t> shape;
  for (int64_t dim : permutation)
    shape.push_back(input.getDimSize(dim));
  types.push_back(RankedTensorType::get(shape, input.getElementType()));
  return success();
}

OpFoldResult TransposeOp::fold(FoldAdaptor) {
  ArrayRef<int64_t> permutation = getPermutation();
  if (llvm::is_sorted(permutation))
    return getInput();
  auto producer = getInput().getDefiningOp<TransposeOp>();
  if (!producer)
    return {};
  SmallVector<int64_t> composed;
  for (int64_t dim : permutation)
    composed.push_back(producer.getPermutation()[dim]);
  setPermutation(composed);
  getInputMutable().assign(producer.getInput());
  return getResult();
}

LogicalResult ConcatOp::inferReturnTypes(MLIRContext *,
                                         std::optional<Location> location,
                                         Adaptor adaptor,
                                         SmallVectorImpl<Type> &types) {
  if (adaptor.getInputs().empty())
    return inferenceError(location, "expected at least one operand");
  auto first = cast<ShapedType>(adaptor.getInputs()[0].getType());
  int64_t axis = adaptor.getAxis();
  if (axis < 0 || axis >= first.getRank())
    return inferenceError(location, "expected an axis in [0, ", first.getRank(),
                          "), but got ", axis);
  SmallVector<int64_t> shape(first.getShape());
  shape[axis] = 0;
  for (Value input : adaptor.getInputs()) {
    auto type = cast<ShapedType>(input.getType());
    if (type.getElementType() != first.getElementType())
      return inferenceError(location, "expected operands of ",
                            first.getElementType(), ", but got ",
                            type.getElementType());
    SmallVector<int64_t> expected(first.getShape());
    if (type.getRank() == first.getRank())
      expected[axis] = type.getDimSize(axis);
    if (type.getShape() != ArrayRef<int64_t>(expected))
      return inferenceError(location,
                            "expected operands that differ only in "
                            "dimension ",
                            axis, ", but got [", first.getShape(), "] and [",
                            type.getShape(), "]");
    shape[axis] += type.getDimSize(axis);
  }
  if (failed(checkMovable(location, first)))
    return failure();
  types.push_back(RankedTensorType::get(shape, first.getElementType()));
  return success();
}

LogicalResult PadOp::inferReturnTypes(MLIRContext *,
                                      std::optional<Location> location,
                                      Adaptor adaptor,
                                      SmallVectorImpl<Type> &types) {
  auto input = cast<ShapedType>(adaptor.getInput().getType());
  size_t rank = input.getRank();
  ArrayRef<int64_t> pads = adaptor.getPads();
  if (failed(checkLength(location, "pads", pads, 2 * rank)) ||
      failed(checkMovable(location, input)))
    return failure();
  SmallVector<int64_t> shape(input.getShape());
  for (size_t i = 0; i < rank; ++i) {
    if (pads[i] < 0 || pads[rank + i] < 0)
      return inferenceError(location, "expected pads of at least 0, but got ",
                            std::min(pads[i], pads[rank + i]));
    shape[i] += pads[i] + pads[rank + i];
  }
  types.push_back(RankedTensorType::get(shape, input.getElementType()));
  return success();
}

LogicalResult SliceOp::inferReturnTypes(MLIRContext *,
                                        std::optional<Location> location,
                                        Adaptor adaptor,
                                        SmallVectorImpl<Type> &types) {
  auto input = cast<ShapedType>(adaptor.getInput().getType());
  size_t rank = input.getRank();
  ArrayRef<int64_t> starts = adaptor.getStarts(), sizes = adaptor.getSizes(),
                    steps = adaptor.getSteps();
  if (failed(checkLength(location, "starts", starts, rank)) ||
      failed(checkLength(location, "sizes", sizes, rank)) ||
      failed(checkLength(location, "steps", steps, rank)) ||
      failed(checkMovable(location, input)))
    return failure();
  for (size_t i = 0; i < rank; ++i) {
    int64_t extent = input.getDimSize(i);
    if (sizes[i] == 0 && starts[i] >= 0 && starts[i] <= extent)
      continue;
    bool bounded = starts[i] >= 0 && starts[i] < extent && sizes[i] >= 1 &&
                   sizes[i] <= extent && steps[i] != 0 &&
                   std::abs(steps[i]) <= std::max<int64_t>(extent, 1);
    int64_t last = bounded ? starts[i] + (sizes[i] - 1) * steps[i] : -1;
    if (last < 0 || last >= extent)
      return inferenceError(location, "slice of ", sizes[i], " elements from ",
                            starts[i], " in steps of ", steps[i],
                            " leaves dimension ", i, " of extent ", extent);
  }
  types.push_back(RankedTensorType::get(sizes, input.getElementType()));
  return success();
}
