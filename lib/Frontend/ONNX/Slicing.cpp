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

static LogicalResult emitSlice(NodeBinder &b, const SliceBounds &bounds) {
  HostTensor constant = b.host(0);
  if (!constant || !b.foldsOnHost())
    return b.result(b.create<nn::SliceOp>(b.input(0), bounds.starts,
                                          bounds.sizes, bounds.steps));
  SmallVector<int64_t> strides = rowMajorStrides(constant->dims);
  int64_t offset = 0;
  for (size_t dim = 0; dim < strides.size(); ++dim) {
    offset += bounds.starts[dim] * strides[dim];
    strides[dim] *= bounds.steps[dim];
  }
  return b.result(strided(*constant, bounds.sizes, offset, strides));
}

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
  return emitSlice(b, bounds);
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
// Gather
//===----------------------------------------------------------------------===//

/// A gather of constants by constants.
static LogicalResult foldGather(NodeBinder &b, const Tensor &data,
                                ArrayRef<int64_t> indexShape,
                                ArrayRef<int64_t> indices, int64_t axis) {
  ArrayRef<int64_t> dims = data.dims;
  SmallVector<int64_t> shape(dims.take_front(axis));
  llvm::append_range(shape, indexShape);
  llvm::append_range(shape, dims.drop_front(axis + 1));
  if (failed(b.checkFold(shape)))
    return failure();
  Tensor result;
  result.type = data.type;
  result.dims.assign(shape.begin(), shape.end());
  size_t chunk =
      llvm::product_of(dims.drop_front(axis + 1)) * elementBytes(data.type);
  for (int64_t outer = 0, count = llvm::product_of(dims.take_front(axis));
       outer < count; ++outer)
    for (int64_t index : indices)
      result.bytes.append(data.bytes, (outer * dims[axis] + index) * chunk,
                          chunk);
  return b.result(std::move(result));
}

/// A gather at run time by indices that are evenly spaced is a slice.
static LogicalResult gatherAsSlice(NodeBinder &b, ArrayRef<int64_t> indexShape,
                                   ArrayRef<int64_t> indices, int64_t axis) {
  int64_t step = indices.size() > 1 ? indices[1] - indices[0] : 1;
  bool even = step != 0 && !indices.empty() && indexShape.size() <= 1;
  for (size_t i = 1; i < indices.size(); ++i)
    even &= indices[i] - indices[i - 1] == step;
  if (!even)
    return b.error() << "expected one index or a list of evenly spaced ones, "
                        "but got indices of shape "
                     << shapeText(indexShape);
  SliceBounds bounds(b.shape(0));
  bounds.starts[axis] = indices.front();
  bounds.sizes[axis] = indices.size();
  bounds.steps[axis] = step;
  Value slice = b.create<nn::SliceOp>(b.input(0), bounds.starts, bounds.sizes,
                                      bounds.steps);
  SmallVector<int64_t> shape = bounds.sizes;
  if (indexShape.empty())
    shape.erase(shape.begin() + axis);
  return b.result(b.createReshape(slice, shape));
}

static LogicalResult importGather(NodeBinder &b) {
  SmallVector<int64_t> shape = b.shape(0), indexShape = b.shape(1);
  SmallVector<int64_t> indices = b.constantInts(1, "indices");
  int64_t axis = b.normalizeAxis(b.getInt("axis", 0), shape.size());
  if (b.failed())
    return failure();
  for (int64_t &index : indices) {
    if (index < -shape[axis] || index >= shape[axis])
      return b.error() << "expected indices in [" << -shape[axis] << ", "
                       << shape[axis] << "), but got " << index;
    index += index < 0 ? shape[axis] : 0;
  }
  // No nn op gathers, so constants of any size are gathered here.
  if (HostTensor constant = b.host(0))
    return foldGather(b, *constant, indexShape, indices, axis);
  return gatherAsSlice(b, indexShape, indices, axis);
}

//===----------------------------------------------------------------------===//
// Concat
//===----------------------------------------------------------------------===//

static LogicalResult foldConcat(NodeBinder &b, int64_t axis) {
  Tensor result;
  result.type = b.host(0)->type;
  result.dims = b.host(0)->dims;
  result.dims[axis] = 0;
  for (size_t i = 0; i < b.numInputs(); ++i) {
    const Tensor &part = *b.host(i);
    std::vector<int64_t> expected = result.dims;
    if (part.dims.size() == expected.size())
      expected[axis] = part.dims[axis];
    if (part.type != result.type || part.dims != expected)
      return b.error() << "expected operands that differ only in dimension "
                       << axis << ", but got " << shapeText(b.host(0)->dims)
                       << " and " << shapeText(part.dims);
    result.dims[axis] += part.dims[axis];
  }
  ArrayRef<int64_t> dims = result.dims;
  if (failed(b.checkFold(dims)))
    return failure();
  unsigned width = elementBytes(result.type);
  int64_t inner = llvm::product_of(dims.drop_front(axis + 1)) * width;
  for (int64_t outer = 0, count = llvm::product_of(dims.take_front(axis));
       outer < count; ++outer)
    for (size_t i = 0; i < b.numInputs(); ++i) {
      int64_t chunk = b.host(i)->dims[axis] * inner;
      result.bytes.append(b.host(i)->bytes, outer * chunk, chunk);
    }
  return b.result(std::move(result));
}

