// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Pooling ops of the nn dialect.
#include "Inference.h"

using namespace mlir;
using namespace cim::nn;

template <typename Adaptor>
static LogicalResult inferPool(std::optional<Location> location,
                               Adaptor adaptor, SmallVectorImpl<Type> &types) {
  auto input = cast<ShapedType>(adaptor.getInput().getType());
  if (input.getRank() < 3)
    return inferenceError(location,
                          "expected an input of rank 3 or more (N x C x "
                          "spatial), but got rank ",
                          input.getRank());
  size_t spatial = input.getRank() - 2;
  ArrayRef<int64_t> kernel = adaptor.getKernel(), pads = adaptor.getPads();
  if (failed(checkLength(location, "kernel", kernel, spatial)) ||
      failed(checkLength(location, "strides", adaptor.getStrides(), spatial)) ||
      failed(checkLength(location, "dilations", adaptor.getDilations(),
                         spatial)) ||
      failed(checkLength(location, "pads", pads, 2 * spatial)))
    return failure();
  SmallVector<int64_t> shape(input.getShape().take_front(2));
  for (size_t i = 0; i < spatial; ++i) {
    if (pads[i] >= (kernel[i] - 1) * adaptor.getDilations()[i] + 1 ||
        pads[spatial + i] >= (kernel[i] - 1) * adaptor.getDilations()[i] + 1)
      return inferenceError(location,
                            "expected pads smaller than the window, "
                            "but got ",
                            std::max(pads[i], pads[spatial + i]),
                            " for a window of ", kernel[i]);
    FailureOr<int64_t> extent =
        inferWindowExtent(location, input.getDimSize(2 + i), kernel[i],
                          adaptor.getStrides()[i], adaptor.getDilations()[i],
                          pads[i], pads[spatial + i], adaptor.getCeilMode());
    if (failed(extent))
      return failure();
    shape.push_back(*extent);
  }
  types.push_back(RankedTensorType::get(shape, input.getElementType()));
  return success();
}

LogicalResult MaxPoolOp::inferReturnTypes(MLIRContext *,
                                          std::optional<Location> location,
                                          Adaptor adaptor,
                                          SmallVectorImpl<Type> &types) {
  return inferPool(location, adaptor, types);
}

LogicalResult AvgPoolOp::inferReturnTypes(MLIRContext *,
                                          std::optional<Location> location,
                                          Adaptor adaptor,
                                          SmallVectorImpl<Type> &types) {
  return inferPool(location, adaptor, types);
}

SmallVector<int64_t> AvgPoolOp::countAlong(size_t dim) {
  int64_t padding = getPads()[dim];
  int64_t begin = 0, end = shapeOf(getInput())[2 + dim];
  if (getCountIncludePad()) {
    begin -= padding;
    end += getPads()[getKernel().size() + dim];
  }
  SmallVector<int64_t> counts(shapeOf(getResult())[2 + dim], 0);
  for (auto [window, count] : llvm::enumerate(counts))
    for (int64_t tap = 0; tap < getKernel()[dim]; ++tap) {
      int64_t at = int64_t(window) * getStrides()[dim] +
                   tap * getDilations()[dim] - padding;
      count += at >= begin && at < end;
    }
  return counts;
}
