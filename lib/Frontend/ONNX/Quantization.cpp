// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// QuantizeLinear and DequantizeLinear: scales and zero points become types.
#include "NodeBinder.h"
#include "StorageCast.h"

using namespace mlir;

namespace cim::onnx {

namespace {
/// Storage of a quantised ONNX type.
struct Storage {
  unsigned width;
  bool isSigned;
  int64_t lowest, highest;
};
} // namespace

static std::optional<Storage> storageOf(DataType type) {
  switch (type) {
  case DataType::Int4:
    return Storage{8, true, -8, 7};
  case DataType::UInt4:
    return Storage{8, false, 0, 15};
  case DataType::Int8:
    return Storage{8, true, INT8_MIN, INT8_MAX};
  case DataType::UInt8:
    return Storage{8, false, 0, UINT8_MAX};
  case DataType::Int16:
    return Storage{16, true, INT16_MIN, INT16_MAX};
  case DataType::UInt16:
    return Storage{16, false, 0, UINT16_MAX};
  case DataType::Int32:
    return Storage{32, true, INT32_MIN, INT32_MAX};
  default:
    return std::nullopt;
  }
}

/// The scales of operand 1, all positive and finite.
static SmallVector<double> readScales(NodeBinder &b) {
  HostTensor scale = b.host(1);
  if (b.failed())
    return {};
  if (!scale || !isFloat(scale->type) || scale->dims.size() > 1) {
    b.error() << "expected the scale to be a constant float scalar or vector"
              << (scale ? ", but got shape " + shapeText(scale->dims)
                        : std::string(", but it is computed at run time"));
    return {};
  }
  SmallVector<double> scales = toDoubles(*scale);
  for (double value : scales)
    if (!(value > 0) || !std::isfinite(value))
      b.error() << "expected positive scales, but got " << value;
  return scales;
}

/// The element type that operands 1 (scale) and 2 (zero point) of the node
/// describe for values of `shape` stored as `type`; null on error.
static Type quantizedType(NodeBinder &b, DataType type,
                          ArrayRef<int64_t> shape) {
  int64_t axis = b.getInt("axis", 1);
  if (b.getInt("block_size", 0) != 0)
    b.error() << "expected one scale per tensor or channel, but got blocks";
  SmallVector<double> scales = readScales(b);
  SmallVector<int64_t> zeroPoints(scales.size(), 0);
  if (b.hasInput(2))
    zeroPoints = b.constantInts(2, "zero point");
  std::optional<Storage> storage = storageOf(type);
  if (!b.failed() && !storage)
    b.error() << "quantisation to " << typeName(type) << " is not supported";
  if (!b.failed() && zeroPoints.size() != scales.size())
    b.error() << "expected " << scales.size()
              << " zero points, one per scale, but got " << zeroPoints.size();
  if (b.failed())
    return {};
  auto emitError = [&] { return b.error(); };
  unsigned flags = storage->isSigned ? quant::QuantizationFlags::Signed : 0;
  Type integer = IntegerType::get(b.context(), storage->width);
  Type real = Float32Type::get(b.context());
  if (scales.size() == 1)
    return quant::UniformQuantizedType::getChecked(
        emitError, flags, integer, real, scales[0], zeroPoints[0],
        storage->lowest, storage->highest);
  axis = b.normalizeAxis(axis, shape.size());
  if (!b.failed() && shape[axis] != static_cast<int64_t>(scales.size()))
    b.error() << "expected " << shape[axis]
              << " scales, one per element of dimension " << axis
              << ", but got " << scales.size();
  if (b.failed())
    return {};
  return quant::UniformQuantizedPerAxisType::getChecked(
      emitError, flags, integer, real, scales, zeroPoints, axis,
      storage->lowest, storage->highest);
}

static LogicalResult importQuantizeLinear(NodeBinder &b) {
  // Both concern float8 only; `precision` is at least that of float32 here.
  b.ignore({"saturate", "precision"});
  auto type = static_cast<DataType>(b.getInt("output_dtype", 0));
  if (b.hasInput(2) && b.host(2))
    type = b.host(2)->type;
  else if (type == DataType::Undefined)
    type = DataType::UInt8;
  Value input = b.floatInput(0);
  SmallVector<int64_t> shape = b.shape(0);
  Type element = quantizedType(b, type, shape);
  if (!element || b.failed())
    return failure();
  return b.result(b.createTyped<nn::QuantizeOp>(
      RankedTensorType::get(shape, element), input, nn::Rounding::NearestEven));
}

/// What a run-time operand says about how its integers are stored.
static DataType storedAs(Type element) {
  auto quantized = dyn_cast<quant::QuantizedType>(element);
  auto integer =
      quantized ? storageType(quantized) : dyn_cast<IntegerType>(element);
  for (DataType type : {DataType::Int8, DataType::UInt8, DataType::Int16,
                        DataType::UInt16, DataType::Int32})
    if (integer && integer == elementType(element.getContext(), type))
      return type;
  return DataType::Undefined;
}

/// Integers that are known only at run time: usually what QuantizeLinear
/// made, else a graph input.
static Value importStored(NodeBinder &b, ArrayRef<int64_t> shape) {
  Value stored = b.input(0);
  if (!stored)
    return {};
  Type found = cast<ShapedType>(stored.getType()).getElementType();
  DataType type = storedAs(found);
  if (b.hasInput(2) && b.host(2) && storageOf(b.host(2)->type)) {
    if (elementType(b.context(), b.host(2)->type) !=
        elementType(b.context(), type)) {
      b.error() << "expected integers of the zero point's type "
                << typeName(b.host(2)->type) << ", but got " << found;
      return {};
    }
    type = b.host(2)->type;
  }
  Type element = quantizedType(b, type, shape);
  if (!element || b.failed() || element == found)
    return stored;
  OpBuilder &builder = b.importState().builder;
  return fromStorage(builder, b.loc(), toStorage(builder, b.loc(), stored),
                     cast<quant::QuantizedType>(element));
}

static LogicalResult importDequantizeLinear(NodeBinder &b) {
  b.ignore({"output_dtype"});
  SmallVector<int64_t> shape = b.shape(0);
  HostTensor constant = b.host(0);
  if (b.failed())
    return failure();
  Value stored;
  if (!constant)
    stored = importStored(b, shape);
  else if (Type element = quantizedType(b, constant->type, shape))
    stored = b.createConstant(constant, element);
  if (!stored || b.failed())
    return failure();
  Type real = RankedTensorType::get(shape, Float32Type::get(b.context()));
  return b.result(b.createTyped<nn::DequantizeOp>(real, stored));
}

void registerQuantization(HandlerTable &table) {
  const char *restrictions =
      "constant scale and zero point, per tensor or channel; int4, int8, int16 "
      "and unsigned";
  table.add("QuantizeLinear", {Place::Digital, restrictions},
            {{10, importQuantizeLinear}});
  table.add("DequantizeLinear",
            {Place::Folded,
             "int32 too; constant scale and zero point, per tensor or "
             "channel"},
            {{10, importDequantizeLinear}});
}

} // namespace cim::onnx
