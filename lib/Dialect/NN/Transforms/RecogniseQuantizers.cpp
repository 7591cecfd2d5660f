// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// nn-recognise-quantizers: the integers of networks that arrive quantised.
#include "QuantTypes.h"
#include "cim/Dialect/NN/Transforms/ConstantData.h"
#include "cim/Dialect/NN/Transforms/Passes.h"
#include "cim/Dialect/NN/Transforms/QuantizationPlan.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"
#include <cmath>
#include <numeric>

namespace cim::nn {
#define GEN_PASS_DEF_RECOGNISEQUANTIZERSPASS
#include "cim/Dialect/NN/Transforms/Passes.h.inc"
} // namespace cim::nn

using namespace mlir;
using namespace cim;
using namespace cim::nn;

namespace {

//===----------------------------------------------------------------------===//
// Activation quantisers that are written out
//===----------------------------------------------------------------------===//

/// Where a chain of clamps lets values lie.
struct Bounds {
  float lo = -std::numeric_limits<float>::infinity();
  float hi = std::numeric_limits<float>::infinity();
};

/// Walks up through clamps and ReLUs.
Value skipClamps(Value value, Bounds &bounds) {
  while (Operation *op = value.getDefiningOp()) {
    if (auto clamp = dyn_cast<ClampOp>(op)) {
      bounds.lo = std::max(bounds.lo, clamp.getLo().convertToFloat());
      bounds.hi = std::min(bounds.hi, clamp.getHi().convertToFloat());
      value = clamp.getInput();
    } else if (auto relu = dyn_cast<ReluOp>(op)) {
      bounds.lo = std::max(bounds.lo, 0.0f);
      value = relu.getInput();
    } else {
      break;
    }
  }
  return value;
}

/// `value` = tensor * factor with one positive constant factor.
struct Scaling {
  Value tensor;
  float factor = 1;
  bool isDivision = false;
};

FailureOr<Scaling> matchScaling(Operation *op) {
  if (!op || !isa<MulOp, DivOp>(op))
    return failure();
  Value a = op->getOperand(0), b = op->getOperand(1);
  FailureOr<float> factor = readScalar(b);
  if (failed(factor) && isa<MulOp>(op)) {
    std::swap(a, b);
    factor = readScalar(b);
  }
  if (failed(factor) || !(*factor > 0) || !std::isfinite(*factor) ||
      a.getType() != op->getResultTypes()[0])
    return failure();
  return Scaling{a, *factor, isa<DivOp>(op)};
}

/// A scale near both constants of the chain: its reciprocal rounds to the
/// factor in front of the rounding (which decides the integers) and, where
/// binary64 has such a number, it rounds to the factor behind it.
double chooseScale(const Scaling &front, const Scaling &back) {
  double scale = front.isDivision ? double(front.factor) : 1.0 / front.factor;
  float inverse =
      front.isDivision ? static_cast<float>(1.0 / front.factor) : front.factor;
  double other = back.isDivision ? 1.0 / back.factor : double(back.factor);
  if (static_cast<float>(1.0 / other) == inverse)
    return other;
  return scale;
}

/// clamp, scale, clamp, round, clamp, scale back; `op` is the last of it.
struct RecogniseChain : RewritePattern {
  RecogniseChain(MLIRContext *context)
      : RewritePattern(MatchAnyOpTypeTag(), 1, context) {}

