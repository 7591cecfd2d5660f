// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Window attributes with their defaults; auto_pad made explicit.
#include "Window.h"

using namespace mlir;

namespace cim::onnx {

/// Kernels, strides, dilations and pads beyond this are damage, and would
/// overflow what is computed from them.
static constexpr int64_t kLargest = int64_t(1) << 31;

static SmallVector<int64_t> readList(NodeBinder &binder, StringRef name,
                                     size_t count, int64_t byDefault,
                                     int64_t smallest) {
  SmallVector<int64_t> values =
      binder.getInts(name).value_or(SmallVector<int64_t>(count, byDefault));
  if (values.size() != count)
    binder.error() << "expected " << count << " entries in '" << name
                   << "', but got " << values.size();
  for (int64_t value : values)
    if (value < smallest || value > kLargest)
      binder.error() << "expected '" << name << "' of " << smallest << " to "
                     << kLargest << ", but got " << value;
  return values;
}

/// ONNX Conv and pools: SAME_* gives ceil(extent / stride) outputs, with the
/// odd element of padding at the end (UPPER) or the begin (LOWER).
static SmallVector<int64_t> samePads(ArrayRef<int64_t> spatial,
                                     const Window &window, bool upper) {
  size_t count = spatial.size();
  SmallVector<int64_t> pads(2 * count);
  for (size_t i = 0; i < count; ++i) {
    int64_t outputs = llvm::divideCeil(spatial[i], window.strides[i]);
    int64_t taps = (window.kernel[i] - 1) * window.dilations[i] + 1;
    int64_t total = std::max<int64_t>(0, (outputs - 1) * window.strides[i] +
                                             taps - spatial[i]);
    pads[i] = upper ? total / 2 : total - total / 2;
    pads[count + i] = total - pads[i];
  }
  return pads;
}

Window readWindow(NodeBinder &binder, ArrayRef<int64_t> spatial,
                  ArrayRef<int64_t> kernel) {
  size_t count = spatial.size();
  Window window;
  window.kernel.assign(kernel.begin(), kernel.end());
  window.strides = readList(binder, "strides", count, 1, 1);
  window.dilations = readList(binder, "dilations", count, 1, 1);
  window.pads = readList(binder, "pads", 2 * count, 0, 0);
  StringRef mode = binder.getString("auto_pad", "NOTSET");
  if (kernel.size() != count)
    binder.error() << "expected a kernel of " << count
                   << " dimensions, but got " << shapeText(kernel);
  int64_t taps = 1;
  for (int64_t extent : kernel)
    if (extent < 1 || llvm::MulOverflow(taps, extent, taps) || taps > kLargest)
      binder.error() << "expected a kernel of 1 to " << kLargest
                     << " elements, but got " << shapeText(kernel);
  if (binder.failed() || mode == "NOTSET")
    return window;
  window.autoPad = true;
  if (mode == "SAME_UPPER" || mode == "SAME_LOWER")
    window.pads = samePads(spatial, window, mode == "SAME_UPPER");
  else if (mode == "VALID")
    window.pads.assign(2 * count, 0);
  else
    binder.error() << "expected 'auto_pad' to be NOTSET, SAME_UPPER, "
                      "SAME_LOWER or VALID, but got "
                   << mode;
  return window;
}

SmallVector<int64_t> spatialExtents(NodeBinder &binder, size_t index,
                                    size_t minRank, size_t maxRank) {
  SmallVector<int64_t> shape = binder.shape(index);
  if (!binder.failed() && (shape.size() < minRank || shape.size() > maxRank))
    binder.error() << "expected an operand of rank " << minRank << " to "
                   << maxRank << " (N x C x spatial), but got "
                   << shapeText(shape);
  if (binder.failed())
    return {};
  return llvm::to_vector(ArrayRef<int64_t>(shape).drop_front(2));
}

} // namespace cim::onnx
