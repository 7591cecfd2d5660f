// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What the type inference functions of the nn dialect share.
#include "Inference.h"

using namespace mlir;

namespace cim::nn {

FailureOr<int64_t> inferWindowExtent(std::optional<Location> location,
                                     int64_t size, int64_t kernel,
                                     int64_t stride, int64_t dilation,
                                     int64_t padBegin, int64_t padEnd,
                                     bool ceilMode) {
  if (kernel < 1 || stride < 1 || dilation < 1)
    return inferenceError(location,
                          "expected kernel, strides and dilations of at least "
                          "1, but got ",
                          kernel, ", ", stride, " and ", dilation);
  if (padBegin < 0 || padEnd < 0)
    return inferenceError(location, "expected pads of at least 0, but got ",
                          padBegin, " and ", padEnd);
  constexpr int64_t limit = int64_t(1) << 31;
  if (kernel > limit || stride > limit || dilation > limit ||
      padBegin > limit || padEnd > limit)
    return inferenceError(location, "kernel, strides, dilations and pads must "
                                    "be below 2^31");
  int64_t room = size + padBegin + padEnd - ((kernel - 1) * dilation + 1);
  if (room < 0)
    return inferenceError(location, "a window of ", kernel,
                          " taps with dilation ", dilation,
                          " does not fit into ", size, " elements and pads ",
                          padBegin, " and ", padEnd);
  int64_t extent = room / stride + 1;
  // A window that starts in the padding after the end does not count (ONNX
  // Pool operators, ceil_mode).
  if (ceilMode && room % stride != 0 && extent * stride < size + padBegin)
    ++extent;
  return extent;
}

FailureOr<SmallVector<int64_t>> inferBroadcast(std::optional<Location> location,
                                               ArrayRef<int64_t> a,
                                               ArrayRef<int64_t> b) {
  SmallVector<int64_t> result(std::max(a.size(), b.size()));
  for (size_t i = 0; i < result.size(); ++i) {
    int64_t da = i < a.size() ? a[a.size() - 1 - i] : 1;
    int64_t db = i < b.size() ? b[b.size() - 1 - i] : 1;
    if (da != db && da != 1 && db != 1)
      return inferenceError(location, "shapes [", a, "] and [", b,
                            "] do not broadcast: ", da, " against ", db);
    result[result.size() - 1 - i] = da == 1 ? db : da;
  }
  return result;
}

LogicalResult checkLength(std::optional<Location> location, StringRef name,
                          ArrayRef<int64_t> values, size_t count) {
  if (values.size() == count)
    return success();
  return inferenceError(location, "expected ", count, " entries in '", name,
                        "', but got ", values.size());
}

LogicalResult checkMovable(std::optional<Location> location, ShapedType type) {
  if (!isa<quant::UniformQuantizedPerAxisType>(type.getElementType()))
    return success();
  return inferenceError(location,
                        "expected a tensor quantised with one scale, "
                        "but got ",
                        type.getElementType());
}

} // namespace cim::nn