  LogicalResult matchAndRewrite(Operation *op,
                                PatternRewriter &rewriter) const override {
    FailureOr<Scaling> back = matchScaling(op);
    if (failed(back))
      return failure();
    Bounds rounded, scaled, real;
    Operation *round = skipClamps(back->tensor, rounded).getDefiningOp();
    if (!round || !isa<FloorOp, RoundOp>(round))
      return failure();
    Rounding rounding =
        isa<FloorOp>(round) ? Rounding::Floor : Rounding::NearestEven;
    FailureOr<Scaling> front =
        matchScaling(skipClamps(round->getOperand(0), scaled).getDefiningOp());
    if (failed(front))
      return failure();
    Value input = skipClamps(front->tensor, real);

    float there = front->isDivision ? 1 / front->factor : front->factor;
    float andBack = back->isDivision ? 1 / back->factor : back->factor;
    if (std::abs(there * andBack - 1) > 1e-5f)
      return rewriter.notifyMatchFailure(op, "does not scale back");
    auto apply = [&](float x) {
      float y = front->isDivision ? x / front->factor : x * front->factor;
      y = std::clamp(y, scaled.lo, scaled.hi);
      y = rounding == Rounding::Floor ? std::floor(y) : std::nearbyint(y);
      return std::clamp(y, std::ceil(rounded.lo), std::floor(rounded.hi));
    };
    float lo = apply(real.lo), hi = apply(real.hi);
    if (!(lo >= -128 && hi <= 255))
      return rewriter.notifyMatchFailure(op, "range exceeds 8 bits");
    auto type =
        getActivationType(op->getContext(), chooseScale(*front, *back),
                          static_cast<int64_t>(lo), static_cast<int64_t>(hi));
    if (!type)
      return failure();
    auto shaped = cast<ShapedType>(op->getResultTypes()[0]);
    Value integers = QuantizeOp::create(rewriter, op->getLoc(),
                                        shaped.clone(type), input, rounding);
    rewriter.replaceOpWithNewOp<DequantizeOp>(op, shaped, integers);
    return success();
  }
};

/// A clip in front of QuantizeLinear says which of its integers occur: that is
/// how a 7-bit activation looks in ONNX, which has 8 bits only.
struct NarrowQuantize : OpRewritePattern<QuantizeOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(QuantizeOp op,
                                PatternRewriter &rewriter) const override {
    quant::UniformQuantizedType type = getUniformType(op.getResult());
    Bounds bounds;
    Value input = skipClamps(op.getInput(), bounds);
    if (!type || type.getZeroPoint() != 0 || input == op.getInput() ||
        !llvm::all_of(op->getUsers(), llvm::IsaPred<DequantizeOp>))
      return failure();
    float inverse = static_cast<float>(1.0 / type.getScale());
    auto apply = [&](float x) {
      float y = x * inverse;
      y = op.getRounding() == Rounding::Floor ? std::floor(y)
                                              : std::nearbyint(y);
      return static_cast<int64_t>(std::clamp<float>(y, type.getStorageTypeMin(),
                                                    type.getStorageTypeMax()));
    };
    auto narrow = getActivationType(op->getContext(), type.getScale(),
                                    apply(bounds.lo), apply(bounds.hi));
    if (!narrow)
      return rewriter.notifyMatchFailure(op, "a single integer is left");
    auto shaped = cast<ShapedType>(op.getResult().getType());
    rewriter.replaceOpWithNewOp<QuantizeOp>(op, shaped.clone(narrow), input,
                                            op.getRounding());
    return success();
  }
};

//===----------------------------------------------------------------------===//
// Weights that are integers times a scale
//===----------------------------------------------------------------------===//

/// Weights written as floats count as integers up to this magnitude (three
/// ternary cells); beyond it, integer ratios may be chance.
constexpr int64_t maxFloatLevels = 13;

/// The scale whose multiples all `values` are, or nothing. All are within
/// binary32 rounding of a multiple of at most `maxFloatLevels`.
std::optional<double> findScale(ArrayRef<float> values) {
  float smallest = std::numeric_limits<float>::infinity(), largest = 0;
  for (float v : values) {
    if (!std::isfinite(v))
      return std::nullopt;
    if (v != 0)
      smallest = std::min(smallest, std::abs(v));
    largest = std::max(largest, std::abs(v));
  }
  if (largest == 0)
    return 1.0;
  for (int64_t divisor = 1; divisor <= 3; ++divisor) {
    double guess = double(smallest) / divisor;
    double levels = std::nearbyint(largest / guess);
    if (levels > maxFloatLevels)
      return std::nullopt;
    double scale = largest / levels;
    if (llvm::all_of(values, [&](float v) {
          double k = v / scale;
          return std::abs(k - std::nearbyint(k)) <= 4e-7 * std::abs(k);
        }))
      return scale;
  }
  return std::nullopt;
}

/// One channel's elements of a row-major tensor.
std::vector<float> takeChannel(ArrayRef<float> values, int64_t channels,
                               int64_t inner, int64_t channel) {
  std::vector<float> taken;
  int64_t size = values.size();
  for (int64_t i = channel * inner; i < size; i += channels * inner)
    llvm::append_range(taken, values.slice(i, inner));
  return taken;
}

std::optional<ChannelIntegers>
recogniseFloats(ArrayRef<float> values, ArrayRef<int64_t> shape, int64_t dim) {
  ChannelIntegers weights;
  int64_t channels = shape[dim], inner = getInnerSize(shape, dim);
  for (int64_t n = 0; n < channels; ++n) {
    std::optional<double> scale =
        findScale(takeChannel(values, channels, inner, n));
    if (!scale)
      return std::nullopt;
    weights.scales.push_back(*scale);
  }
  for (size_t i = 0; i < values.size(); ++i) {
    double k = std::nearbyint(values[i] / weights.scales[i / inner % channels]);
    weights.values.push_back(static_cast<int8_t>(k));
    weights.levels =
        std::max(weights.levels, static_cast<int64_t>(std::abs(k)));
  }
  return weights;
}

