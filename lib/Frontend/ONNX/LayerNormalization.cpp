// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Normalisation by statistics of the operand itself.
#include "Reduction.h"

using namespace mlir;

namespace cim::onnx {

using nn::shapeOf;

static SmallVector<int64_t> dimsFrom(int64_t first, int64_t rank) {
  return llvm::to_vector(llvm::seq(first, std::max(first, rank)));
}

namespace {
/// A tensor with mean 0 and variance 1, and what it was made with.
struct Standardized {
  Value normal, mean, inverseDeviation;
};
} // namespace

static Value inverseRoot(NodeBinder &b, Value square, float epsilon) {
  Value sum = b.create<nn::AddOp>(square, b.createScalar(epsilon));
  return b.create<nn::DivOp>(b.createScalar(1), b.create<nn::SqrtOp>(sum));
}

static Value meanSquare(NodeBinder &b, Value x, ArrayRef<int64_t> axes) {
  return createReduce(b, nn::Reduction::Mean, b.create<nn::MulOp>(x, x), axes,
                      true);
}

static Standardized standardize(NodeBinder &b, Value x, ArrayRef<int64_t> axes,
                                float epsilon) {
  Value mean = createReduce(b, nn::Reduction::Mean, x, axes, true);
  Value centred = b.create<nn::SubOp>(x, mean);
  Value inverse = inverseRoot(b, meanSquare(b, centred, axes), epsilon);
  return {b.create<nn::MulOp>(centred, inverse), mean, inverse};
}

/// `normal * scale + bias`; scale and bias broadcast to `normal`.
static Value scaleAndShift(NodeBinder &b, Value normal, Value scale,
                           Value bias) {
  Value result = b.create<nn::MulOp>(normal, scale);
  if (bias)
    result = b.create<nn::AddOp>(result, bias);
  if (result && result.getType() != normal.getType()) {
    b.error() << "expected scale and bias to broadcast to "
              << shapeText(shapeOf(normal)) << ", but got "
              << shapeText(shapeOf(scale))
              << (bias ? " and " + shapeText(shapeOf(bias)) : "");
    return {};
  }
  return result;
}

/// A number for each of `count` channels, for dimension 1 of rank `rank`.
static Value perChannel(NodeBinder &b, size_t index, int64_t count,
                        int64_t rank) {
  Value value = b.floatInput(index);
  if (b.failed())
    return {};
  if (shapeOf(value) != ArrayRef<int64_t>{count}) {
    b.error() << "expected operand " << index << " to have shape " << count
              << ", but got " << shapeText(shapeOf(value));
    return {};
  }
  SmallVector<int64_t> shape(rank - 1, 1);
  shape[0] = count;
  return b.createReshape(value, shape);
}

/// The operand, N x C x spatial dimensions; null on error.
static Value channelsInput(NodeBinder &b, int64_t leastRank) {
  Value x = b.floatInput(0);
  int64_t rank = b.shape(0).size();
  if (b.failed() || rank >= leastRank)
    return x;
  b.error() << "expected an operand of rank " << leastRank
            << " or more (N x C x spatial), but got rank " << rank;
  return {};
}

//===----------------------------------------------------------------------===//
// Mean and variance
//===----------------------------------------------------------------------===//

static LogicalResult importLayerNorm(NodeBinder &b) {
  b.ignore({"stash_type"});
  float epsilon = b.getFloat("epsilon", 1e-5f);
  int64_t rank = b.shape(0).size();
  int64_t axis = b.normalizeAxis(b.getInt("axis", -1), rank);
  Value x = b.floatInput(0), scale = b.floatInput(1),
        bias = b.optionalFloatInput(2);
  if (b.failed())
    return failure();
  Standardized s = standardize(b, x, dimsFrom(axis, rank), epsilon);
  if (failed(b.result(s.mean, 1)) || failed(b.result(s.inverseDeviation, 2)))
    return failure();
  return b.result(scaleAndShift(b, s.normal, scale, bias));
}

static LogicalResult importInstanceNorm(NodeBinder &b) {
  float epsilon = b.getFloat("epsilon", 1e-5f);
  Value x = channelsInput(b, 3);
  if (b.failed())
    return failure();
  ArrayRef<int64_t> shape = shapeOf(x);
  int64_t rank = shape.size();
  Value scale = perChannel(b, 1, shape[1], rank),
        bias = perChannel(b, 2, shape[1], rank);
  Value normal = standardize(b, x, dimsFrom(2, rank), epsilon).normal;
  return b.result(b.failed() ? Value() : scaleAndShift(b, normal, scale, bias));
}

/// Before opset 21 there is a scale for each group, then for each channel.
template <bool kPerGroup> static LogicalResult importGroupNorm(NodeBinder &b) {
  b.ignore({"stash_type"});
  float epsilon = b.getFloat("epsilon", 1e-5f);
  int64_t groups = b.getInt("num_groups", 0);
  Value x = channelsInput(b, 2);
  if (b.failed())
    return failure();
  ArrayRef<int64_t> shape = shapeOf(x);
  if (groups < 1 || shape[1] % groups != 0)
    return b.error() << "expected 'num_groups' to divide the " << shape[1]
                     << " channels, but got " << groups;
  int64_t rank = kPerGroup ? 3 : shape.size();
  int64_t count = kPerGroup ? groups : shape[1];
  Value scale = perChannel(b, 1, count, rank),
        bias = perChannel(b, 2, count, rank);
  int64_t size = llvm::product_of(shape.drop_front(1)) / groups;
  Value grouped = b.createReshape(x, {shape[0], groups, size});
  Value normal = standardize(b, grouped, 2, epsilon).normal;
  if (!kPerGroup)
    normal = b.createReshape(normal, shape);
  if (b.failed())
    return failure();
  return b.result(
      b.createReshape(scaleAndShift(b, normal, scale, bias), shape));
}

static LogicalResult importMeanVarianceNorm(NodeBinder &b) {
  SmallVector<int64_t> given =
      b.getInts("axes").value_or(SmallVector<int64_t>{0, 2, 3});
  SmallVector<int64_t> axes = b.normalizeAxes(given, b.shape(0).size());
  Value x = b.floatInput(0);
  Value mean = createReduce(b, nn::Reduction::Mean, x, axes, true);
  Value centred = b.create<nn::SubOp>(x, mean);
  Value deviation = b.create<nn::SqrtOp>(meanSquare(b, centred, axes));
  // As ONNX's function body: a constant operand gives 0.
  Value divisor = b.create<nn::AddOp>(deviation, b.createScalar(1e-9f));
  return b.result(b.create<nn::DivOp>(centred, divisor));
}

//===----------------------------------------------------------------------===//
// Norms
//===----------------------------------------------------------------------===//

static LogicalResult importRMSNorm(NodeBinder &b) {
  b.ignore({"stash_type"});
  float epsilon = b.getFloat("epsilon", 1e-5f);
  int64_t rank = b.shape(0).size();
  int64_t axis = b.normalizeAxis(b.getInt("axis", -1), rank);
  Value x = b.floatInput(0), scale = b.floatInput(1);
  if (b.failed())
    return failure();
  Value square = meanSquare(b, x, dimsFrom(axis, rank));
  Value normal = b.create<nn::MulOp>(x, inverseRoot(b, square, epsilon));
  return b.result(scaleAndShift(b, normal, scale, {}));
}

/// What has the norm 0 stays 0.
static LogicalResult importLpNorm(NodeBinder &b) {
  int64_t p = b.getInt("p", 2);
  int64_t axis = b.normalizeAxis(b.getInt("axis", -1), b.shape(0).size());
  Value x = b.floatInput(0);
  if (b.failed())
    return failure();
  if (p != 1 && p != 2)
    return b.error() << "expected 'p' to be 1 or 2, but got " << p;
  Value terms = p == 1 ? b.create<nn::AbsOp>(x) : b.create<nn::MulOp>(x, x);
  Value norm = createReduce(b, nn::Reduction::Sum, terms, axis, true);
  if (p == 2)
    norm = b.create<nn::SqrtOp>(norm);
  Value isZero =
      b.create<nn::CompareOp>(norm, b.createScalar(0), nn::Predicate::Equal);
  Value divisor = b.create<nn::SelectOp>(isZero, b.createScalar(1), norm);
  return b.result(b.create<nn::DivOp>(x, divisor));
}

/// The mean of squares over a window of channels, whose padding counts as 0.
static Value meanOverChannels(NodeBinder &b, Value x, int64_t size) {
  ArrayRef<int64_t> shape = shapeOf(x);
  Value flat = b.createReshape(
      b.create<nn::MulOp>(x, x),
      {shape[0], 1, shape[1], llvm::product_of(shape.drop_front(2))});
  Value mean = b.create<nn::AvgPoolOp>(
      flat, ArrayRef<int64_t>{size, 1}, ArrayRef<int64_t>{1, 1},
      ArrayRef<int64_t>{1, 1},
      ArrayRef<int64_t>{(size - 1) / 2, 0, size / 2, 0}, /*ceil_mode=*/false,
      /*count_include_pad=*/true);
  return b.createReshape(mean, shape);
}

static LogicalResult importLRN(NodeBinder &b) {
  float alpha = b.getFloat("alpha", 1e-4f), beta = b.getFloat("beta", 0.75f),
        bias = b.getFloat("bias", 1);
  int64_t size = b.getInt("size", 0);
  Value x = channelsInput(b, 2);
  if (b.failed())
    return failure();
  // Beyond all channels there are only zeros.
  if (size < 1 || size > 2 * shapeOf(x)[1])
    return b.error() << "expected 'size' in [1, " << 2 * shapeOf(x)[1]
                     << "], twice the channels, but got " << size;
  Value mean = meanOverChannels(b, x, size);
  Value sum = b.create<nn::AddOp>(
      b.create<nn::MulOp>(mean, b.createScalar(alpha)), b.createScalar(bias));
  Value divisor = b.create<nn::PowOp>(sum, b.createScalar(beta));
  return b.result(b.create<nn::DivOp>(x, divisor));
}

void registerLayerNormalization(HandlerTable &table) {
  const OpSummary plain{Place::Digital, ""};
  table.add("LayerNormalization", plain, {{17, importLayerNorm}});
  table.add("InstanceNormalization", plain, {{6, importInstanceNorm}});
  table.add("GroupNormalization", plain,
            {{18, importGroupNorm<true>}, {21, importGroupNorm<false>}});
  table.add("MeanVarianceNormalization", plain, {{9, importMeanVarianceNorm}});
  table.add("RMSNormalization", plain, {{23, importRMSNorm}});
  table.add("LpNormalization", plain, {{1, importLpNorm}});
  table.add("LRN", plain, {{1, importLRN}});
}

} // namespace cim::onnx
