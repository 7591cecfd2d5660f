// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RoiAlign: pools over values interpolated at regular places of each region.
#include "Compose.h"
#include "Interpolation.h"

using namespace mlir;

namespace cim::onnx {

namespace {
struct RoiAttributes {
  int64_t height, width, samples;
  float scale;
  bool halfPixel, average;

  explicit RoiAttributes(NodeBinder &b)
      : height(b.getInt("output_height", 1)),
        width(b.getInt("output_width", 1)),
        samples(b.getInt("sampling_ratio", 0)),
        scale(b.getFloat("spatial_scale", 1)) {
    StringRef coordinates = "output_half_pixel";
    if (b.opset() >= 16)
      coordinates = b.getString("coordinate_transformation_mode", "half_pixel");
    StringRef mode = b.getString("mode", "avg");
    halfPixel = coordinates == "half_pixel";
    average = mode == "avg";
    if (!halfPixel && coordinates != "output_half_pixel")
      b.error() << "expected 'coordinate_transformation_mode' to be half_pixel "
                   "or output_half_pixel, but got '"
                << coordinates << "'";
    if (!average && mode != "max")
      b.error() << "expected 'mode' to be avg or max, but got '" << mode << "'";
    constexpr int64_t largest = 1 << 15;
    if (samples < 1 || samples > largest)
      b.error() << "expected a 'sampling_ratio' of 1 to " << largest
                << ", but got " << samples
                << " (0 leaves the number of samples to the regions)";
    if (std::min(height, width) < 1 || std::max(height, width) > largest)
      b.error() << "expected an output of 1 x 1 to " << largest << " x "
                << largest << ", but got " << height << " x " << width;
  }
};

/// Samples of every region along one dimension of the operand.
struct RoiAxis {
  NodeBinder &b;
  const RoiAttributes &attributes;
  Value rois; ///< regions x 4
  int64_t count;

  Value scalar(float value) const { return b.createScalar(value); }

  /// Column `index` of the regions in elements of the operand.
  Value bound(int64_t index) const {
    Value column = b.create<nn::MulOp>(sliceAlong(b, rois, 1, index, 1),
                                       scalar(attributes.scale));
    return attributes.halfPixel ? b.create<nn::SubOp>(column, scalar(0.5f))
                                : column;
  }

  /// Coordinates, regions x (bins * samples).
  Value coordinates(int64_t dim, int64_t bins) const {
    Value start = bound(dim),
          extent = b.create<nn::SubOp>(bound(dim + 2), start);
    if (!attributes.halfPixel)
      extent = b.create<nn::MaxOp>(extent, scalar(1));
    int64_t samples = bins * attributes.samples;
    if (failed(b.reserve(samples)))
      return {};
    SmallVector<double> places;
    for (int64_t i = 0; i < samples; ++i)
      places.push_back((double(i) + 0.5) / double(samples));
    Value ramp =
        b.createConstant(fromDoubles(DataType::Float, {1, samples}, places));
    return b.create<nn::AddOp>(b.create<nn::MulOp>(extent, ramp), start);
  }

  /// Taps shaped regions x samples, spread to `shape`. What lies more than one
  /// element outside is zero, what lies less is at the border.
  AxisTaps taps(Value x, int64_t extent, ArrayRef<int64_t> shape) const {
    Value low = b.create<nn::MaxOp>(x, scalar(-1));
    Value near = b.create<nn::MinOp>(low, scalar(float(extent)));
    Value counts =
        b.createCast(b.create<nn::CompareOp>(x, near, nn::Predicate::Equal),
                     Float32Type::get(b.context()));
    Outside border{Outside::Border, 0};
    AxisTaps taps = createTaps(b, x, extent, Interpolation::Linear, border);
    for (auto [position, weight] :
         llvm::zip_equal(taps.positions, taps.weights)) {
      weight = b.createReshape(b.create<nn::MulOp>(weight, counts), shape);
      position = b.createReshape(position, shape);
    }
    return taps;
  }
};
} // namespace

static LogicalResult checkRois(NodeBinder &b) {
  SmallVector<int64_t> shape = b.shape(0), rois = b.shape(1),
                       batch = b.shape(2);
  if (b.failed())
    return failure();
  if (shape.size() == 4 && rois.size() == 2 && rois[1] == 4 &&
      batch == SmallVector<int64_t>{rois[0]} && rois[0] > 0 &&
      !llvm::is_contained(shape, 0))
    return success();
  return b.error() << "expected an operand N x C x H x W, regions R x 4 and R "
                      "batch indices, but got "
                   << shapeText(shape) << ", " << shapeText(rois) << " and "
                   << shapeText(batch);
}

static LogicalResult importRoiAlign(NodeBinder &b) {
  RoiAttributes attributes(b);
  if (b.failed() || failed(checkRois(b)))
    return failure();
  SmallVector<int64_t> shape = b.shape(0);
  int64_t count = b.shape(1)[0];
  RoiAxis axis{b, attributes, b.floatInput(1), count};
  int64_t samples = attributes.samples, height = attributes.height * samples,
          width = attributes.width * samples;
  Value y = axis.coordinates(1, attributes.height),
        x = axis.coordinates(0, attributes.width);
  SmallVector<AxisTaps> axes{axis.taps(y, shape[2], {count, height, 1}),
                             axis.taps(x, shape[3], {count, 1, width})};
  FlatIndex index(b);
  index.addIndices(b.createReshape(b.integerInput(2), {count, 1, 1}), shape[0]);
  Value values = interpolateImages(b, b.floatInput(0), index, axes,
                                   /*largest=*/!attributes.average);
  SmallVector<int64_t> kernel{samples, samples}, ones{1, 1}, zeros(4, 0);
  Value result =
      attributes.average
          ? b.create<nn::AvgPoolOp>(values, kernel, kernel, ones, zeros, false,
                                    false)
          : b.create<nn::MaxPoolOp>(values, kernel, kernel, ones, zeros, false);
  return b.result(result);
}

void registerRoiAlign(HandlerTable &table) {
  table.add("RoiAlign", {Place::Digital, "sampling_ratio above 0"},
            {{10, importRoiAlign}});
}

} // namespace cim::onnx
