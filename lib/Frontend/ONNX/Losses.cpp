// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Losses, which some networks carry as outputs.
#include "FlatIndex.h"
#include "Softmax.h"

using namespace mlir;

namespace cim::onnx {

/// Whether each class is the target: N x C x d1 x ... truth values.
static Value isTarget(NodeBinder &b, Value targets, int64_t classes) {
  auto type = cast<RankedTensorType>(targets.getType());
  SmallVector<int64_t> spread(type.getShape());
  spread.insert(spread.begin() + 1, 1);
  Value numbers = b.createCast(createPositions(b, classes, 1, spread.size()),
                               type.getElementType());
  return b.create<nn::CompareOp>(b.createReshape(targets, spread), numbers,
                                 nn::Predicate::Equal);
}

/// What `scores` holds at the target of each sample and position; 0 when the
/// target is no class.
static Value atTarget(NodeBinder &b, Value isTarget, Value scores) {
  Value picked = b.create<nn::SelectOp>(isTarget, scores, b.createScalar(0.0f));
  return b.create<nn::ReduceOp>(picked, nn::Reduction::Sum,
                                ArrayRef<int64_t>{1}, false);
}

/// The weight of every sample and position: that of its class, 0 where the
/// target is to be ignored.
static Value sampleWeights(NodeBinder &b, Value targets, Value isTarget,
                           int64_t classes) {
  auto type = cast<RankedTensorType>(targets.getType());
  Value weights;
  if (b.hasInput(2)) {
    SmallVector<int64_t> along(type.getRank(), 1);
    along[0] = classes;
    weights = atTarget(b, isTarget, b.createReshape(b.floatInput(2), along));
  } else {
    weights = b.createBroadcast(b.createScalar(1.0f), type.getShape());
  }
  if (!b.getAttribute("ignore_index"))
    return weights;
  Value ignored = b.create<nn::CompareOp>(
      targets,
      b.createScalar(type.getElementType(), b.getInt("ignore_index", 0)),
      nn::Predicate::Equal);
  return b.create<nn::SelectOp>(ignored, b.createScalar(0.0f), weights);
}

/// Negative log likelihood (ONNX NegativeLogLikelihoodLoss) of log
/// probabilities N x C x d1 x ... at targets N x d1 x ...
static LogicalResult bindLoss(NodeBinder &b, Value logProbabilities) {
  StringRef reduction = b.getString("reduction", "mean");
  Value targets = b.integerInput(1);
  if (b.failed() || !logProbabilities)
    return failure();
  ArrayRef<int64_t> shape =
      cast<ShapedType>(logProbabilities.getType()).getShape();
  SmallVector<int64_t> expected(shape);
  if (expected.size() > 1)
    expected.erase(expected.begin() + 1);
  if (shape.size() < 2 || b.shape(1) != expected)
    return b.error() << "expected scores of rank 2 or more and targets of "
                        "their shape without dimension 1, but got "
                     << shapeText(shape) << " and " << shapeText(b.shape(1));
  if (!llvm::is_contained({"none", "mean", "sum"}, reduction))
    return b.error()
           << "expected 'reduction' to be none, mean or sum, but got '"
           << reduction << "'";
  Value hits = isTarget(b, targets, shape[1]);
  Value weights = sampleWeights(b, targets, hits, shape[1]);
  Value losses = b.create<nn::NegOp>(
      b.create<nn::MulOp>(atTarget(b, hits, logProbabilities), weights));
  if (reduction == "none")
    return b.result(losses);
  auto total = [&](Value value) {
    return b.create<nn::ReduceOp>(
        value, nn::Reduction::Sum,
        llvm::to_vector(llvm::seq<int64_t>(0, expected.size())), false);
  };
  if (reduction == "sum")
    return b.result(total(losses));
  return b.result(b.create<nn::DivOp>(total(losses), total(weights)));
}

static LogicalResult importNegativeLogLikelihood(NodeBinder &b) {
  return bindLoss(b, b.floatInput(0));
}

static LogicalResult importSoftmaxCrossEntropy(NodeBinder &b) {
  Value scores = b.floatInput(0);
  if (b.failed())
    return failure();
  if (b.shape(0).size() < 2)
    return b.error() << "expected scores of rank 2 or more, but got "
                     << shapeText(b.shape(0));
  Value logProbabilities = createLogSoftmax(b, scores, 1);
  if (failed(bindLoss(b, logProbabilities)))
    return failure();
  return b.hasOutput(1) ? b.result(logProbabilities, 1) : success();
}

void registerLosses(HandlerTable &table) {
  const OpSummary plain{Place::Digital, ""};
  table.add("NegativeLogLikelihoodLoss", plain,
            {{12, importNegativeLogLikelihood}});
  table.add("SoftmaxCrossEntropyLoss", plain,
            {{12, importSoftmaxCrossEntropy}});
}

} // namespace cim::onnx
