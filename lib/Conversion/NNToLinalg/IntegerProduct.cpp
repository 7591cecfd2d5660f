// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What convolutions and matrix products of integers share.
#include "IntegerProduct.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"

using namespace mlir;

namespace cim {

static bool isQuantized(Value value) {
  return isa<quant::QuantizedType>(typeOf(value).getElementType());
}

/// The largest magnitude of a value without its zero point.
static double magnitude(const Quantization &quantization) {
  double result = 0;
  for (int64_t zero : quantization.zeroPoints)
    result = std::max({result, std::abs(double(quantization.storageMin - zero)),
                       std::abs(double(quantization.storageMax - zero))});
  return result;
}

std::optional<IntegerOperands>
integerOperands(Value a, Value b, int64_t channelAxis, int64_t terms) {
  auto quantizationA = Quantization::get(typeOf(a).getElementType());
  auto quantizationB = Quantization::get(typeOf(b).getElementType());
  if (failed(quantizationA) || failed(quantizationB) || quantizationA->axis ||
      (quantizationB->axis && *quantizationB->axis != channelAxis))
    return std::nullopt;
  double largest = magnitude(*quantizationA) * magnitude(*quantizationB) *
                   static_cast<double>(terms);
  if (largest > std::numeric_limits<int32_t>::max())
    return std::nullopt;
  return IntegerOperands{*quantizationA, *quantizationB};
}

Value asFloat(OpBuilder &builder, Value original, Value storage) {
  if (!isQuantized(original))
    return storage;
  Value quantized = UnrealizedConversionCastOp::create(
                        builder, original.getLoc(), original.getType(), storage)
                        .getResult(0);
  return nn::DequantizeOp::create(builder, original.getLoc(),
                                  typeOf(original).clone(builder.getF32Type()),
                                  quantized);
}

/// acc + (a - zeroA) * (b - zeroB); `zeroB` is a block argument or null.
static Value integerMac(OpBuilder &builder, Location loc, Value a, Value b,
                        Value acc, Value zeroB, const IntegerOperands &info) {
  Type i32 = builder.getI32Type();
  a = createExtend(builder, loc, a, i32, info.a.isSigned);
  b = createExtend(builder, loc, b, i32, info.b.isSigned);
  if (int64_t zero = info.a.zeroPoints.front())
    a = arith::SubIOp::create(
        builder, loc, a,
        arith::ConstantOp::create(builder, loc,
                                  builder.getI32IntegerAttr(zero)));
  if (zeroB)
    b = arith::SubIOp::create(builder, loc, b, zeroB);
  return arith::AddIOp::create(builder, loc, acc,
                               arith::MulIOp::create(builder, loc, a, b));
}

Value createIntegerSum(OpBuilder &builder, Location loc,
                       RankedTensorType sumType, ValueRange operands,
                       ArrayRef<AffineMap> maps,
                       ArrayRef<utils::IteratorType> iterators,
                       const IntegerOperands &info) {
  Value init =
      createFilled(builder, loc, sumType, builder.getI32IntegerAttr(0));
  auto body = [&](OpBuilder &nested, Location at, ValueRange args) {
    Value zero = args.size() == 4 ? args[2] : Value();
    linalg::YieldOp::create(
        nested, at,
        integerMac(nested, at, args[0], args[1], args.back(), zero, info));
  };
  return linalg::GenericOp::create(builder, loc, TypeRange{sumType}, operands,
                                   ValueRange{init}, maps, iterators, body)
      .getResult(0);
}

Value scaleSum(OpBuilder &builder, Location loc, Value sum, Value bias,
               int64_t axis, const IntegerOperands &info) {
  RankedTensorType type = typeOf(sum).clone(builder.getF32Type());
  SmallVector<float> scales;
  for (double scale : info.b.scales)
    scales.push_back(float(info.a.scales.front() * scale));
  std::optional<int64_t> scaleAxis;
  if (info.b.axis)
    scaleAxis = axis;
  SmallVector<Value> operands{
      sum, createPerChannel(builder, loc, scales, scaleAxis, type.getRank())};
  if (bias)
    operands.push_back(bias);
  return createElementwise(
      builder, loc, operands, type,
      [](OpBuilder &nested, Location nestedLoc, ValueRange args) -> Value {
        Value y = arith::SIToFPOp::create(nested, nestedLoc,
                                          nested.getF32Type(), args[0]);
        y = arith::MulFOp::create(nested, nestedLoc, y, args[1]);
        if (args.size() == 3)
          y = arith::AddFOp::create(nested, nestedLoc, y, args[2]);
        return y;
      });
}

Value zeroPointTensor(OpBuilder &builder, Location loc,
                      const Quantization &quantization, int64_t channels) {
  SmallVector<int32_t> zeros(quantization.zeroPoints.begin(),
                             quantization.zeroPoints.end());
  if (zeros.size() == 1)
    zeros.assign(channels, zeros.front());
  auto type = RankedTensorType::get({channels}, builder.getI32Type());
  return arith::ConstantOp::create(
      builder, loc, DenseElementsAttr::get(type, ArrayRef<int32_t>(zeros)));
}

} // namespace cim
