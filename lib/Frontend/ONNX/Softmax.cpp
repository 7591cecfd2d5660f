// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Softmax, LogSoftmax and Hardmax.
#include "Softmax.h"
#include "FlatIndex.h"
#include "Ranking.h"
#include "Reduction.h"

using namespace mlir;

namespace cim::onnx {

using AlongAxis = Value (*)(NodeBinder &b, Value x, int64_t axis);

static Value softmax(NodeBinder &b, Value x, int64_t axis) {
  return b.create<nn::SoftmaxOp>(x, axis);
}

Value createLogSoftmax(NodeBinder &b, Value x, int64_t axis) {
  Value max = createReduce(b, nn::Reduction::Max, x, axis, true);
  Value shifted = b.create<nn::SubOp>(x, max);
  Value sum = createReduce(b, nn::Reduction::Sum, b.create<nn::ExpOp>(shifted),
                           axis, true);
  return b.create<nn::SubOp>(shifted, b.create<nn::LogOp>(sum));
}

/// 1 at the first of the largest numbers, else 0.
static Value hardmax(NodeBinder &b, Value x, int64_t axis) {
  Value first = createArgMax(b, x, axis, /*takesLast=*/false);
  if (b.failed())
    return {};
  auto type = cast<ShapedType>(x.getType());
  Value positions =
      createPositions(b, type.getDimSize(axis), axis, type.getRank());
  Value isFirst =
      b.create<nn::CompareOp>(positions, first, nn::Predicate::Equal);
  return b.createCast(isFirst, Float32Type::get(b.context()));
}

template <AlongAxis kFunction>
static LogicalResult importAlongAxis(NodeBinder &b) {
  int64_t axis = b.normalizeAxis(b.getInt("axis", -1), b.shape(0).size());
  Value x = b.floatInput(0);
  return b.failed() ? failure() : b.result(kFunction(b, x, axis));
}

/// Before opset 13 all dimensions from `axis` on are one.
template <AlongAxis kFunction>
static LogicalResult importFlattened(NodeBinder &b) {
  SmallVector<int64_t> shape = b.shape(0);
  int64_t axis = b.normalizeAxis(b.getInt("axis", 1), shape.size());
  Value x = b.floatInput(0);
  if (b.failed())
    return failure();
  ArrayRef<int64_t> dims = shape;
  Value rows = b.createReshape(x, {llvm::product_of(dims.take_front(axis)),
                                   llvm::product_of(dims.drop_front(axis))});
  return b.result(b.createReshape(kFunction(b, rows, 1), shape));
}

void registerSoftmax(HandlerTable &table) {
  const OpSummary plain{Place::Digital, ""};
  table.add("Softmax", plain,
            {{1, importFlattened<softmax>}, {13, importAlongAxis<softmax>}});
  table.add("LogSoftmax", plain,
            {{1, importFlattened<createLogSoftmax>},
             {13, importAlongAxis<createLogSoftmax>}});
  table.add("Hardmax", plain,
            {{1, importFlattened<hardmax>}, {13, importAlongAxis<hardmax>}});
}

} // namespace cim::onnx
