// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Windows of pools, tap by tap.
#include "PoolWindows.h"

using namespace mlir;

namespace cim::onnx {

/// Each tap of a window is a few ops.
static constexpr int64_t kMaxTaps = 1024;

Value padForWindows(NodeBinder &b, Value input, ArrayRef<int64_t> result,
                    const Window &window, float fill) {
  if (b.failed())
    return {};
  SmallVector<int64_t> shape = shapeOf(input), pads(2 * shape.size(), 0);
  for (size_t i = 0; i < window.kernel.size(); ++i) {
    int64_t reach = (result[2 + i] - 1) * window.strides[i] +
                    (window.kernel[i] - 1) * window.dilations[i] + 1;
    pads[2 + i] = window.pads[i];
    pads[shape.size() + 2 + i] =
        std::max<int64_t>(0, reach - shape[2 + i] - window.pads[i]);
  }
  return b.create<nn::PadOp>(input, pads, llvm::APFloat(fill));
}

/// Counts `index` up within `shape`; false after the last.
static bool next(SmallVectorImpl<int64_t> &index, ArrayRef<int64_t> shape) {
  for (size_t dim = shape.size(); dim-- > 0;) {
    if (++index[dim] < shape[dim])
      return true;
    index[dim] = 0;
  }
  return false;
}

namespace {
/// The taps of windows over the spatial dimensions of an operand.
struct Taps {
  SmallVector<int64_t> extents, results, strides;
  const Window &window;

  Taps(ArrayRef<int64_t> input, ArrayRef<int64_t> result, const Window &window,
       bool columnMajor)
      : extents(input.drop_front(2)), results(result.drop_front(2)),
        window(window) {
    strides = rowMajorStrides(extents);
    if (!columnMajor)
      return;
    SmallVector<int64_t> reversed(llvm::reverse(extents));
    strides = rowMajorStrides(reversed);
    std::reverse(strides.begin(), strides.end());
  }

  /// Where `tap` of each window lies in the operand; -1 in padding.
  SmallVector<int64_t> positions(ArrayRef<int64_t> tap) const {
    SmallVector<int64_t> all, at(results.size(), 0);
    do {
      int64_t position = 0;
      bool isInside = true;
      for (size_t i = 0; i < at.size(); ++i) {
        int64_t x = at[i] * window.strides[i] + tap[i] * window.dilations[i] -
                    window.pads[i];
        isInside &= x >= 0 && x < extents[i];
        position += x * strides[i];
      }
      all.push_back(isInside ? position : -1);
    } while (next(at, results));
    return all;
  }

  /// The operand's elements at `tap` of each window.
  Value elements(NodeBinder &b, Value padded, ArrayRef<int64_t> tap) const {
    SmallVector<int64_t> shape = shapeOf(padded), starts{0, 0}, steps{1, 1};
    if (b.failed())
      return {};
    SmallVector<int64_t> sizes{shape[0], shape[1]};
    llvm::append_range(sizes, results);
    llvm::append_range(steps, window.strides);
    for (auto [at, dilation] : llvm::zip_equal(tap, window.dilations))
      starts.push_back(at * dilation);
    return slice(b, padded, starts, sizes, steps);
  }
};
} // namespace

/// The position of the first element of each channel.
static Value channelOffsets(NodeBinder &b, ArrayRef<int64_t> shape) {
  SmallVector<int64_t> dims(shape.size(), 1), offsets;
  dims[0] = shape[0];
  dims[1] = shape[1];
  for (int64_t i = 0; i < shape[0] * shape[1]; ++i)
    offsets.push_back(i * llvm::product_of(shape.drop_front(2)));
  return b.createConstant(fromInts(DataType::Int64, dims, offsets));
}

Value largestPositions(NodeBinder &b, Value input, ArrayRef<int64_t> result,
                       const Window &window, bool columnMajor) {
  if (b.failed())
    return {};
  SmallVector<int64_t> shape = shapeOf(input);
  ArrayRef<int64_t> spatial = result.drop_front(2);
  if (llvm::product_of(window.kernel) > kMaxTaps) {
    b.error() << "expected windows of at most " << kMaxTaps
              << " elements for the positions of their maxima, but got "
              << shapeText(window.kernel);
    return {};
  }
  SmallVector<int64_t> tables{llvm::product_of(window.kernel)};
  llvm::append_range(tables, spatial);
  if (failed(b.reserve(tables)) || failed(b.reserve({shape[0], shape[1]})))
    return {};
  Taps taps(shape, result, window, columnMajor);
  // In float all of them can be padded and compared, and 8 bits are exact.
  auto type = cast<RankedTensorType>(input.getType());
  RankedTensorType floats = type.clone(Float32Type::get(b.context()));
  if (isa<quant::QuantizedType>(type.getElementType()))
    input = b.createTyped<nn::DequantizeOp>(floats, input);
  input = b.createCast(input, floats.getElementType());
  Value padded = padForWindows(b, input, result, window,
                               -std::numeric_limits<float>::infinity());
  SmallVector<int64_t> tap(window.kernel.size(), 0);
  SmallVector<int64_t> first = taps.positions(tap);
  Value largest = taps.elements(b, padded, tap), where;
  SmallVector<std::pair<Value, SmallVector<int64_t>>> rest;
  while (next(tap, window.kernel)) {
    SmallVector<int64_t> positions = taps.positions(tap);
    for (size_t i = 0; i < first.size(); ++i)
      first[i] = first[i] < 0 ? positions[i] : first[i];
    rest.emplace_back(taps.elements(b, padded, tap), std::move(positions));
  }
  auto table = [&](ArrayRef<int64_t> positions) {
    return b.createConstant(fromInts(DataType::Int64, spatial, positions));
  };
  // A window with nothing above -infinity has its first element.
  where = table(first);
  for (auto &[elements, positions] : rest) {
    Value isLarger =
        b.create<nn::CompareOp>(largest, elements, nn::Predicate::Less);
    largest = b.create<nn::SelectOp>(isLarger, elements, largest);
    where = b.create<nn::SelectOp>(isLarger, table(positions), where);
  }
  where = b.create<nn::AddOp>(where, channelOffsets(b, shape));
  return where;
}

} // namespace cim::onnx
