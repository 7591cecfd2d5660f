// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// DeformConv: interpolated elements of every window as channels of a
// convolution whose kernel is one element.
#include "Compose.h"
#include "Interpolation.h"
#include "Window.h"

using namespace mlir;

namespace cim::onnx {

namespace {
/// Shapes and attributes of the node.
struct Deformation {
  SmallVector<int64_t> input, weights, places; ///< places: spatial extents
  int64_t groups, offsetGroups, taps = 1;
  Window window;

  explicit Deformation(NodeBinder &b)
      : input(b.shape(0)), weights(b.shape(1)), groups(b.getInt("group", 1)),
        offsetGroups(b.getInt("offset_group", 1)) {
    SmallVector<int64_t> spatial = spatialExtents(b, 0, 3, 5),
                         kernel = spatialExtents(b, 1, 3, 5);
    b.ignore({"kernel_shape"}); // the weights have it
    window = readWindow(b, spatial, kernel);
    if (b.failed())
      return;
    taps = llvm::product_of(kernel);
    for (size_t i = 0; i < kernel.size(); ++i) {
      int64_t reach = (kernel[i] - 1) * window.dilations[i] + 1,
              room = spatial[i] + window.pads[i] +
                     window.pads[kernel.size() + i] - reach;
      places.push_back(room < 0 ? 0 : room / window.strides[i] + 1);
    }
    check(b);
  }

  int64_t spatial() const { return places.size(); }

private:
  void check(NodeBinder &b) {
    int64_t channels = input[1];
    if (groups < 1 || offsetGroups < 1 || channels % offsetGroups != 0 ||
        channels % groups != 0 || channels / groups != weights[1] ||
        llvm::is_contained(places, 0) || llvm::is_contained(input, 0)) {
      b.error() << "expected weights that fit into an operand of "
                << shapeText(input) << " with " << groups << " groups and "
                << offsetGroups << " offset groups, but got "
                << shapeText(weights);
      return;
    }
    checkMap(b, 2, "offset", taps * spatial());
    if (b.hasInput(4))
      checkMap(b, 4, "mask", taps);
  }

  void checkMap(NodeBinder &b, size_t operand, StringRef what,
                int64_t perGroup) {
    SmallVector<int64_t> expected{input[0], offsetGroups * perGroup};
    llvm::append_range(expected, places);
    if (!b.failed() && b.shape(operand) != expected)
      b.error() << "expected '" << what << "' of shape " << shapeText(expected)
                << ", but got " << shapeText(b.shape(operand));
  }
};
} // namespace

/// Where the taps of an undeformed window lie along dimension `i`, shaped
/// 1 x 1 x taps x places.
static Value regularPlaces(NodeBinder &b, const Deformation &d, size_t i) {
  const Window &window = d.window;
  if (failed(b.reserve(d.taps)) || failed(b.reserve(d.places[i])))
    return {};
  ArrayRef<int64_t> kernel = window.kernel;
  int64_t inner = llvm::product_of(kernel.drop_front(i + 1));
  SmallVector<double> taps, places;
  for (int64_t tap = 0; tap < d.taps; ++tap)
    taps.push_back(double(tap / inner % kernel[i] * window.dilations[i]));
  for (int64_t at = 0; at < d.places[i]; ++at)
    places.push_back(double(at * window.strides[i] - window.pads[i]));
  SmallVector<int64_t> tapDims(3 + d.spatial(), 1), placeDims = tapDims;
  tapDims[2] = d.taps;
  placeDims[3 + i] = d.places[i];
  return b.create<nn::AddOp>(
      b.createConstant(fromDoubles(DataType::Float, tapDims, taps)),
      b.createConstant(fromDoubles(DataType::Float, placeDims, places)));
}

/// The elements of all windows, C/offset groups x N x offset groups x taps x
/// places.
static Value deformedElements(NodeBinder &b, const Deformation &d) {
  int64_t batch = d.input[0], channels = d.input[1] / d.offsetGroups;
  SmallVector<int64_t> split{batch, d.offsetGroups, channels};
  llvm::append_range(split, ArrayRef<int64_t>(d.input).drop_front(2));
  SmallVector<int64_t> permutation{2, 0, 1};
  llvm::append_range(permutation, llvm::seq<int64_t>(3, split.size()));
  Value data = permute(b, b.createReshape(b.floatInput(0), split), permutation);
  data = b.createReshape(data, {channels, llvm::product_of(split) / channels});

  SmallVector<int64_t> offsetShape{batch, d.offsetGroups, d.taps, d.spatial()};
  llvm::append_range(offsetShape, d.places);
  SmallVector<int64_t> shape = offsetShape;
  shape.erase(shape.begin() + 3);
  Value offsets = b.createReshape(b.floatInput(2), offsetShape);
  FlatIndex index(b);
  index.add(createPositions(b, batch, 0, shape.size()), batch);
  index.add(createPositions(b, d.offsetGroups, 1, shape.size()),
            d.offsetGroups);
  SmallVector<AxisTaps> axes;
  for (int64_t i = 0; i < d.spatial(); ++i) {
    Value offset = b.createReshape(sliceAlong(b, offsets, 3, i, 1), shape);
    Value x = b.create<nn::AddOp>(offset, regularPlaces(b, d, i));
    axes.push_back(createTaps(b, x, d.input[2 + i], Interpolation::Linear, {}));
  }
  Value elements = interpolate(b, data, index, axes);
  if (!b.hasInput(4))
    return elements;
  return b.create<nn::MulOp>(elements, b.createReshape(b.floatInput(4), shape));
}

static LogicalResult importDeformConv(NodeBinder &b) {
  Deformation d(b);
  if (b.failed())
    return failure();
  Value elements = deformedElements(b, d);
  // The channels, then the taps of each, and all places in one row.
  SmallVector<int64_t> permutation{1, 2, 0};
  llvm::append_range(permutation, llvm::seq<int64_t>(3, 4 + d.spatial()));
  int64_t places = llvm::product_of(d.places);
  Value columns = b.createReshape(permute(b, elements, permutation),
                                  {d.input[0], d.input[1] * d.taps, places});
  Value weights = b.createReshape(b.floatInput(1),
                                  {d.weights[0], d.weights[1] * d.taps, 1});
  SmallVector<int64_t> one{1}, none{0, 0};
  Value result = b.create<nn::ConvOp>(columns, weights, b.optionalFloatInput(3),
                                      one, one, none, d.groups);
  SmallVector<int64_t> shape{d.input[0], d.weights[0]};
  llvm::append_range(shape, d.places);
  return b.result(b.createReshape(result, shape));
}

void registerDeformConv(HandlerTable &table) {
  table.add("DeformConv",
            {Place::Crossbar, "one to three spatial dimensions; the elements "
                              "are interpolated digitally"},
            {{19, importDeformConv}});
}

} // namespace cim::onnx
