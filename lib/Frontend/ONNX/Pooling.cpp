// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Pools.
#include "PoolWindows.h"

using namespace mlir;

namespace cim::onnx {

static SmallVector<int64_t> readKernel(NodeBinder &b) {
  std::optional<SmallVector<int64_t>> kernel = b.getInts("kernel_shape");
  if (!kernel)
    b.error() << "expected the attribute 'kernel_shape'";
  return kernel.value_or(SmallVector<int64_t>());
}

/// With auto_pad the number of outputs is given, ceil_mode has no say.
static bool readCeilMode(NodeBinder &b, const Window &window) {
  return b.getBool("ceil_mode", false) && !window.autoPad;
}

static LogicalResult importMaxPool(NodeBinder &b) {
  bool columnMajor = b.getInt("storage_order", 0) == 1;
  SmallVector<int64_t> kernel = readKernel(b);
  Window window = readWindow(b, spatialExtents(b, 0, 3, 5), kernel);
  Value input = b.orderedInput(0);
  Value largest =
      b.create<nn::MaxPoolOp>(input, kernel, window.strides, window.dilations,
                              window.pads, readCeilMode(b, window));
  if (b.isOutputUsed(1) &&
      failed(b.result(
          largestPositions(b, input, shapeOf(largest), window, columnMajor),
          1)))
    return failure();
  return b.result(largest);
}

static LogicalResult importAveragePool(NodeBinder &b) {
  SmallVector<int64_t> kernel = readKernel(b);
  Window window = readWindow(b, spatialExtents(b, 0, 3, 5), kernel);
  bool countPad = b.getBool("count_include_pad", false);
  Value input = b.floatInput(0);
  return b.result(b.create<nn::AvgPoolOp>(input, kernel, window.strides,
                                          window.dilations, window.pads,
                                          readCeilMode(b, window), countPad));
}

//===----------------------------------------------------------------------===//
// LpPool
//===----------------------------------------------------------------------===//

/// |x|^p, and what undoes it for numbers that are not negative.
static Value raise(NodeBinder &b, Value x, int64_t p) {
  if (p == 2)
    return b.create<nn::MulOp>(x, x);
  Value magnitude = b.create<nn::AbsOp>(x);
  return p == 1 ? magnitude
                : b.create<nn::PowOp>(magnitude, b.createScalar(float(p)));
}
static Value root(NodeBinder &b, Value x, int64_t p) {
  if (p == 1)
    return x;
  if (p == 2)
    return b.create<nn::SqrtOp>(x);
  return b.create<nn::PowOp>(x, b.createScalar(1.0f / float(p)));
}

static int64_t readP(NodeBinder &b) {
  int64_t p = b.getInt("p", 2);
  if (p < 1)
    b.error() << "expected 'p' of at least 1, but got " << p;
  return p;
}

/// The sum over a window is its mean times its size when zeros that count
/// surround the operand.
static LogicalResult importLpPool(NodeBinder &b) {
  int64_t p = readP(b);
  SmallVector<int64_t> kernel = readKernel(b);
  Window window = readWindow(b, spatialExtents(b, 0, 3, 5), kernel);
  Value powers = raise(b, b.floatInput(0), p);
  Value mean =
      b.create<nn::AvgPoolOp>(powers, kernel, window.strides, window.dilations,
                              window.pads, readCeilMode(b, window), true);
  if (b.failed())
    return failure();
  if (readCeilMode(b, window)) {
    // The last window may reach beyond the pads, where nothing counts: only
    // the shape of this mean was needed.
    SmallVector<int64_t> none(2 * kernel.size(), 0);
    powers = padForWindows(b, powers, shapeOf(mean), window, 0);
    mean = b.create<nn::AvgPoolOp>(powers, kernel, window.strides,
                                   window.dilations, none, false, true);
  }
  Value size = b.createScalar(float(llvm::product_of(kernel)));
  return b.result(root(b, b.create<nn::MulOp>(mean, size), p));
}

//===----------------------------------------------------------------------===//
// Global pools
//===----------------------------------------------------------------------===//

/// The dimensions behind N and C.
static SmallVector<int64_t> spatialDims(NodeBinder &b) {
  int64_t rank = b.shape(0).size();
  if (!b.failed() && rank < 3)
    b.error() << "expected an operand of rank 3 or more (N x C x spatial), but "
                 "got rank "
              << rank;
  return b.failed() ? SmallVector<int64_t>()
                    : llvm::to_vector(llvm::seq<int64_t>(2, rank));
}

static LogicalResult importGlobalAveragePool(NodeBinder &b) {
  SmallVector<int64_t> dims = spatialDims(b);
  Value input = b.floatInput(0);
  return b.result(
      b.create<nn::ReduceOp>(input, nn::Reduction::Mean, dims, true));
}

static LogicalResult importGlobalMaxPool(NodeBinder &b) {
  SmallVector<int64_t> dims = spatialDims(b);
  SmallVector<int64_t> kernel = llvm::to_vector(b.shape(0));
  Value input = b.floatInput(0);
  if (b.failed())
    return failure();
  kernel.erase(kernel.begin(), kernel.begin() + 2);
  SmallVector<int64_t> ones(dims.size(), 1), zeros(2 * dims.size(), 0);
  return b.result(
      b.create<nn::MaxPoolOp>(input, kernel, ones, ones, zeros, false));
}

static LogicalResult importGlobalLpPool(NodeBinder &b) {
  int64_t p = readP(b);
  SmallVector<int64_t> dims = spatialDims(b);
  Value powers = raise(b, b.floatInput(0), p);
  return b.result(root(
      b, b.create<nn::ReduceOp>(powers, nn::Reduction::Sum, dims, true), p));
}

void registerPooling(HandlerTable &table) {
  table.add("MaxPool",
            {Place::Digital, "one to three spatial dimensions; float, int8, "
                             "uint8; indices of the maxima"},
            {{1, importMaxPool}});
  table.add("AveragePool",
            {Place::Digital, "one to three spatial dimensions, float"},
            {{1, importAveragePool}});
  table.add("LpPool", {Place::Digital, "one to three spatial dimensions"},
            {{2, importLpPool}});
  table.add("GlobalAveragePool", {Place::Digital, "float"},
            {{1, importGlobalAveragePool}});
  table.add("GlobalMaxPool", {Place::Digital, "float"},
            {{1, importGlobalMaxPool}});
  table.add("GlobalLpPool", {Place::Digital, ""}, {{2, importGlobalLpPool}});
}

} // namespace cim::onnx
