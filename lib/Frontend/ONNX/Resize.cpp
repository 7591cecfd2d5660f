// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Resize and Upsample: one dimension after the other is a sum of gathers with
// weights that are known here, never a matrix product, which a crossbar would
// take for a layer.
#include "Compose.h"
#include "ResizeAxis.h"
#include <cmath>

using namespace mlir;

namespace cim::onnx {

//===----------------------------------------------------------------------===//
// Attributes and operands
//===----------------------------------------------------------------------===//

/// Constant floats; nothing when the operand is left out or empty.
static SmallVector<double> constantFloats(NodeBinder &b, size_t index,
                                          StringRef what) {
  if (b.failed() || !b.hasInput(index))
    return {};
  if (HostTensor constant = b.host(index))
    return toDoubles(*constant);
  b.error() << "expected '" << what << "' (operand " << index
            << ") to be a constant, but it is computed at run time";
  return {};
}

/// The position of the attribute's value among `names`.
static unsigned readChoice(NodeBinder &b, StringRef name, StringRef byDefault,
                           ArrayRef<StringRef> names) {
  StringRef value = b.getString(name, byDefault);
  const auto *found = llvm::find(names, value);
  if (found != names.end())
    return found - names.begin();
  b.error() << "expected '" << name << "' to be one of "
            << llvm::join(names, ", ") << ", but got '" << value << "'";
  return 0;
}

static ResizeMode readMode(NodeBinder &b) {
  ResizeMode mode;
  mode.kind = static_cast<ResizeMode::Kind>(
      readChoice(b, "mode", "nearest", {"nearest", "linear", "cubic"}));
  mode.rounding = static_cast<ResizeMode::Rounding>(
      readChoice(b, "nearest_mode", "round_prefer_floor",
                 {"round_prefer_floor", "round_prefer_ceil", "floor", "ceil"}));
  mode.coordinates = static_cast<ResizeMode::Coordinates>(
      readChoice(b, "coordinate_transformation_mode", "half_pixel",
                 {"half_pixel", "half_pixel_symmetric", "pytorch_half_pixel",
                  "align_corners", "asymmetric", "tf_half_pixel_for_nn",
                  "tf_crop_and_resize"}));
  mode.antialias = b.getBool("antialias", false);
  mode.excludeOutside = b.getBool("exclude_outside", false);
  mode.cubicA = b.getFloat("cubic_coeff_a", -0.75f);
  mode.extrapolation = b.getFloat("extrapolation_value", 0);
  return mode;
}

/// Sets the extents of the result from `scales`.
static void applyScales(NodeBinder &b, MutableArrayRef<ResizeAxis> axes,
                        ArrayRef<double> scales) {
  constexpr float largest = float(1 << 30);
  for (auto [axis, scale] : llvm::zip_equal(axes, scales)) {
    float extent = std::floor(float(axis.extent) * float(scale));
    if (!(scale > 0) || !(extent >= 1) || !(extent <= largest)) {
      b.error() << "expected scales that leave 1 to 2^30 elements of each "
                   "dimension, but got "
                << float(scale) << " for " << axis.extent;
      return;
    }
    axis.numerator = scale;
    axis.result = static_cast<int64_t>(extent);
  }
}

/// Sets scales and extents of the result from `sizes`.
static void applySizes(NodeBinder &b, MutableArrayRef<ResizeAxis> axes,
                       ArrayRef<int64_t> sizes) {
  unsigned policy = readChoice(b, "keep_aspect_ratio_policy", "stretch",
                               {"stretch", "not_larger", "not_smaller"});
  for (auto [axis, size] : llvm::zip_equal(axes, sizes)) {
    if (size < 1 || size > (1 << 30)) {
      b.error() << "expected sizes of 1 to 2^30, but got " << size;
      return;
    }
    axis.result = size;
    axis.numerator = double(size);
    axis.denominator = double(axis.extent);
  }
  if (policy == 0 || axes.empty())
    return;
  auto [least, most] = std::minmax_element(
      axes.begin(), axes.end(), [](const ResizeAxis &x, const ResizeAxis &y) {
        return x.scale() < y.scale();
      });
  ResizeAxis leading = policy == 1 ? *least : *most;
  for (ResizeAxis &axis : axes) {
    axis.numerator = leading.numerator;
    axis.denominator = leading.denominator;
    axis.result = static_cast<int64_t>(std::floor(
        double(axis.extent) * axis.numerator / axis.denominator + 0.5));
    if (axis.result < 1 || axis.result > (1 << 30))
      b.error() << "its aspect ratio makes a dimension of " << axis.extent
                << " one of " << axis.result << " elements";
  }
}

/// The dimensions that the operands speak of.
static SmallVector<ResizeAxis> readAxes(NodeBinder &b) {
  SmallVector<int64_t> shape = b.shape(0);
  SmallVector<int64_t> dims =
      b.normalizeAxes(b.getInts("axes").value_or(
                          llvm::to_vector(llvm::seq<int64_t>(0, shape.size()))),
                      shape.size());
  SmallVector<ResizeAxis> axes;
  for (int64_t dim : dims) {
    axes.emplace_back();
    axes.back().dim = dim;
    axes.back().extent = shape[dim];
    if (shape[dim] < 1)
      b.error() << "expected an operand with elements, but got "
                << shapeText(shape);
  }
  return axes;
}

/// Reads scales or sizes, operands `scalesAt` and the next one.
static void readExtents(NodeBinder &b, MutableArrayRef<ResizeAxis> axes,
                        size_t scalesAt) {
  SmallVector<double> scales = constantFloats(b, scalesAt, "scales");
  SmallVector<int64_t> sizes;
  if (scales.empty() && b.hasInput(scalesAt + 1))
    sizes = b.constantInts(scalesAt + 1, "sizes");
  if (b.failed())
    return;
  if (std::max(scales.size(), sizes.size()) != axes.size()) {
    b.error() << "expected one of 'scales' and 'sizes' for " << axes.size()
              << " dimensions, but got " << scales.size() << " and "
              << sizes.size() << " entries";
    return;
  }
  // A file made for one batch writes that batch into its sizes.
  if (auto change = b.importState().batchChange;
      change && !sizes.empty() && axes[0].dim == 0 &&
      axes[0].extent == change->second && sizes[0] == change->first)
    sizes[0] = change->second;
  if (sizes.empty())
    applyScales(b, axes, scales);
  else
    applySizes(b, axes, sizes);
}

static void readRegion(NodeBinder &b, MutableArrayRef<ResizeAxis> axes) {
  SmallVector<double> region = constantFloats(b, 1, "roi");
  size_t count = axes.size();
  if (!b.failed() && region.size() != 2 * count)
    b.error() << "expected a 'roi' of " << 2 * count << " entries, but got "
              << region.size();
  for (size_t i = 0; i < count && !b.failed(); ++i) {
    axes[i].start = region[i];
    axes[i].end = region[count + i];
    if (!(std::abs(region[i]) < 1e6) || !(std::abs(region[count + i]) < 1e6))
      b.error() << "expected a 'roi' of numbers below 10^6";
  }
}

//===----------------------------------------------------------------------===//
// Computation
//===----------------------------------------------------------------------===//

/// A list that runs along dimension `dim` of `rank` dimensions.
static Value along(NodeBinder &b, Tensor list, int64_t dim, int64_t rank) {
  list.dims.resize(rank - dim, 1);
  return b.createConstant(std::move(list));
}

/// `value` at `positions` along `dim`.
static Value take(NodeBinder &b, Value value, ArrayRef<int64_t> positions,
                  int64_t dim) {
  if (b.failed())
    return {};
  int64_t count = positions.size(),
          step = count > 1 ? positions[1] - positions[0] : 1;
  bool isEven = step != 0;
  for (int64_t i = 0; i < count; ++i)
    isEven &= positions[i] == positions[0] + i * step;
  if (isEven)
    return sliceAlong(b, value, dim, positions[0], count, step);
  Value indices = b.createConstant(fromInts(DataType::Int64, count, positions));
  return b.create<nn::GatherOp>(value, indices, dim);
}

/// `value` resized along one dimension.
static Value resizeAlong(NodeBinder &b, Value value, const ResizeMode &mode,
                         const ResizeAxis &axis) {
  int64_t taps = countTaps(mode, axis), rank = shapeOf(value).size();
  if (taps > kMaxResizeTaps) {
    b.error() << "expected a filter of at most " << kMaxResizeTaps
              << " elements, but " << axis.extent << " elements become "
              << axis.result;
    return {};
  }
  // A position and a weight each.
  if (failed(b.reserve({taps, axis.result}, 2 * sizeof(int64_t))))
    return {};
  Sampling sampling = sampleAxis(mode, axis);
  Value sum;
  for (auto [positions, weights] :
       llvm::zip_equal(sampling.positions, sampling.weights)) {
    if (llvm::all_of(weights, [](double weight) { return weight == 0; }))
      continue;
    Value term = take(b, value, positions, axis.dim);
    if (!llvm::all_of(weights, [](double weight) { return weight == 1; }))
      term = b.create<nn::MulOp>(
          term, along(b, fromDoubles(DataType::Float, axis.result, weights),
                      axis.dim, rank));
    sum = sum ? b.create<nn::AddOp>(sum, term) : term;
  }
  if (!llvm::is_contained(sampling.outside, 1) || b.failed())
    return sum;
  Type element = cast<ShapedType>(sum.getType()).getElementType();
  Value isOutside =
      along(b, fromInts(DataType::Bool, axis.result, sampling.outside),
            axis.dim, rank);
  return b.create<nn::SelectOp>(
      isOutside, b.createScalar(element, mode.extrapolation), sum);
}

/// How often each element is repeated along `axis`; 0 when that is not all that
/// happens.
static int64_t countRepeats(const ResizeMode &mode, const ResizeAxis &axis) {
  if (mode.kind != ResizeMode::Nearest || axis.result % axis.extent != 0)
    return 0;
  int64_t factor = axis.result / axis.extent;
  Sampling sampling = sampleAxis(mode, axis);
  for (auto [i, position] : llvm::enumerate(sampling.positions.front()))
    if (position != int64_t(i) / factor || sampling.outside[i])
      return 0;
  return factor;
}

/// Repeats elements along all dimensions where that is what is to be done, and
/// removes these dimensions from `axes`.
static Value repeat(NodeBinder &b, Value value, const ResizeMode &mode,
                    SmallVectorImpl<ResizeAxis> &axes) {
  if (b.failed())
    return {};
  SmallVector<int64_t> shape = shapeOf(value), factors(shape.size(), 1);
  llvm::erase_if(axes, [&](const ResizeAxis &axis) {
    int64_t factor =
        succeeded(b.reserve(axis.result)) ? countRepeats(mode, axis) : 0;
    factors[axis.dim] = std::max<int64_t>(1, factor);
    return factor != 0;
  });
  SmallVector<int64_t> split, repeated, result;
  for (auto [extent, factor] : llvm::zip_equal(shape, factors)) {
    split.push_back(extent);
    repeated.push_back(extent);
    result.push_back(extent * factor);
    if (factor == 1)
      continue;
    split.push_back(1);
    repeated.push_back(factor);
  }
  if (result == shape)
    return value;
  value = b.createBroadcast(b.createReshape(value, split), repeated);
  return b.createReshape(value, result);
}

/// Floats as the nearest numbers of type `element`.
static Value roundTo(NodeBinder &b, Value value, Type element) {
  auto integer = dyn_cast<IntegerType>(element);
  if (!integer)
    return value;
  value = b.create<nn::RoundOp>(value);
  unsigned bits = integer.getWidth() - (integer.isUnsigned() ? 0 : 1);
  if (bits < 63) { // a cast saturates at 64 bits
    float lowest = integer.isUnsigned() ? 0 : -std::exp2(float(bits));
    float highest = std::nextafter(std::exp2(float(bits)), 0.0f);
    value = b.create<nn::MaxOp>(value, b.createScalar(lowest));
    value = b.create<nn::MinOp>(value, b.createScalar(std::floor(highest)));
  }
  return b.createCast(value, element);
}

/// The operand resized; integers are computed in float and rounded.
static LogicalResult resize(NodeBinder &b, const ResizeMode &mode,
                            SmallVector<ResizeAxis> axes) {
  Value value =
      mode.kind == ResizeMode::Nearest ? b.input(0) : b.numberInput(0);
  if (b.failed())
    return failure();
  llvm::erase_if(axes,
                 [&](const ResizeAxis &axis) { return axis.isIdentity(mode); });
  value = repeat(b, value, mode, axes);
  if (axes.empty() || b.failed())
    return b.result(value);
  Type element = cast<ShapedType>(value.getType()).getElementType();
  if (mode.kind != ResizeMode::Nearest)
    value = b.createCast(value, Float32Type::get(b.context()));
  for (const ResizeAxis &axis : axes)
    value = resizeAlong(b, value, mode, axis);
  return b.result(roundTo(b, value, element));
}

//===----------------------------------------------------------------------===//
// Forms
//===----------------------------------------------------------------------===//

static LogicalResult importResize(NodeBinder &b) {
  ResizeMode mode = readMode(b);
  SmallVector<ResizeAxis> axes = readAxes(b);
  readExtents(b, axes, 2);
  if (mode.coordinates == ResizeMode::TfCropAndResize)
    readRegion(b, axes);
  return resize(b, mode, std::move(axes));
}

/// The forms without coordinate modes.
static ResizeMode readOldMode(NodeBinder &b) {
  ResizeMode mode;
  mode.kind = static_cast<ResizeMode::Kind>(
      readChoice(b, "mode", "nearest", {"nearest", "linear"}));
  mode.rounding = ResizeMode::Simple;
  mode.coordinates = ResizeMode::Asymmetric;
  return mode;
}

static LogicalResult importOldResize(NodeBinder &b) {
  ResizeMode mode = readOldMode(b);
  SmallVector<ResizeAxis> axes = readAxes(b);
  readExtents(b, axes, 1);
  return resize(b, mode, std::move(axes));
}

static LogicalResult importUpsampleAttributes(NodeBinder &b) {
  ResizeMode mode = readOldMode(b);
  SmallVector<ResizeAxis> axes = readAxes(b);
  const Attribute *scales = b.getAttribute("scales");
  if (b.failed())
    return failure();
  if (!scales || scales->kind != AttributeKind::Floats ||
      scales->floats.size() != axes.size())
    return b.error() << "expected the attribute 'scales' with " << axes.size()
                     << " floats";
  applyScales(b, axes, llvm::to_vector_of<double>(scales->floats));
  return resize(b, mode, std::move(axes));
}

void registerResize(HandlerTable &table) {
  table.add("Resize",
            {Place::Digital,
             "constant scales, sizes and roi; all modes; integers are "
             "interpolated in float and rounded"},
            {{10, importOldResize}, {11, importResize}});
  table.add("Upsample", {Place::Digital, "constant scales"},
            {{7, importUpsampleAttributes}, {9, importOldResize}});
}

} // namespace cim::onnx
