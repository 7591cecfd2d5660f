// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// nn-fold-batch-norm: per-channel scale and shift become part of weights and
// bias.
#include "MovedAxis.h"
#include "cim/Dialect/NN/Transforms/ConstantData.h"
#include "cim/Dialect/NN/Transforms/Passes.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"
#include <cmath>

namespace cim::nn {
#define GEN_PASS_DEF_FOLDBATCHNORMPASS
#include "cim/Dialect/NN/Transforms/Passes.h.inc"
} // namespace cim::nn

using namespace mlir;
using namespace cim;
using namespace cim::nn;

namespace {

/// `y * scale + shift` per output channel.
struct Affine {
  std::vector<double> scale, shift;
};

/// The dimension of the result of `op` that counts output channels.
int64_t getResultChannelDim(Operation *op) {
  return isa<ConvOp>(op)
             ? 1
             : cast<ShapedType>(op->getResultTypes()[0]).getRank() - 1;
}

/// `values` broadcast over `shape` as one value per index of dimension `dim`
/// of a tensor of rank `rank`; failure when it varies along another dimension.
FailureOr<std::vector<double>> asChannels(ArrayRef<float> values,
                                          ArrayRef<int64_t> shape, int64_t rank,
                                          int64_t dim, int64_t channels) {
  int64_t offset = rank - static_cast<int64_t>(shape.size());
  if (offset < 0)
    return failure();
  for (auto [i, extent] : llvm::enumerate(shape))
    if (extent != 1 && offset + static_cast<int64_t>(i) != dim)
      return failure();
  if (values.size() == 1)
    return std::vector<double>(channels, values.front());
  if (static_cast<int64_t>(values.size()) != channels)
    return failure();
  return std::vector<double>(values.begin(), values.end());
}

/// Scale and shift of a batch normalisation with constant statistics.
FailureOr<Affine> getAffine(BatchNormOp op) {
  FailureOr<std::vector<float>> scale = readFloats(op.getScale()),
                                bias = readFloats(op.getBias()),
                                mean = readFloats(op.getMean()),
                                variance = readFloats(op.getVariance());
  if (failed(scale) || failed(bias) || failed(mean) || failed(variance))
    return failure();
  double epsilon = op.getEpsilon().convertToDouble();
  Affine affine;
  for (size_t c = 0; c < scale->size(); ++c) {
    double s = (*scale)[c] / std::sqrt((*variance)[c] + epsilon);
    affine.scale.push_back(s);
    affine.shift.push_back((*bias)[c] - (*mean)[c] * s);
  }
  return affine;
}

/// A rounding that `value` reaches through at most one clamp.
bool feedsRounding(Value value) {
  for (Operation *user : value.getUsers()) {
    if (isa<FloorOp, RoundOp>(user))
      return true;
    if (isa<ClampOp>(user) &&
        llvm::any_of(user->getUsers(), [](Operation *next) {
          return isa<FloorOp, RoundOp>(next);
        }))
      return true;
  }
  return false;
}

/// Weights with every output channel times `scale`, in binary64, rounded once.
std::vector<float> scaleChannels(std::vector<float> weights,
                                 ArrayRef<int64_t> shape, int64_t dim,
                                 ArrayRef<double> scale) {
  int64_t inner = 1;
  for (int64_t extent : shape.drop_front(dim + 1))
    inner *= extent;
  for (size_t i = 0; i < weights.size(); ++i)
    weights[i] = static_cast<float>(
        weights[i] * scale[i / inner % static_cast<int64_t>(scale.size())]);
  return weights;
}

/// Removes `user`, which applies `affine` to its operand `value`: a convolution
/// or product whose only use it is, maybe through data movement, becomes one
/// whose weights and bias contain it. A scale needs constant float weights.
LogicalResult foldInto(PatternRewriter &rewriter, Operation *user, Value value,
                       Operation *producer, const Affine &affine) {
  auto crossbar = cast<CrossbarOpInterface>(producer);
  Value weights = crossbar.getCrossbarWeights();
  // A mere shift leaves the weights alone, whatever they are.
  bool isShift = llvm::all_of(affine.scale, [](double s) { return s == 1.0; });
  FailureOr<std::vector<float>> values = readFloats(weights);
  if (!isShift && failed(values))
    return rewriter.notifyMatchFailure(user, "weights are no float constant");
  // A copy of its own would take cells of its own.
  if (!isShift && !weights.hasOneUse())
    return rewriter.notifyMatchFailure(user, "weights have other users");
  std::vector<double> bias(affine.scale.size());
  if (Value old = crossbar.getCrossbarBias()) {
    FailureOr<std::vector<float>> oldBias = readFloats(old);
    if (failed(oldBias))
      return rewriter.notifyMatchFailure(user, "bias is no constant");
    llvm::copy(*oldBias, bias.begin());
  }
  std::vector<float> newBias;
  for (size_t c = 0; c < bias.size(); ++c)
    newBias.push_back(
        static_cast<float>(bias[c] * affine.scale[c] + affine.shift[c]));
  rewriter.setInsertionPoint(producer);
  Location loc = producer->getLoc();
  Value newWeights = weights;
  if (!isShift) {
    auto type = cast<ShapedType>(weights.getType());
    std::vector<float> scaled =
        scaleChannels(std::move(*values), type.getShape(),
                      crossbar.getCrossbarChannelDim(), affine.scale);
    newWeights =
        createFloats(rewriter, loc, type.getShape(), scaled, "weights");
  }
  Value newBiasValue = createFloats(
      rewriter, loc, {static_cast<int64_t>(newBias.size())}, newBias, "bias");
  Operation *fused;
  if (auto conv = dyn_cast<ConvOp>(producer))
    fused = ConvOp::create(rewriter, loc, conv.getInput(), newWeights,
                           newBiasValue, conv.getStrides(), conv.getDilations(),
                           conv.getPads(), conv.getGroups());
  else
    fused = MatMulOp::create(rewriter, loc, cast<MatMulOp>(producer).getA(),
                             newWeights, newBiasValue,
                             cast<MatMulOp>(producer).getTransposeB());
  bool isDirect = value.getDefiningOp() == producer;
  rewriter.replaceOp(producer, fused->getResults());
  rewriter.replaceOp(user, isDirect ? fused->getResult(0) : value);
  return success();
}

/// A convolution or product, and the channel of a value made of it that each of
/// its own channels belongs to.
struct Producer {
  Operation *op = nullptr;
  SmallVector<int64_t> channels;

