// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Reading and writing the numbers of nn.constant.
#include "cim/Dialect/NN/Transforms/ConstantData.h"
#include "cim/Dialect/CIM/Transforms/Elements.h"

using namespace mlir;

namespace cim::nn {

FailureOr<std::vector<float>> readFloats(Value value) {
  auto constant = value ? value.getDefiningOp<ConstantOp>() : ConstantOp();
  if (!constant || !constant.getType().getElementType().isF32())
    return failure();
  return readElements<float>(constant.getLoc(), constant.getValue());
}

FailureOr<float> readScalar(Value value) {
  FailureOr<std::vector<float>> values = readFloats(value);
  if (failed(values) || values->empty() ||
      llvm::any_of(*values, [&](float v) { return v != values->front(); }))
    return failure();
  return values->front();
}

template <typename T>
static FailureOr<std::vector<int64_t>> widen(Location loc, ElementsAttr attr) {
  FailureOr<std::vector<T>> values = readElements<T>(loc, attr);
  if (failed(values))
    return failure();
  return std::vector<int64_t>(values->begin(), values->end());
}

FailureOr<std::vector<int64_t>> readIntegers(Value value) {
  auto constant = value ? value.getDefiningOp<ConstantOp>() : ConstantOp();
  if (!constant)
    return failure();
  Location loc = constant.getLoc();
  ElementsAttr attr = constant.getValue();
  auto type = dyn_cast<IntegerType>(
      cast<ShapedType>(cast<TypedAttr>(attr).getType()).getElementType());
  if (!type)
    return failure();
  switch (type.getWidth()) {
  case 8:
    return type.isUnsigned() ? widen<uint8_t>(loc, attr)
                             : widen<int8_t>(loc, attr);
  case 16:
    return type.isUnsigned() ? widen<uint16_t>(loc, attr)
                             : widen<int16_t>(loc, attr);
  case 32:
    return type.isUnsigned() ? widen<uint32_t>(loc, attr)
                             : widen<int32_t>(loc, attr);
  case 64:
    return widen<int64_t>(loc, attr);
  default:
    return failure();
  }
}

FailureOr<std::vector<float>> readReals(Value value) {
  if (auto dequantize = value.getDefiningOp<DequantizeOp>())
    value = dequantize.getInput();
  auto type = cast<ShapedType>(value.getType());
  if (type.getElementType().isF32())
    return readFloats(value);
  FailureOr<std::vector<int64_t>> integers = readIntegers(value);
  if (failed(integers))
    return failure();
  std::vector<float> reals(integers->size());
  if (auto uniform =
          dyn_cast<quant::UniformQuantizedType>(type.getElementType())) {
    float scale = static_cast<float>(uniform.getScale());
    for (size_t i = 0; i < reals.size(); ++i)
      reals[i] = scale * ((*integers)[i] - uniform.getZeroPoint());
    return reals;
  }
  auto perAxis =
      dyn_cast<quant::UniformQuantizedPerAxisType>(type.getElementType());
  if (!perAxis)
    return failure();
  int64_t axis = perAxis.getQuantizedDimension();
  int64_t inner = 1;
  for (int64_t dim : type.getShape().drop_front(axis + 1))
    inner *= dim;
  for (size_t i = 0; i < reals.size(); ++i) {
    int64_t channel = i / inner % type.getDimSize(axis);
    reals[i] = static_cast<float>(perAxis.getScales()[channel]) *
               ((*integers)[i] - perAxis.getZeroPoints()[channel]);
  }
  return reals;
}

ConstantOp createFloats(OpBuilder &builder, Location loc,
                        ArrayRef<int64_t> shape, ArrayRef<float> values,
                        StringRef hint) {
  auto type = RankedTensorType::get(shape, builder.getF32Type());
  return ConstantOp::create(builder, loc,
                            makeElements<float>(type, values, hint));
}

ConstantOp createQuantized(OpBuilder &builder, Location loc,
                           RankedTensorType type, ArrayRef<int8_t> values,
                           StringRef hint) {
  auto storage = RankedTensorType::get(type.getShape(), builder.getI8Type());
  return ConstantOp::create(builder, loc, type,
                            makeElements<int8_t>(storage, values, hint));
}

int64_t getInnerSize(ArrayRef<int64_t> shape, int64_t dim) {
  int64_t inner = 1;
  for (int64_t extent : shape.drop_front(dim + 1))
    inner *= extent;
  return inner;
}

Value createWeights(OpBuilder &builder, Location loc, ArrayRef<int64_t> shape,
                    int64_t dim, const ChannelIntegers &weights) {
  SmallVector<int64_t> zeroPoints(weights.scales.size(), 0);
  auto element = quant::UniformQuantizedPerAxisType::get(
      quant::QuantizationFlags::Signed, builder.getI8Type(),
      builder.getF32Type(), weights.scales, zeroPoints, dim, -weights.levels,
      weights.levels);
  return createQuantized(builder, loc, RankedTensorType::get(shape, element),
                         weights.values, "weights");
}

StringRef getNodeName(Operation *op) {
  StringRef name;
  op->getLoc()->walk([&](Location part) {
    auto named = dyn_cast<NameLoc>(part);
    if (!named)
      return WalkResult::advance();
    name = named.getName();
    return WalkResult::interrupt();
  });
  return name;
}

} // namespace cim::nn
