// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// BatchNormalization, Softmax, Dropout.
#include "NodeBinder.h"

using namespace mlir;

namespace cim::onnx {

static LogicalResult importBatchNorm(NodeBinder &b) {
  b.ignore({"momentum"});
  if (b.getBool("training_mode", false))
    return b.error() << "training mode is not supported, export the model for "
                        "inference";
  if (b.opset() < 9 && !b.getBool("spatial", true))
    return b.error() << "statistics per activation (spatial = 0) are not "
                        "supported";
  if (failed(b.refuseOutputs(1, "statistics of training")))
    return failure();
  Value input = b.floatInput(0), scale = b.floatInput(1),
        bias = b.floatInput(2), mean = b.floatInput(3),
        variance = b.floatInput(4);
  llvm::APFloat epsilon(b.getFloat("epsilon", 1e-5f));
  return b.result(
      b.create<nn::BatchNormOp>(input, scale, bias, mean, variance, epsilon));
}

static LogicalResult importSoftmax(NodeBinder &b) {
  int64_t rank = b.shape(0).size();
  int64_t axis = b.normalizeAxis(b.getInt("axis", -1), rank);
  Value input = b.floatInput(0);
  return b.result(b.create<nn::SoftmaxOp>(input, axis));
}

/// Before opset 13 all dimensions from `axis` on are one.
static LogicalResult importSoftmax2D(NodeBinder &b) {
  SmallVector<int64_t> shape = b.shape(0);
  int64_t axis = b.normalizeAxis(b.getInt("axis", 1), shape.size());
  Value input = b.floatInput(0);
  if (b.failed())
    return failure();
  ArrayRef<int64_t> dims = shape;
  Value rows =
      b.createReshape(input, {llvm::product_of(dims.take_front(axis)),
                              llvm::product_of(dims.drop_front(axis))});
  return b.result(
      b.createReshape(b.create<nn::SoftmaxOp>(rows, int64_t(1)), shape));
}

static LogicalResult importDropout(NodeBinder &b) {
  b.ignore({"ratio", "seed"});
  if (b.hasInput(2) && b.constantNumber(2, "training_mode") != 0)
    return b.error() << "training mode is not supported, export the model for "
                        "inference";
  if (b.failed() || failed(b.refuseOutputs(1, "mask")))
    return failure();
  return b.forward(0);
}

void registerNormalization(HandlerTable &table) {
  table.add("BatchNormalization",
            {Place::Folded, "inference; into the preceding Conv or Gemm, else "
                            "digital"},
            {{7, importBatchNorm}});
  table.add("Softmax", {Place::Digital, "float"},
            {{1, importSoftmax2D}, {13, importSoftmax}});
  table.add("Dropout", {Place::Folded, "inference, without the mask"},
            {{7, importDropout}});
}

} // namespace cim::onnx