  Affine spread(const Affine &affine) const {
    Affine result;
    for (int64_t channel : channels) {
      result.scale.push_back(affine.scale[channel]);
      result.shift.push_back(affine.shift[channel]);
    }
    return result;
  }
};

/// The convolution or product that `value`, whose channels are dimension `dim`,
/// comes from through data movement, and that nothing else reads: the blocks of
/// a transposed convolution.
Producer findProducer(Value value, int64_t dim) {
  Producer result;
  result.channels = llvm::to_vector(
      llvm::seq<int64_t>(0, cast<ShapedType>(value.getType()).getDimSize(dim)));
  Operation *op = value.getDefiningOp();
  for (; op && isa<ReshapeOp, TransposeOp, SliceOp>(op) && value.hasOneUse();
       op = value.getDefiningOp()) {
    std::optional<MovedAxis> moved = traceAxis(op, dim);
    if (!moved)
      return {};
    dim = moved->dim;
    for (int64_t &origin : moved->origin)
      origin = result.channels[origin];
    result.channels = std::move(moved->origin);
    value = op->getOperand(0);
  }
  if (!op || !isa<ConvOp, MatMulOp>(op) || !value.hasOneUse() ||
      dim != getResultChannelDim(op))
    return {};
  // The columns of a batched product differ from matrix to matrix.
  Value weights = cast<CrossbarOpInterface>(op).getCrossbarWeights();
  if (isa<MatMulOp>(op) && cast<ShapedType>(weights.getType()).getRank() != 2)
    return {};
  result.op = op;
  return result;
}

struct FoldBatchNorm : OpRewritePattern<BatchNormOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(BatchNormOp op,
                                PatternRewriter &rewriter) const override {
    FailureOr<Affine> affine = getAffine(op);
    if (failed(affine))
      return rewriter.notifyMatchFailure(op, "statistics are no constants");
    if (Producer producer = findProducer(op.getInput(), 1);
        producer.op &&
        succeeded(foldInto(rewriter, op, op.getInput(), producer.op,
                           producer.spread(*affine))))
      return success();
    // What is left: channels broadcast over the spatial dimensions.
    SmallVector<int64_t> shape(op.getType().getRank() - 1, 1);
    shape[0] = affine->scale.size();
    std::vector<float> scale(affine->scale.begin(), affine->scale.end());
    std::vector<float> shift(affine->shift.begin(), affine->shift.end());
    Value s = createFloats(rewriter, op.getLoc(), shape, scale, "scale");
    Value t = createFloats(rewriter, op.getLoc(), shape, shift, "shift");
    Value product = MulOp::create(rewriter, op.getLoc(), op.getInput(), s);
    rewriter.replaceOpWithNewOp<AddOp>(op, product, t);
    return success();
  }
};

