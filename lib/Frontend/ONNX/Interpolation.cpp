// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Values of a tensor between its elements, at places computed at run time.
#include "Interpolation.h"
#include "Compose.h"

using namespace mlir;

namespace cim::onnx {

namespace {
/// Arithmetic on floats, with constants written as numbers.
struct Floats {
  NodeBinder &b;

  Value constant(double value) { return b.createScalar(float(value)); }
  Value add(Value x, double y) {
    return y == 0 ? x : b.create<nn::AddOp>(x, constant(y));
  }
  Value mul(Value x, double y) { return b.create<nn::MulOp>(x, constant(y)); }
  /// y - x.
  Value from(double y, Value x) { return b.create<nn::SubOp>(constant(y), x); }
  Value clamp(Value x, double low, double high) {
    x = b.create<nn::MaxOp>(x, constant(low));
    return b.create<nn::MinOp>(x, constant(high));
  }
};
} // namespace

/// Mirrors `x` at `low` and `high` until it lies between them.
static Value reflect(NodeBinder &b, Value x, double low, double high) {
  Floats f{b};
  double range = high - low;
  if (range <= 0)
    return b.create<nn::MulOp>(x, f.constant(0));
  Value distance = b.create<nn::AbsOp>(f.add(x, -low));
  Value phase = b.create<nn::ModOp>(distance, f.constant(2 * range), false);
  Value fromPeak = b.create<nn::AbsOp>(f.add(phase, -range));
  return f.from(high, fromPeak);
}

/// `inside` where `x` lies in [low, high], else `outside`.
static Value chooseInside(NodeBinder &b, Value x, double low, double high,
                          Value inside, Value outside) {
  Value nearest = Floats{b}.clamp(x, low, high);
  Value isInside = b.create<nn::CompareOp>(x, nearest, nn::Predicate::Equal);
  return b.create<nn::SelectOp>(isInside, inside, outside);
}

/// Weights of the elements around a place that is `x` behind one of them, from
/// the first to the last; with a = -0.75 for cubic.
static SmallVector<Value> createWeights(NodeBinder &b, Value x,
                                        Interpolation kind) {
  Floats f{b};
  Value rest = f.from(1, x);
  if (kind == Interpolation::Linear)
    return {rest, x};
  constexpr double a = -0.75;
  auto inner = [&](Value t) { // ((a + 2) t - (a + 3)) t^2 + 1
    Value slope = f.add(f.mul(t, a + 2), -(a + 3));
    return f.add(b.create<nn::MulOp>(slope, b.create<nn::MulOp>(t, t)), 1);
  };
  auto outer = [&](Value t) { // ((a s - 5a) s + 8a) s - 4a with s = t + 1
    Value s = f.add(t, 1);
    Value sum = f.add(f.mul(s, a), -5 * a);
    sum = f.add(b.create<nn::MulOp>(sum, s), 8 * a);
    return f.add(b.create<nn::MulOp>(sum, s), -4 * a);
  };
  return {outer(x), inner(x), inner(rest), outer(rest)};
}

AxisTaps createTaps(NodeBinder &b, Value coordinates, int64_t extent,
                    Interpolation kind, Outside outside) {
  Floats f{b};
  double last = double(extent) - 1, low = -outside.margin,
         high = last + outside.margin;
  Value x = coordinates;
  if (kind == Interpolation::Nearest)
    x = b.create<nn::RoundOp>(x);
  if (outside.kind == Outside::Border)
    x = chooseInside(b, x, low, high, x, f.clamp(x, 0, last));
  if (outside.kind == Outside::Reflection)
    x = chooseInside(b, x, low, high, x, reflect(b, x, low, high));
  AxisTaps taps;
  taps.extent = extent;
  taps.weights = {Value()};
  if (kind != Interpolation::Nearest) {
    Value first = b.create<nn::FloorOp>(x);
    taps.weights = createWeights(b, b.create<nn::SubOp>(x, first), kind);
    x = first;
  }
  double at = kind == Interpolation::Cubic ? -1 : 0;
  for (Value &weight : taps.weights) {
    Value place = f.add(x, at++);
    if (outside.kind == Outside::Reflection)
      place = reflect(b, place, low, high);
    if (outside.kind == Outside::Zeros)
      weight = chooseInside(b, place, 0, last, weight ? weight : f.constant(1),
                            f.constant(0));
    taps.positions.push_back(toPositions(b, f.clamp(place, 0, last)));
  }
  return taps;
}

namespace {
/// Visits every combination of taps.
struct Combination {
  NodeBinder &b;
  Value data;
  ArrayRef<AxisTaps> axes;
  bool largest;
  Value result;

  void visit(size_t axis, const FlatIndex &index, Value weight) {
    if (axis == axes.size())
      return addElement(index, weight);
    const AxisTaps &taps = axes[axis];
    for (auto [position, own] : llvm::zip_equal(taps.positions, taps.weights)) {
      FlatIndex next = index;
      next.add(position, taps.extent);
      Value product = !weight ? own
                      : !own  ? weight
                              : b.create<nn::MulOp>(weight, own);
      visit(axis + 1, next, product);
    }
  }

  void addElement(const FlatIndex &index, Value weight) {
    Value element = b.create<nn::GatherOp>(data, index.forGather(), 1);
    if (weight)
      element = b.create<nn::MulOp>(element, weight);
    if (!result)
      result = element;
    else if (largest)
      result = b.create<nn::MaxOp>(result, element);
    else
      result = b.create<nn::AddOp>(result, element);
  }
};
} // namespace

Value interpolate(NodeBinder &b, Value data, const FlatIndex &index,
                  ArrayRef<AxisTaps> axes, bool largest) {
  Combination combination{b, data, axes, largest, Value()};
  combination.visit(0, index, Value());
  return b.failed() ? Value() : combination.result;
}

/// Images and channels in the other order.
static Value swapOuter(NodeBinder &b, Value value) {
  SmallVector<int64_t> permutation{1, 0};
  llvm::append_range(permutation, llvm::seq<int64_t>(2, shapeOf(value).size()));
  return permute(b, value, permutation);
}

Value interpolateImages(NodeBinder &b, Value data, const FlatIndex &index,
                        ArrayRef<AxisTaps> axes, bool largest) {
  Value channels = swapOuter(b, data);
  if (b.failed())
    return {};
  SmallVector<int64_t> shape = shapeOf(channels);
  channels =
      b.createReshape(channels, {shape[0], llvm::product_of(shape) / shape[0]});
  return swapOuter(b, interpolate(b, channels, index, axes, largest));
}

} // namespace cim::onnx
