// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// quant.scast takes signless integers, ONNX has unsigned ones too.
#include "StorageCast.h"
#include "mlir/Dialect/Quant/IR/Quant.h"
#include "mlir/IR/BuiltinOps.h"

using namespace mlir;

namespace cim::onnx {

IntegerType storageType(quant::QuantizedType type) {
  return IntegerType::get(type.getContext(), type.getStorageTypeIntegralWidth(),
                          type.isSigned() ? IntegerType::Signless
                                          : IntegerType::Unsigned);
}

/// Changes the signedness of integers only.
static Value reinterpret(OpBuilder &builder, Location loc, Value value,
                         Type element) {
  auto type = cast<ShapedType>(value.getType());
  if (type.getElementType() == element)
    return value;
  return UnrealizedConversionCastOp::create(builder, loc, type.clone(element),
                                            value)
      .getResult(0);
}

Value toStorage(OpBuilder &builder, Location loc, Value value) {
  auto type = cast<ShapedType>(value.getType());
  auto quantized = dyn_cast<quant::QuantizedType>(type.getElementType());
  if (!quantized)
    return value;
  Value stored = quant::StorageCastOp::create(
      builder, loc, type.clone(quantized.getStorageType()), value);
  return reinterpret(builder, loc, stored, storageType(quantized));
}

Value fromStorage(OpBuilder &builder, Location loc, Value value,
                  quant::QuantizedType type) {
  Value stored = reinterpret(builder, loc, value, type.getStorageType());
  return quant::StorageCastOp::create(
      builder, loc, cast<ShapedType>(value.getType()).clone(type), stored);
}

} // namespace cim::onnx