/// `producer * c`, `producer / c`, `producer + c`, `producer - c`,
/// `c - producer` with a constant c per channel.
template <typename OpTy> struct FoldConstantOperand : OpRewritePattern<OpTy> {
  using OpRewritePattern<OpTy>::OpRewritePattern;

  LogicalResult matchAndRewrite(OpTy op,
                                PatternRewriter &rewriter) const override {
    bool swapped = succeeded(readFloats(op.getA()));
    if (swapped && std::is_same_v<OpTy, DivOp>)
      return rewriter.notifyMatchFailure(op, "a reciprocal is not affine");
    Value tensor = swapped ? op.getB() : op.getA();
    Value constant = swapped ? op.getA() : op.getB();
    FailureOr<std::vector<float>> values = readFloats(constant);
    if (failed(values) || tensor.getType() != op.getType())
      return rewriter.notifyMatchFailure(op, "not a product and a constant");
    constexpr bool isProduct =
        std::is_same_v<OpTy, MulOp> || std::is_same_v<OpTy, DivOp>;
    if (isProduct && feedsRounding(op.getResult()))
      return rewriter.notifyMatchFailure(op, "belongs to a quantiser");
    auto type = cast<ShapedType>(tensor.getType());
    // Channels come second behind convolutions, last behind products.
    for (int64_t dim : {int64_t(1), type.getRank() - 1}) {
      if (dim < 0 || dim >= type.getRank())
        continue;
      FailureOr<std::vector<double>> c =
          asChannels(*values, shapeOf(constant), type.getRank(), dim,
                     type.getDimSize(dim));
      if (failed(c))
        continue;
      Producer producer = findProducer(tensor, dim);
      if (producer.op)
        return foldInto(rewriter, op, tensor, producer.op,
                        producer.spread(makeAffine(*c, swapped)));
    }
    return rewriter.notifyMatchFailure(op, "not one value per channel");
  }

private:
  static Affine makeAffine(ArrayRef<double> c, bool swapped) {
    Affine affine{std::vector<double>(c.size(), 1.0),
                  std::vector<double>(c.size(), 0.0)};
    for (size_t i = 0; i < c.size(); ++i) {
      if constexpr (std::is_same_v<OpTy, MulOp>)
        affine.scale[i] = c[i];
      else if constexpr (std::is_same_v<OpTy, DivOp>)
        affine.scale[i] = 1.0 / c[i];
      else if constexpr (std::is_same_v<OpTy, AddOp>)
        affine.shift[i] = c[i];
      else {
        affine.scale[i] = swapped ? -1.0 : 1.0;
        affine.shift[i] = swapped ? c[i] : -c[i];
      }
    }
    return affine;
  }
};

struct FoldBatchNormPass : nn::impl::FoldBatchNormPassBase<FoldBatchNormPass> {
  using FoldBatchNormPassBase::FoldBatchNormPassBase;

  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns.add<FoldBatchNorm, FoldConstantOperand<MulOp>,
                 FoldConstantOperand<DivOp>, FoldConstantOperand<AddOp>,
                 FoldConstantOperand<SubOp>>(&getContext());
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};

} // namespace
