// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Where each element of a resized dimension comes from.
#include "ResizeAxis.h"
#include <cmath>

using namespace mlir;

namespace cim::onnx {

/// The coordinate in the operand of element `x` of the result.
static double originalCoordinate(const ResizeMode &mode, const ResizeAxis &axis,
                                 double x) {
  double in = axis.extent, out = axis.result;
  auto unscale = [&](double place) {
    return place * axis.denominator / axis.numerator;
  };
  double halfPixel = unscale(x + 0.5) - 0.5;
  switch (mode.coordinates) {
  case ResizeMode::HalfPixel:
    return halfPixel;
  case ResizeMode::HalfPixelSymmetric:
    return (in - unscale(out)) / 2 + halfPixel;
  case ResizeMode::PytorchHalfPixel:
    return out > 1 ? halfPixel : 0;
  case ResizeMode::AlignCorners:
    return out > 1 ? x * (in - 1) / (out - 1) : 0;
  case ResizeMode::Asymmetric:
    return unscale(x);
  case ResizeMode::TfHalfPixelForNN:
    return unscale(x + 0.5);
  case ResizeMode::TfCropAndResize:
    if (out > 1)
      return axis.start * (in - 1) +
             x * (axis.end - axis.start) * (in - 1) / (out - 1);
    return 0.5 * (axis.start + axis.end) * (in - 1);
  }
  llvm_unreachable("covered switch");
}

static double nearest(const ResizeMode &mode, const ResizeAxis &axis,
                      double x) {
  switch (mode.rounding) {
  case ResizeMode::PreferFloor:
    return std::ceil(x - 0.5);
  case ResizeMode::PreferCeil:
    return std::floor(x + 0.5);
  case ResizeMode::Floor:
    return std::floor(x);
  case ResizeMode::Ceil:
    return std::ceil(x);
  case ResizeMode::Simple:
    return axis.scale() < 1 ? std::ceil(x) : std::floor(x);
  }
  llvm_unreachable("covered switch");
}

/// The weight of an element at distance `x`.
static double weightAt(const ResizeMode &mode, double x) {
  x = std::abs(x);
  if (mode.kind == ResizeMode::Linear)
    return std::max(0.0, 1 - x);
  double a = mode.cubicA;
  if (x <= 1)
    return ((a + 2) * x - (a + 3)) * x * x + 1;
  return x < 2 ? ((a * x - 5 * a) * x + 8 * a) * x - 4 * a : 0;
}

/// What the distances to elements shrink to: the filter grows by as much.
static double filterScale(const ResizeMode &mode, const ResizeAxis &axis) {
  return mode.antialias ? std::min(axis.scale(), 1.0) : 1.0;
}

int64_t countTaps(const ResizeMode &mode, const ResizeAxis &axis) {
  if (mode.kind == ResizeMode::Nearest)
    return 1;
  double radius = mode.kind == ResizeMode::Linear ? 1 : 2;
  double reach = std::ceil(radius / filterScale(mode, axis));
  return 2 * static_cast<int64_t>(std::min(reach, 1e9));
}

Sampling sampleAxis(const ResizeMode &mode, const ResizeAxis &axis) {
  int64_t taps = countTaps(mode, axis);
  Sampling result;
  result.positions.resize(taps);
  result.weights.resize(taps);
  double last = double(axis.extent) - 1, scale = filterScale(mode, axis);
  SmallVector<double> weights(taps, 1);
  for (int64_t i = 0; i < axis.result; ++i) {
    double x = originalCoordinate(mode, axis, double(i));
    // Of two elements at one distance the left one is nearer.
    double first = mode.kind == ResizeMode::Nearest
                       ? nearest(mode, axis, x)
                       : std::ceil(x) - double(taps) / 2;
    auto isOutside = [&](int64_t tap) {
      double at = first + double(tap);
      return mode.excludeOutside && (at < 0 || at > last);
    };
    double sum = 0;
    for (int64_t tap = 0; tap < taps; ++tap) {
      if (mode.kind != ResizeMode::Nearest)
        weights[tap] = isOutside(tap)
                           ? 0
                           : weightAt(mode, (first + double(tap) - x) * scale);
      sum += weights[tap];
    }
    bool isNormalised = mode.antialias || mode.excludeOutside;
    for (int64_t tap = 0; tap < taps; ++tap) {
      double at = std::clamp(first + double(tap), 0.0, last);
      result.positions[tap].push_back(static_cast<int64_t>(at));
      result.weights[tap].push_back(
          isNormalised && sum != 0 ? weights[tap] / sum : weights[tap]);
    }
    result.outside.push_back(mode.coordinates == ResizeMode::TfCropAndResize &&
                             (x < 0 || x > last));
  }
  return result;
}

} // namespace cim::onnx
