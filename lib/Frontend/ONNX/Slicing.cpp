// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Operators that take tensors apart and put them together.
#include "NodeBinder.h"

using namespace mlir;

namespace cim::onnx {

/// What nn.slice takes: one entry a dimension.
struct SliceBounds {
  SmallVector<int64_t> starts, sizes, steps;

  explicit SliceBounds(ArrayRef<int64_t> shape)
      : starts(shape.size(), 0), sizes(shape), steps(shape.size(), 1) {}
};

//===----------------------------------------------------------------------===//
// Slice
//===----------------------------------------------------------------------===//

/// ONNX Slice: negative positions count from the end, all are clamped to the
/// dimension, `end` is exclusive.
static void sliceDim(SliceBounds &bounds, int64_t dim, int64_t start,
                     int64_t end, int64_t step) {
  int64_t extent = bounds.sizes[dim];
  int64_t lowest = step > 0 ? 0 : -1, highest = step > 0 ? extent : extent - 1;
  start = std::clamp<int64_t>(start < 0 ? start + extent : start, 0, highest);
  end = std::clamp<int64_t>(end < 0 ? end + extent : end, lowest, highest);
  int64_t span = step > 0 ? end - start : start - end;
  // Negating the smallest integer would overflow; no span is as long.
  uint64_t stride = step > 0 ? step : -static_cast<uint64_t>(step);
  int64_t size = span <= 0 ? 0 : 1 + static_cast<uint64_t>(span - 1) / stride;
  bounds.starts[dim] = start;
  bounds.sizes[dim] = size;
  bounds.steps[dim] = size <= 1 ? 1 : step;
}

static LogicalResult importSliceOf(NodeBinder &b, ArrayRef<int64_t> starts,
                                   ArrayRef<int64_t> ends,
                                   std::optional<SmallVector<int64_t>> axes,
                                   std::optional<SmallVector<int64_t>> steps) {
  SmallVector<int64_t> shape = b.shape(0);
  SmallVector<int64_t> given =
      axes.value_or(llvm::to_vector(llvm::seq<int64_t>(0, starts.size())));
  SmallVector<int64_t> stride =
      steps.value_or(SmallVector<int64_t>(starts.size(), 1));
  if (!b.failed() &&
      (ends.size() != starts.size() || given.size() != starts.size() ||
       stride.size() != starts.size()))
    b.error() << "expected starts, ends, axes and steps of one length, but got "
              << starts.size() << ", " << ends.size() << ", " << given.size()
              << " and " << stride.size();
  SmallVector<int64_t> dims = b.normalizeAxes(given, shape.size());
  if (llvm::is_contained(stride, 0))
    b.error() << "expected steps other than 0";
  if (b.failed())
    return failure();
  SliceBounds bounds(shape);
  for (auto [i, dim] : llvm::enumerate(dims))
    sliceDim(bounds, dim, starts[i], ends[i], stride[i]);
  return b.result(b.create<nn::SliceOp>(b.input(0), bounds.starts, bounds.sizes,
                                        bounds.steps));
}

static LogicalResult importSliceAttributes(NodeBinder &b) {
  std::optional<SmallVector<int64_t>> starts = b.getInts("starts"),
                                      ends = b.getInts("ends");
  if (!starts || !ends)
    return b.error() << "expected the attributes 'starts' and 'ends'";
  return importSliceOf(b, *starts, *ends, b.getInts("axes"), std::nullopt);
}

static LogicalResult importSlice(NodeBinder &b) {
  std::optional<SmallVector<int64_t>> axes, steps;
  SmallVector<int64_t> starts = b.constantInts(1, "starts"),
                       ends = b.constantInts(2, "ends");
  if (b.hasInput(3))
    axes = b.constantInts(3, "axes");
  if (b.hasInput(4))
    steps = b.constantInts(4, "steps");
  return importSliceOf(b, starts, ends, axes, steps);
}

//===----------------------------------------------------------------------===//
// Split
//===----------------------------------------------------------------------===//

/// Consecutive slices of the given sizes.
static LogicalResult splitInto(NodeBinder &b, int64_t axis,
                               ArrayRef<int64_t> sizes) {
  SmallVector<int64_t> shape = b.shape(0);
  Value input = b.input(0);
  if (b.failed())
    return failure();
  if (sizes.size() != b.numOutputs())
    return b.error() << "expected one size for each of " << b.numOutputs()
                     << " outputs, but got " << sizes.size();
  SliceBounds bounds(shape);
  for (auto [index, size] : llvm::enumerate(sizes)) {
    if (size < 0 || size > shape[axis] - bounds.starts[axis])
      return b.error() << "expected sizes that add up to the " << shape[axis]
                       << " elements of dimension " << axis << ", but got "
                       << shapeText(sizes);
    bounds.sizes[axis] = size;
    if (b.hasOutput(index) &&
        failed(b.result(b.create<nn::SliceOp>(input, bounds.starts,
                                              bounds.sizes, bounds.steps),
                        index)))
      return failure();
    bounds.starts[axis] += size;
  }
  return success();
}

/// As many parts as `count`, the last one smaller where they are not even.
static SmallVector<int64_t> evenParts(int64_t extent, int64_t count) {
  int64_t part = llvm::divideCeil(extent, count);
  SmallVector<int64_t> sizes;
  for (; count > 0; --count, extent -= sizes.back())
    sizes.push_back(std::min(part, extent));
  return sizes;
}

static LogicalResult splitEvenly(NodeBinder &b, int64_t axis) {
  SmallVector<int64_t> shape = b.shape(0);
  int64_t count = b.numOutputs();
  if (b.failed())
    return failure();
  if (count == 0 || shape[axis] % count != 0)
    return b.error() << "expected the " << shape[axis]
                     << " elements of dimension " << axis
                     << " to be a multiple of the " << count << " outputs";
  return splitInto(b, axis, evenParts(shape[axis], count));
}

static LogicalResult importSplitAttributes(NodeBinder &b) {
  int64_t axis = b.normalizeAxis(b.getInt("axis", 0), b.shape(0).size());
  if (std::optional<SmallVector<int64_t>> sizes = b.getInts("split"))
    return splitInto(b, axis, *sizes);
  return splitEvenly(b, axis);
}

static LogicalResult importSplit(NodeBinder &b) {
  SmallVector<int64_t> shape = b.shape(0);
  int64_t axis = b.normalizeAxis(b.getInt("axis", 0), shape.size());
  int64_t count = b.getInt("num_outputs", 0);
  if (b.hasInput(1))
    return splitInto(b, axis, b.constantInts(1, "split"));
  if (count == 0)
    return splitEvenly(b, axis);
  if (!b.failed() && count != int64_t(b.numOutputs()))
    b.error() << "expected 'num_outputs' to be the " << b.numOutputs()
              << " outputs, but got " << count;
  return b.failed() ? failure()
                    : splitInto(b, axis, evenParts(shape[axis], count));
}

//===----------------------------------------------------------------------===//
// Concat
//===----------------------------------------------------------------------===//

static LogicalResult importConcat(NodeBinder &b) {
  if (!b.getAttribute("axis"))
    return b.error() << "expected the attribute 'axis'";
  int64_t axis = b.normalizeAxis(b.getInt("axis", 0), b.shape(0).size());
  SmallVector<Value> operands;
  for (size_t i = 0; i < b.numInputs(); ++i)
    if (!llvm::is_contained(b.shape(i), 0))
      operands.push_back(b.input(i));
  if (operands.size() <= 1 && !b.failed())
    return operands.empty() ? b.forward(0) : b.result(operands.front());
  return b.result(b.create<nn::ConcatOp>(operands, axis));
}

void registerSlicing(HandlerTable &table) {
  table.add("Slice", {Place::Digital, "constant bounds"},
            {{1, importSliceAttributes}, {10, importSlice}});
  table.add("Split", {Place::Digital, "constant sizes"},
            {{2, importSplitAttributes}, {13, importSplit}});
  table.add("Concat", {Place::Digital, ""}, {{4, importConcat}});
}

} // namespace cim::onnx