/// Integers of a quantised constant without zero points, divided by what
/// all of a channel have in common.
std::optional<ChannelIntegers> recogniseIntegers(ConstantOp constant,
                                                 int64_t dim) {
  FailureOr<std::vector<int64_t>> stored = readIntegers(constant);
  ShapedType type = constant.getType();
  ArrayRef<int64_t> shape = type.getShape();
  int64_t channels = shape[dim], inner = getInnerSize(shape, dim);
  SmallVector<double> scales(channels);
  SmallVector<int64_t> zeroPoints(channels);
  if (auto uniform =
          dyn_cast<quant::UniformQuantizedType>(type.getElementType())) {
    llvm::fill(scales, uniform.getScale());
    llvm::fill(zeroPoints, uniform.getZeroPoint());
  } else if (auto perAxis = dyn_cast<quant::UniformQuantizedPerAxisType>(
                 type.getElementType());
             perAxis && perAxis.getQuantizedDimension() == dim) {
    scales.assign(perAxis.getScales().begin(), perAxis.getScales().end());
    zeroPoints.assign(perAxis.getZeroPoints().begin(),
                      perAxis.getZeroPoints().end());
  } else {
    return std::nullopt;
  }
  if (failed(stored))
    return std::nullopt;
  SmallVector<int64_t> divisor(channels, 0);
  for (auto [i, q] : llvm::enumerate(*stored)) {
    int64_t n = static_cast<int64_t>(i) / inner % channels;
    q -= zeroPoints[n];
    divisor[n] = std::gcd(divisor[n], q);
  }
  ChannelIntegers weights;
  for (auto [i, q] : llvm::enumerate(*stored)) {
    int64_t n = static_cast<int64_t>(i) / inner % channels;
    int64_t k = divisor[n] ? q / divisor[n] : 0;
    if (std::abs(k) > 127)
      return std::nullopt;
    weights.values.push_back(static_cast<int8_t>(k));
    weights.levels = std::max(weights.levels, std::abs(k));
  }
  for (int64_t n = 0; n < channels; ++n)
    weights.scales.push_back(divisor[n] ? scales[n] * divisor[n] : 1.0);
  return weights;
}

/// Whether the activations that `op` reads arrive quantised.
bool readsIntegers(CrossbarOpInterface op) {
  return op.getCrossbarInput().getDefiningOp<DequantizeOp>() ||
         getUniformType(op.getCrossbarInput());
}

/// The weights of `op` as exact integers where they are such; null when they
/// stay.
Value recogniseWeights(CrossbarOpInterface op) {
  Value weights = op.getCrossbarWeights();
  auto type = cast<RankedTensorType>(weights.getType());
  int64_t dim = op.getCrossbarChannelDim();
  if (dim >= type.getRank())
    return {};
  OpBuilder builder(op);
  std::optional<ChannelIntegers> integers;
  Location loc = weights.getLoc();
  if (auto dequantize = weights.getDefiningOp<DequantizeOp>()) {
    auto constant = dequantize.getInput().getDefiningOp<ConstantOp>();
    if (!constant)
      return {};
    integers = recogniseIntegers(constant, dim);
    // Integers are only a way to store the file when activations are float.
    if (integers && integers->levels > maxFloatLevels && !readsIntegers(op))
      integers.reset();
    if (!integers) {
      FailureOr<std::vector<float>> reals = readReals(weights);
      return succeeded(reals) ? createFloats(builder, loc, type.getShape(),
                                             *reals, "weights")
                              : Value();
    }
  } else {
    FailureOr<std::vector<float>> values = readFloats(weights);
    if (failed(values))
      return {};
    integers = recogniseFloats(*values, type.getShape(), dim);
  }
  return integers ? createWeights(builder, loc, type.getShape(), dim, *integers)
                  : Value();
}

struct RecogniseQuantizersPass
    : nn::impl::RecogniseQuantizersPassBase<RecogniseQuantizersPass> {
  using RecogniseQuantizersPassBase::RecogniseQuantizersPassBase;

  void runOnOperation() override {
    RewritePatternSet chains(&getContext());
    chains.add<RecogniseChain, NarrowQuantize>(&getContext());
    if (failed(applyPatternsGreedily(getOperation(), std::move(chains))))
      return signalPassFailure();
    // Ops that share a matrix go on to do so.
    llvm::DenseMap<std::pair<MatrixKey, int>, Value> recognised;
    getOperation()->walk([&](CrossbarOpInterface op) {
      auto [entry, isNew] =
          recognised.try_emplace({getMatrixKey(op), readsIntegers(op)});
      if (isNew)
        entry->second = recogniseWeights(op);
      if (entry->second)
        op->replaceUsesOfWith(op.getCrossbarWeights(), entry->second);
    });
    RewritePatternSet movement(&getContext());
    populateQuantizationMovement(movement);
    if (failed(applyPatternsGreedily(getOperation(), std::move(movement))))
      signalPassFailure();
  }
};

} // namespace