static LogicalResult importConcat(NodeBinder &b) {
  const Attribute *given = b.getAttribute("axis");
  if (!given)
    return b.error() << "expected the attribute 'axis'";
  int64_t axis = b.normalizeAxis(b.getInt("axis", 0), b.shape(0).size());
  if (b.failed())
    return failure();
  if (b.foldsOnHost())
    return foldConcat(b, axis);
  SmallVector<Value> operands;
  for (size_t i = 0; i < b.numInputs(); ++i)
    if (!llvm::is_contained(b.shape(i), 0))
      operands.push_back(b.input(i));
  if (b.failed())
    return failure();
  return b.result(b.create<nn::ConcatOp>(operands, axis));
}

//===----------------------------------------------------------------------===//
// Pad
//===----------------------------------------------------------------------===//

/// `pads` has all begins, then all ends, of every dimension. Negative ones cut.
static LogicalResult padBy(NodeBinder &b, ArrayRef<int64_t> pads, float value) {
  StringRef mode = b.getString("mode", "constant");
  SmallVector<int64_t> shape = b.shape(0);
  size_t rank = shape.size();
  if (b.failed())
    return failure();
  if (mode != "constant")
    return b.error() << "expected mode 'constant', but got '" << mode << "'";
  if (pads.size() != 2 * rank)
    return b.error() << "expected " << 2 * rank << " pads, but got "
                     << pads.size();
  SliceBounds cut(shape);
  SmallVector<int64_t> grow(2 * rank, 0);
  for (size_t dim = 0; dim < rank; ++dim) {
    for (int64_t pad : {pads[dim], pads[rank + dim]})
      if (pad < -shape[dim] || pad > (int64_t(1) << 31))
        return b.error() << "pad " << pad << " of dimension " << dim
                         << " does not fit extent " << shape[dim];
    cut.starts[dim] = std::max<int64_t>(0, -pads[dim]);
    cut.sizes[dim] += std::min<int64_t>(0, pads[dim]) +
                      std::min<int64_t>(0, pads[rank + dim]);
    grow[dim] = std::max<int64_t>(0, pads[dim]);
    grow[rank + dim] = std::max<int64_t>(0, pads[rank + dim]);
  }
  Value result = b.realInput(0);
  if (cut.sizes != shape)
    result = b.create<nn::SliceOp>(result, cut.starts, cut.sizes, cut.steps);
  if (llvm::any_of(grow, [](int64_t pad) { return pad != 0; }))
    result = b.create<nn::PadOp>(result, grow, llvm::APFloat(value));
  return b.result(result);
}

static LogicalResult importPadAttributes(NodeBinder &b) {
  std::optional<SmallVector<int64_t>> pads = b.getInts("pads");
  if (!pads)
    return b.error() << "expected the attribute 'pads'";
  return padBy(b, *pads, b.getFloat("value", 0.0f));
}

static LogicalResult importPad(NodeBinder &b) {
  SmallVector<int64_t> pads = b.constantInts(1, "pads");
  float value = b.hasInput(2) ? b.constantNumber(2, "constant_value") : 0.0f;
  if (!b.hasInput(3))
    return padBy(b, pads, value);
  size_t rank = b.shape(0).size();
  SmallVector<int64_t> axes = b.normalizeAxes(b.constantInts(3, "axes"), rank);
  if (!b.failed() && pads.size() != 2 * axes.size())
    b.error() << "expected " << 2 * axes.size() << " pads for " << axes.size()
              << " axes, but got " << pads.size();
  if (b.failed())
    return failure();
  SmallVector<int64_t> all(2 * rank, 0);
  for (auto [i, axis] : llvm::enumerate(axes)) {
    all[axis] = pads[i];
    all[rank + axis] = pads[axes.size() + i];
  }
  return padBy(b, all, value);
}

void registerSlicing(HandlerTable &table) {
  table.add("Slice", {Place::Digital, "constant bounds"},
            {{1, importSliceAttributes}, {10, importSlice}});
  table.add("Gather",
            {Place::Digital, "constant indices: any when the data is constant, "
                             "else one index or evenly spaced ones"},
            {{1, importGather}});
  table.add("Concat", {Place::Digital, ""}, {{4, importConcat}});
  table.add("Pad", {Place::Digital, "constant pads, mode constant, float"},
            {{2, importPadAttributes}, {11, importPad}});
}

} // namespace cim::onnx
