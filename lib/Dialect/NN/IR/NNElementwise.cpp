// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Element-wise ops of the nn dialect.
#include "Inference.h"

using namespace mlir;
using namespace cim::nn;

/// Broadcast shape of two operands of one element type.
static FailureOr<SmallVector<int64_t>>
inferPair(std::optional<Location> location, Value a, Value b) {
  auto typeA = cast<ShapedType>(a.getType());
  auto typeB = cast<ShapedType>(b.getType());
  if (typeA.getElementType() != typeB.getElementType())
    return inferenceError(
        location, "expected operands of one element type, but got ",
        typeA.getElementType(), " and ", typeB.getElementType());
  return inferBroadcast(location, typeA.getShape(), typeB.getShape());
}

/// Result type of a binary op; of the operands' element type unless given.
static LogicalResult inferBinary(std::optional<Location> location, Value a,
                                 Value b, SmallVectorImpl<Type> &types,
                                 Type element = {}) {
  FailureOr<SmallVector<int64_t>> shape = inferPair(location, a, b);
  if (failed(shape))
    return failure();
  if (!element)
    element = cast<ShapedType>(a.getType()).getElementType();
  types.push_back(RankedTensorType::get(*shape, element));
  return success();
}

#define CIM_INFER_BINARY(OP)                                                   \
  LogicalResult OP::inferReturnTypes(                                          \
      MLIRContext *, std::optional<Location> location, Adaptor adaptor,        \
      SmallVectorImpl<Type> &types) {                                          \
    return inferBinary(location, adaptor.getA(), adaptor.getB(), types);       \
  }
CIM_INFER_BINARY(AddOp)
CIM_INFER_BINARY(SubOp)
CIM_INFER_BINARY(MulOp)
CIM_INFER_BINARY(DivOp)
CIM_INFER_BINARY(PowOp)
CIM_INFER_BINARY(ModOp)
CIM_INFER_BINARY(MaxOp)
CIM_INFER_BINARY(MinOp)
CIM_INFER_BINARY(AndOp)
CIM_INFER_BINARY(OrOp)
CIM_INFER_BINARY(XorOp)
CIM_INFER_BINARY(ShiftLeftOp)
CIM_INFER_BINARY(ShiftRightOp)
#undef CIM_INFER_BINARY

LogicalResult CompareOp::inferReturnTypes(MLIRContext *context,
                                          std::optional<Location> location,
                                          Adaptor adaptor,
                                          SmallVectorImpl<Type> &types) {
  return inferBinary(location, adaptor.getA(), adaptor.getB(), types,
                     IntegerType::get(context, 1));
}

LogicalResult SelectOp::inferReturnTypes(MLIRContext *,
                                         std::optional<Location> location,
                                         Adaptor adaptor,
                                         SmallVectorImpl<Type> &types) {
  auto condition = cast<ShapedType>(adaptor.getCondition().getType());
  FailureOr<SmallVector<int64_t>> shape =
      inferPair(location, adaptor.getA(), adaptor.getB());
  if (succeeded(shape))
    shape = inferBroadcast(location, condition.getShape(), *shape);
  if (failed(shape))
    return failure();
  types.push_back(
      cast<RankedTensorType>(adaptor.getA().getType()).clone(*shape));
  return success();
}

LogicalResult BatchNormOp::inferReturnTypes(MLIRContext *,
                                            std::optional<Location> location,
                                            Adaptor adaptor,
                                            SmallVectorImpl<Type> &types) {
  auto input = cast<ShapedType>(adaptor.getInput().getType());
  if (input.getRank() < 2)
    return inferenceError(location,
                          "expected an input of rank 2 or more, but "
                          "got rank ",
                          input.getRank());
  int64_t channels = input.getDimSize(1);
  std::pair<StringRef, Value> statistics[] = {
      {"scale", adaptor.getScale()},
      {"bias", adaptor.getBias()},
      {"mean", adaptor.getMean()},
      {"variance", adaptor.getVariance()}};
  for (auto [name, value] : statistics) {
    auto type = cast<ShapedType>(value.getType());
    if (type.getRank() != 1 || type.getDimSize(0) != channels)
      return inferenceError(location, "expected '", name, "' of shape [",
                            channels, "], one value per channel, but got [",
                            type.getShape(), "]");
  }
  types.push_back(input);
  return success();
}

LogicalResult ClampOp::verify() {
  if (!(getLo() <= getHi()))
    return emitOpError("expects lo <= hi, but got ")
           << getLoAttr() << " and " << getHiAttr();
  return success();
}
