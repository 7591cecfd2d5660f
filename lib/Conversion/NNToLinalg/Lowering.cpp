// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Shared pieces of the lowering from nn to linalg.
#include "Lowering.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Utils/ReshapeOpsUtils.h"

using namespace mlir;

namespace cim {

static Type storageOf(Type type) {
  if (auto quantized = dyn_cast<quant::QuantizedType>(type))
    return IntegerType::get(type.getContext(),
                            quantized.getStorageTypeIntegralWidth());
  if (auto integer = dyn_cast<IntegerType>(type))
    return IntegerType::get(type.getContext(), integer.getWidth());
  return type;
}

StorageTypeConverter::StorageTypeConverter() {
  addConversion([](Type type) { return type; });
  addConversion([](RankedTensorType type) -> Type {
    return type.clone(storageOf(type.getElementType()));
  });
  auto cast = [](OpBuilder &builder, Type type, ValueRange inputs,
                 Location loc) -> Value {
    return UnrealizedConversionCastOp::create(builder, loc, type, inputs)
        .getResult(0);
  };
  addSourceMaterialization(cast);
  addTargetMaterialization(cast);
}

FailureOr<Quantization> Quantization::get(Type elementType) {
  Quantization result;
  if (auto type = dyn_cast<quant::UniformQuantizedType>(elementType)) {
    result.scales = {type.getScale()};
    result.zeroPoints = {type.getZeroPoint()};
  } else if (auto type =
                 dyn_cast<quant::UniformQuantizedPerAxisType>(elementType)) {
    llvm::append_range(result.scales, type.getScales());
    llvm::append_range(result.zeroPoints, type.getZeroPoints());
    result.axis = type.getQuantizedDimension();
  } else {
    return failure();
  }
  auto type = cast<quant::QuantizedType>(elementType);
  unsigned width = type.getStorageTypeIntegralWidth();
  if (width != 8 && width != 16)
    return failure();
  result.isSigned = type.isSigned();
  result.storageMin = type.getStorageTypeMin();
  result.storageMax = type.getStorageTypeMax();
  return result;
}

/// `input` without the dimensions that broadcast to `shape`, and the map from
/// the loops over `shape` to what is left.
static std::pair<Value, AffineMap> dropBroadcastDims(OpBuilder &builder,
                                                     Location loc, Value input,
                                                     ArrayRef<int64_t> shape) {
  auto type = cast<RankedTensorType>(input.getType());
  int64_t offset = shape.size() - type.getRank();
  SmallVector<int64_t> kept;
  SmallVector<AffineExpr> exprs;
  for (auto [index, extent] : llvm::enumerate(type.getShape())) {
    if (extent != shape[offset + index])
      continue;
    kept.push_back(extent);
    exprs.push_back(builder.getAffineDimExpr(offset + index));
  }
  return {createReshape(builder, loc, input, kept),
          AffineMap::get(shape.size(), 0, exprs, builder.getContext())};
}

Value createElementwise(OpBuilder &builder, Location loc, ValueRange inputs,
                        RankedTensorType resultType, ElementwiseBody body) {
  SmallVector<Value> operands;
  SmallVector<AffineMap> maps;
  for (Value input : inputs) {
    auto [operand, map] =
        dropBroadcastDims(builder, loc, input, resultType.getShape());
    operands.push_back(operand);
    maps.push_back(map);
  }
  maps.push_back(builder.getMultiDimIdentityMap(resultType.getRank()));
  SmallVector<utils::IteratorType> iterators(resultType.getRank(),
                                             utils::IteratorType::parallel);
  Value empty = tensor::EmptyOp::create(builder, loc, resultType.getShape(),
                                        resultType.getElementType());
  return linalg::GenericOp::create(
             builder, loc, TypeRange{resultType}, operands, ValueRange{empty},
             maps, iterators,
             [&](OpBuilder &nested, Location nestedLoc, ValueRange args) {
               linalg::YieldOp::create(
                   nested, nestedLoc,
                   body(nested, nestedLoc, args.drop_back()));
             })
      .getResult(0);
}

Value createFilled(OpBuilder &builder, Location loc, RankedTensorType type,
                   TypedAttr value) {
  Value empty = tensor::EmptyOp::create(builder, loc, type.getShape(),
                                        type.getElementType());
  Value scalar = arith::ConstantOp::create(builder, loc, value);
  return linalg::FillOp::create(builder, loc, scalar, empty).getResult(0);
}

Value createPadded(OpBuilder &builder, Location loc, Value input,
                   ArrayRef<int64_t> low, ArrayRef<int64_t> high,
                   TypedAttr value) {
  auto isZero = [](int64_t pad) { return pad == 0; };
  if (llvm::all_of(low, isZero) && llvm::all_of(high, isZero))
    return input;
  auto type = cast<RankedTensorType>(input.getType());
  SmallVector<int64_t> shape;
  for (auto [extent, begin, end] : llvm::zip_equal(type.getShape(), low, high))
    shape.push_back(extent + begin + end);
  Value scalar = arith::ConstantOp::create(builder, loc, value);
  return tensor::PadOp::create(
      builder, loc, type.clone(shape), input,
      getAsIndexOpFoldResult(builder.getContext(), low),
      getAsIndexOpFoldResult(builder.getContext(), high), scalar);
}

Value createReshape(OpBuilder &builder, Location loc, Value input,
                    ArrayRef<int64_t> shape) {
  auto type = cast<RankedTensorType>(input.getType());
  if (type.getShape() == shape)
    return input;
  RankedTensorType resultType = type.clone(shape);
  if (auto reassociation =
          getReassociationIndicesForReshape(type, resultType)) {
    if (type.getRank() > resultType.getRank())
      return tensor::CollapseShapeOp::create(builder, loc, resultType, input,
                                             *reassociation);
    return tensor::ExpandShapeOp::create(builder, loc, resultType, input,
                                         *reassociation);
  }
  Value flat = createReshape(builder, loc, input, {type.getNumElements()});
  return createReshape(builder, loc, flat, shape);
}

Value createTranspose(OpBuilder &builder, Location loc, Value input,
                      ArrayRef<int64_t> permutation) {
  auto type = cast<RankedTensorType>(input.getType());
  SmallVector<int64_t> shape;
  for (int64_t dim : permutation)
    shape.push_back(type.getDimSize(dim));
  RankedTensorType resultType = type.clone(shape);
  AffineMap inputMap = inversePermutation(
      AffineMap::getPermutationMap(permutation, builder.getContext()));
  AffineMap resultMap = builder.getMultiDimIdentityMap(shape.size());
  SmallVector<utils::IteratorType> iterators(shape.size(),
                                             utils::IteratorType::parallel);
  Value empty =
      tensor::EmptyOp::create(builder, loc, shape, type.getElementType());
  return linalg::GenericOp::create(
             builder, loc, TypeRange{resultType}, ValueRange{input},
             ValueRange{empty}, {inputMap, resultMap}, iterators,
             [&](OpBuilder &nested, Location nestedLoc, ValueRange args) {
               linalg::YieldOp::create(nested, nestedLoc, args[0]);
             })
      .getResult(0);
}

Value createFloats(OpBuilder &builder, Location loc, ArrayRef<int64_t> shape,
                   ArrayRef<float> values) {
  auto type = RankedTensorType::get(shape, builder.getF32Type());
  return arith::ConstantOp::create(builder, loc,
                                   DenseElementsAttr::get(type, values));
}

Value createPerChannel(OpBuilder &builder, Location loc, ArrayRef<float> values,
                       std::optional<int64_t> axis, int64_t rank) {
  if (!axis)
    return createFloats(builder, loc, {}, values);
  SmallVector<int64_t> shape(rank - *axis, 1);
  shape[0] = values.size();
  return createFloats(builder, loc, shape, values);
}

Value createExtend(OpBuilder &builder, Location loc, Value value, Type type,
                   bool isSigned) {
  if (value.getType() == type)
    return value;
  if (isSigned)
    return arith::ExtSIOp::create(builder, loc, type, value);
  return arith::ExtUIOp::create(builder, loc, type, value);
}

Value createMax(OpBuilder &builder, Location loc, Value a, Value b) {
  Value greater =
      arith::CmpFOp::create(builder, loc, arith::CmpFPredicate::OGT, a, b);
  return arith::SelectOp::create(builder, loc, greater, a, b);
}

Value createMin(OpBuilder &builder, Location loc, Value a, Value b) {
  Value less =
      arith::CmpFOp::create(builder, loc, arith::CmpFPredicate::OLT, a, b);
  return arith::SelectOp::create(builder, loc, less, a, b);
}

TypedAttr getStorageAttr(Type type, int64_t value) {
  llvm::APInt bits(type.getIntOrFloatBitWidth(), static_cast<uint64_t>(value),
                   /*isSigned=*/false, /*implicitTrunc=*/true);
  return IntegerAttr::get(type, bits);
}

Value createF32(OpBuilder &builder, Location loc, double value) {
  return arith::ConstantOp::create(builder, loc,
                                   builder.getF32FloatAttr(float(value)));
}

} // namespace cim
