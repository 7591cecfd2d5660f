// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// GridSample and AffineGrid.
#include "Compose.h"
#include "Interpolation.h"

using namespace mlir;

namespace cim::onnx {

//===----------------------------------------------------------------------===//
// GridSample
//===----------------------------------------------------------------------===//

static Interpolation readInterpolation(NodeBinder &b) {
  // Opset 20 gave the modes other names.
  bool isOld = b.opset() < 20;
  StringRef linear = isOld ? "bilinear" : "linear",
            cubic = isOld ? "bicubic" : "cubic";
  StringRef mode = b.getString("mode", linear);
  if (mode == "nearest")
    return Interpolation::Nearest;
  if (mode == cubic)
    return Interpolation::Cubic;
  if (mode != linear)
    b.error() << "expected 'mode' to be " << linear << ", nearest or " << cubic
              << ", but got '" << mode << "'";
  return Interpolation::Linear;
}

static Outside readOutside(NodeBinder &b, bool alignCorners) {
  StringRef mode = b.getString("padding_mode", "zeros");
  Outside outside;
  outside.margin = alignCorners ? 0 : 0.5;
  if (mode == "border")
    outside.kind = Outside::Border;
  else if (mode == "reflection")
    outside.kind = Outside::Reflection;
  else if (mode != "zeros")
    b.error() << "expected 'padding_mode' to be zeros, border or reflection, "
                 "but got '"
              << mode << "'";
  return outside;
}

/// Coordinates from -1 to 1 as positions among `extent` elements.
static Value toElements(NodeBinder &b, Value x, int64_t extent,
                        bool alignCorners) {
  float length = float(extent);
  x = b.create<nn::AddOp>(x, b.createScalar(1.0f));
  float factor = alignCorners ? (length - 1) / 2 : length / 2;
  x = b.create<nn::MulOp>(x, b.createScalar(factor));
  return alignCorners ? x : b.create<nn::SubOp>(x, b.createScalar(0.5f));
}

static LogicalResult importGridSample(NodeBinder &b) {
  SmallVector<int64_t> shape = b.shape(0), grid = b.shape(1);
  Interpolation kind = readInterpolation(b);
  bool alignCorners = b.getBool("align_corners", false);
  Outside outside = readOutside(b, alignCorners);
  Value data = b.floatInput(0), coordinates = b.floatInput(1);
  if (b.failed())
    return failure();
  int64_t spatial = int64_t(shape.size()) - 2;
  if (spatial < 1 || spatial > 3 || grid.size() != shape.size() ||
      grid.front() != shape.front() || grid.back() != spatial ||
      llvm::is_contained(shape, 0))
    return b.error() << "expected an operand N x C x one to three spatial "
                        "dimensions and a grid N x spatial x their number, "
                        "but got "
                     << shapeText(shape) << " and " << shapeText(grid);
  FlatIndex index(b);
  index.add(createPositions(b, shape[0], 0, spatial + 1), shape[0]);
  SmallVector<AxisTaps> axes;
  for (int64_t i = 0; i < spatial; ++i) {
    // The grid names the innermost dimension first.
    Value x = sliceAlong(b, coordinates, spatial + 1, spatial - 1 - i, 1);
    x = b.createReshape(x, ArrayRef<int64_t>(grid).drop_back());
    x = toElements(b, x, shape[2 + i], alignCorners);
    axes.push_back(createTaps(b, x, shape[2 + i], kind, outside));
  }
  return b.result(interpolateImages(b, data, index, axes));
}

//===----------------------------------------------------------------------===//
// AffineGrid
//===----------------------------------------------------------------------===//

/// Positions from -1 to 1 along dimension `dim` of `rank`.
static Value createRamp(NodeBinder &b, int64_t extent, bool alignCorners,
                        int64_t dim, int64_t rank) {
  if (failed(b.reserve(extent)))
    return {};
  SmallVector<double> values;
  for (int64_t i = 0; i < extent; ++i)
    values.push_back(alignCorners
                         ? (extent > 1 ? 2.0 * i / (extent - 1) - 1 : 0)
                         : (2.0 * i + 1) / extent - 1);
  SmallVector<int64_t> dims(rank, 1);
  dims[dim] = extent;
  return b.createConstant(fromDoubles(DataType::Float, dims, values));
}

/// A sum of products and no matrix product, which a crossbar would take for a
/// layer with the ramps as its weights.
static LogicalResult importAffineGrid(NodeBinder &b) {
  bool alignCorners = b.getBool("align_corners", false);
  SmallVector<int64_t> shape = b.shape(0), size = b.constantInts(1, "size");
  Value theta = b.floatInput(0);
  if (b.failed())
    return failure();
  int64_t spatial = int64_t(size.size()) - 2;
  if (spatial < 2 || spatial > 3 ||
      shape != SmallVector<int64_t>{size[0], spatial, spatial + 1} ||
      llvm::any_of(size, [](int64_t extent) { return extent < 1; }))
    return b.error() << "expected matrices N x 2 x 3 and a size of 4 numbers, "
                        "or N x 3 x 4 and 5, but got "
                     << shapeText(shape) << " and " << shapeText(size);
  SmallVector<int64_t> column(spatial + 2, 1);
  column.front() = shape[0];
  column.back() = spatial;
  auto factor = [&](int64_t i) {
    return b.createReshape(sliceAlong(b, theta, 2, i, 1), column);
  };
  Value sum = factor(spatial);
  for (int64_t i = 0; i < spatial; ++i) {
    // The matrices multiply the innermost dimension first.
    int64_t dim = spatial - i;
    Value ramp = createRamp(b, size[1 + dim], alignCorners, dim, spatial + 2);
    sum = b.create<nn::AddOp>(b.create<nn::MulOp>(factor(i), ramp), sum);
  }
  return b.result(sum);
}

void registerGridSample(HandlerTable &table) {
  table.add("GridSample", {Place::Digital, "one to three spatial dimensions"},
            {{16, importGridSample}});
  table.add("AffineGrid", {Place::Digital, "constant size"},
            {{20, importAffineGrid}});
}

} // namespace cim::onnx
