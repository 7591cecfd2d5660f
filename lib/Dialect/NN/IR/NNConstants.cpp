// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// nn.constant, nn.quantize, nn.dequantize: storage and what it stands for.
#include "cim/Dialect/NN/IR/NN.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/OpImplementation.h"

using namespace mlir;
using namespace cim::nn;

/// Storage of a quantised element type: a signless or unsigned integer as
/// nn.constant holds it.
static bool isStorageOf(Type storage, quant::QuantizedType type) {
  auto integer = dyn_cast<IntegerType>(storage);
  return integer && integer.getWidth() == type.getStorageTypeIntegralWidth() &&
         integer.isUnsigned() == !type.isSigned();
}

/// A per-axis scale list must match the axis it belongs to.
static LogicalResult verifyChannels(Operation *op, ShapedType type) {
  auto perAxis =
      dyn_cast<quant::UniformQuantizedPerAxisType>(type.getElementType());
  if (!perAxis)
    return success();
  int64_t axis = perAxis.getQuantizedDimension();
  if (axis >= type.getRank())
    return op->emitOpError("quantised dimension ")
           << axis << " is outside of rank " << type.getRank();
  if (static_cast<int64_t>(perAxis.getScales().size()) != type.getDimSize(axis))
    return op->emitOpError("expects ")
           << type.getDimSize(axis) << " scales, one per element of dimension "
           << axis << ", but got " << perAxis.getScales().size();
  return success();
}

//===----------------------------------------------------------------------===//
// ConstantOp
//===----------------------------------------------------------------------===//

ParseResult ConstantOp::parse(OpAsmParser &parser, OperationState &result) {
  ElementsAttr value;
  if (parser.parseOptionalAttrDict(result.attributes) ||
      parser.parseAttribute(value, "value", result.attributes))
    return failure();
  Type type = cast<TypedAttr>(value).getType();
  if (succeeded(parser.parseOptionalKeyword("as")) && parser.parseType(type))
    return failure();
  result.addTypes(type);
  return success();
}

void ConstantOp::print(OpAsmPrinter &printer) {
  printer.printOptionalAttrDict((*this)->getAttrs(), {"value"});
  printer << ' ' << getValue();
  if (getType() != cast<TypedAttr>(getValue()).getType())
    printer << " as " << getType();
}

LogicalResult ConstantOp::verify() {
  auto storage = cast<ShapedType>(cast<TypedAttr>(getValue()).getType());
  ShapedType type = getType();
  if (storage.getShape() != type.getShape())
    return emitOpError("expects a value of shape [")
           << type.getShape() << "], but got [" << storage.getShape() << "]";
  auto quantized = dyn_cast<quant::QuantizedType>(type.getElementType());
  if (!quantized) {
    if (storage.getElementType() == type.getElementType())
      return success();
    return emitOpError("expects a value of ")
           << type.getElementType() << ", but got " << storage.getElementType();
  }
  if (!isStorageOf(storage.getElementType(), quantized))
    return emitOpError("expects a value of ")
           << (quantized.isSigned() ? "i" : "ui")
           << quantized.getStorageTypeIntegralWidth() << " to store "
           << quantized << ", but got " << storage.getElementType();
  return verifyChannels(*this, type);
}

OpFoldResult ConstantOp::fold(FoldAdaptor) { return getValue(); }

//===----------------------------------------------------------------------===//
// QuantizeOp, DequantizeOp
//===----------------------------------------------------------------------===//

static LogicalResult verifyCast(Operation *op, ShapedType real,
                                ShapedType quantized) {
  if (real.getShape() != quantized.getShape())
    return op->emitOpError("expects operand and result of one shape, but got [")
           << real.getShape() << "] and [" << quantized.getShape() << "]";
  auto type = cast<quant::QuantizedType>(quantized.getElementType());
  if (!isa<quant::UniformQuantizedType, quant::UniformQuantizedPerAxisType>(
          type))
    return op->emitOpError("expects a uniform quantised type, but got ")
           << type;
  if (type.getExpressedType() != real.getElementType())
    return op->emitOpError("expects a quantised type that expresses ")
           << real.getElementType() << ", but got " << type.getExpressedType();
  return verifyChannels(op, quantized);
}

LogicalResult QuantizeOp::verify() {
  return verifyCast(*this, getInput().getType(), getType());
}

LogicalResult DequantizeOp::verify() {
  return verifyCast(*this, getType(), getInput().getType());
}
