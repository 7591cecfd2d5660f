// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// BatchNormalization and Dropout as they are at inference.
#include "NodeBinder.h"

using namespace mlir;

namespace cim::onnx {

static LogicalResult importBatchNorm(NodeBinder &b) {
  b.ignore({"momentum"});
  if (b.getBool("training_mode", false))
    return b.error() << "training mode is not supported, export the model for "
                        "inference";
  bool isSpatial = b.opset() >= 9 || b.getBool("spatial", true);
  if (failed(b.refuseOutputs(1, "statistics of training")))
    return failure();
  Value input = b.floatInput(0), scale = b.floatInput(1),
        bias = b.floatInput(2), mean = b.floatInput(3),
        variance = b.floatInput(4);
  float epsilon = b.getFloat("epsilon", 1e-5f);
  if (isSpatial)
    return b.result(b.create<nn::BatchNormOp>(
        input, scale, bias, mean, variance, llvm::APFloat(epsilon)));
  // Statistics of each activation, of all dimensions but the first.
  Value deviation = b.create<nn::SqrtOp>(
      b.create<nn::AddOp>(variance, b.createScalar(epsilon)));
  Value normal =
      b.create<nn::DivOp>(b.create<nn::SubOp>(input, mean), deviation);
  return b.result(
      b.create<nn::AddOp>(b.create<nn::MulOp>(normal, scale), bias));
}

/// Nothing is dropped: the mask is true everywhere. Before opset 10 it has the
/// type of the data.
static LogicalResult dropNothing(NodeBinder &b) {
  if (b.isOutputUsed(1)) {
    DataType type = b.opset() < 10 ? DataType::Float : DataType::Bool;
    SmallVector<int64_t> shape = b.shape(0);
    Tensor one = type == DataType::Bool ? fromInts(type, {}, 1)
                                        : fromDoubles(type, {}, 1.0);
    Value mask = b.createBroadcast(b.createConstant(one), shape);
    if (failed(b.result(mask, 1)))
      return failure();
  }
  return b.forward(0);
}

static LogicalResult importDropoutAttribute(NodeBinder &b) {
  b.ignore({"ratio"});
  return dropNothing(b);
}

static LogicalResult importDropout(NodeBinder &b) {
  b.ignore({"seed"});
  bool isTraining = b.hasInput(2) && b.constantNumber(2, "training_mode") != 0;
  if (isTraining && (!b.hasInput(1) || b.constantNumber(1, "ratio") != 0))
    return b.error() << "training mode is not supported, export the model for "
                        "inference";
  return b.failed() ? failure() : dropNothing(b);
}

void registerNormalization(HandlerTable &table) {
  table.add("BatchNormalization",
            {Place::Folded, "inference; into the preceding Conv or Gemm, else "
                            "digital"},
            {{7, importBatchNorm}});
  table.add("Dropout", {Place::Folded, "inference, or a ratio of 0"},
            {{7, importDropoutAttribute}, {12, importDropout}});
}

} // namespace cim::onnx
