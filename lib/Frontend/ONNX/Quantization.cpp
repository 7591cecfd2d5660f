// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// QuantizeLinear, DequantizeLinear and DynamicQuantizeLinear. Scales and zero
// points become types where they are constants, else arithmetic.
#include "Quantization.h"
#include "Compose.h"
#include "StorageCast.h"

using namespace mlir;

namespace cim::onnx {

//===----------------------------------------------------------------------===//
// Types
//===----------------------------------------------------------------------===//

std::optional<Storage> storageOf(DataType type) {
  switch (type) {
  case DataType::Int2:
    return Storage{8, true, -2, 1};
  case DataType::UInt2:
    return Storage{8, false, 0, 3};
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

/// The integers of `type`; an error when it does not quantise.
static std::optional<Storage> requireStorage(NodeBinder &b, DataType type) {
  std::optional<Storage> storage = storageOf(type);
  if (!storage)
    b.error() << "quantisation to " << typeName(type) << " is not supported";
  return storage;
}

Type quantizedType(NodeBinder &b, const Channels &channels,
                   const Storage &storage) {
  for (double scale : channels.scales)
    if (!(scale > 0) || !std::isfinite(scale))
      b.error() << "expected positive scales, but got " << scale;
  if (b.failed())
    return {};
  auto emitError = [&] { return b.error(); };
  unsigned flags = storage.isSigned ? quant::QuantizationFlags::Signed : 0;
  Type integer = IntegerType::get(b.context(), storage.width);
  Type real = Float32Type::get(b.context());
  if (!channels.axis)
    return quant::UniformQuantizedType::getChecked(
        emitError, flags, integer, real, channels.scales.front(),
        channels.zeroPoints.front(), storage.lowest, storage.highest);
  return quant::UniformQuantizedPerAxisType::getChecked(
      emitError, flags, integer, real, channels.scales, channels.zeroPoints,
      *channels.axis, storage.lowest, storage.highest);
}

//===----------------------------------------------------------------------===//
// Scales and zero points
//===----------------------------------------------------------------------===//

/// True when they are constants that a type can have.
static bool isKnown(NodeBinder &b, const QuantizationOperands &operands) {
  HostTensor scale = b.host(operands.scale);
  bool hasZeroPoint = b.hasInput(operands.zeroPoint);
  return operands.blockSize == 0 && scale &&
         (scale->dims.size() <= 1 || scale->numElements() == 1) &&
         (!hasZeroPoint || b.host(operands.zeroPoint));
}

/// What the constant operands say about values of `shape`.
static Channels readChannels(NodeBinder &b, ArrayRef<int64_t> shape,
                             const QuantizationOperands &operands) {
  Channels channels;
  HostTensor scale = b.host(operands.scale);
  if (!isFloat(scale->type))
    b.error() << "expected the scale to be float, but got "
              << typeName(scale->type);
  channels.scales = toDoubles(*scale);
  channels.zeroPoints.assign(channels.scales.size(), 0);
  if (b.hasInput(operands.zeroPoint))
    channels.zeroPoints = b.constantInts(operands.zeroPoint, "zero point");
  if (!b.failed() && channels.zeroPoints.size() != channels.scales.size())
    b.error() << "expected " << channels.scales.size()
              << " zero points, one per scale, but got "
              << channels.zeroPoints.size();
  if (channels.scales.size() == 1)
    return channels;
  int64_t axis = b.normalizeAxis(operands.axis, shape.size());
  if (!b.failed() &&
      shape[axis] != static_cast<int64_t>(channels.scales.size()))
    b.error() << "expected " << shape[axis]
              << " scales, one per element of dimension " << axis
              << ", but got " << channels.scales.size();
  channels.axis = axis;
  return channels;
}

/// One value per block of dimension `axis` as one per element.
static Value repeatBlocks(NodeBinder &b, Value value, ArrayRef<int64_t> shape,
                          int64_t axis, int64_t blockSize) {
  SmallVector<int64_t> blocks = shapeOf(value), apart(blocks), flat(blocks);
  apart.insert(apart.begin() + axis + 1, 1);
  value = b.createReshape(value, apart);
  apart[axis + 1] = blockSize;
  flat[axis] *= blockSize;
  value = b.createReshape(b.createBroadcast(value, apart), flat);
  return sliceAlong(b, value, axis, 0, shape[axis]);
}

Value spread(NodeBinder &b, Value value, ArrayRef<int64_t> shape,
             const QuantizationOperands &operands) {
  if (b.failed() || !value)
    return {};
  SmallVector<int64_t> own = shapeOf(value), blocks(shape);
  if (llvm::product_of(own) == 1)
    return b.createReshape(value, {});
  int64_t axis = b.normalizeAxis(operands.axis, shape.size());
  if (b.failed())
    return {};
  int64_t size = operands.blockSize;
  if (size > 0) {
    blocks[axis] = llvm::divideCeil(shape[axis], size);
    if (own == blocks && size <= shape[axis])
      return repeatBlocks(b, value, shape, axis, size);
  } else if (own == ArrayRef<int64_t>(shape[axis])) {
    SmallVector<int64_t> aligned(shape.size() - axis, 1);
    aligned[0] = shape[axis];
    return b.createReshape(value, aligned);
  } else if (own.size() == shape.size() &&
             llvm::all_of(llvm::zip_equal(own, shape), [](auto pair) {
               auto [extent, whole] = pair;
               return extent == 1 || extent == whole;
             })) {
    return value;
  }
  b.error() << "expected one value for the tensor, for each of " << shape[axis]
            << " elements of dimension " << axis
            << (size > 0 ? " or for each block of " + std::to_string(size)
                         : std::string())
            << ", but got shape " << shapeText(own);
  return {};
}

DataType zeroPointType(NodeBinder &b, const QuantizationOperands &operands,
                       DataType byDefault) {
  if (!b.hasInput(operands.zeroPoint))
    return byDefault;
  if (HostTensor constant = b.host(operands.zeroPoint))
    return constant->type;
  Value value = b.integerInput(operands.zeroPoint);
  return value ? dataType(cast<ShapedType>(value.getType()).getElementType())
               : byDefault;
}

static Type realType(NodeBinder &b) { return Float32Type::get(b.context()); }

/// The zero point as real numbers that broadcast to `shape`.
static Value spreadZeroPoint(NodeBinder &b, ArrayRef<int64_t> shape,
                             const QuantizationOperands &operands) {
  Value zero = b.createCast(b.integerInput(operands.zeroPoint), realType(b));
  return spread(b, zero, shape, operands);
}

//===----------------------------------------------------------------------===//
// QuantizeLinear
//===----------------------------------------------------------------------===//

Value createBounded(NodeBinder &b, Value x, DataType type) {
  std::optional<Storage> storage = requireStorage(b, type);
  if (b.failed() || !storage)
    return {};
  x = b.create<nn::ClampOp>(
      x, llvm::APFloat(static_cast<float>(storage->lowest)),
      llvm::APFloat(static_cast<float>(storage->highest)));
  return b.createCast(x, elementType(b.context(), type));
}

Value quantizeValue(NodeBinder &b, Value real, DataType type,
                    const QuantizationOperands &operands) {
  std::optional<Storage> storage = requireStorage(b, type);
  if (b.failed() || !real)
    return {};
  if (storage->width > 16) {
    b.error() << "quantisation to " << typeName(type) << " is not supported";
    return {};
  }
  SmallVector<int64_t> shape = shapeOf(real);
  if (isKnown(b, operands)) {
    Channels channels = readChannels(b, shape, operands);
    Type element = quantizedType(b, channels, *storage);
    if (!element)
      return {};
    return b.createTyped<nn::QuantizeOp>(RankedTensorType::get(shape, element),
                                         real, nn::Rounding::NearestEven);
  }
  Value scale = spread(b, b.floatInput(operands.scale), shape, operands);
  Value rounded = b.create<nn::RoundOp>(b.create<nn::DivOp>(real, scale));
  if (b.hasInput(operands.zeroPoint))
    rounded = b.create<nn::AddOp>(rounded, spreadZeroPoint(b, shape, operands));
  return createBounded(b, rounded, type);
}

/// Scale and zero point of QuantizeLinear and DequantizeLinear.
static QuantizationOperands linearOperands(NodeBinder &b) {
  return {1, 2, b.getInt("axis", 1), b.getInt("block_size", 0)};
}

static LogicalResult importQuantizeLinear(NodeBinder &b) {
  // Both concern float8 only; `precision` is at least that of float32 here.
  b.ignore({"saturate", "precision"});
  QuantizationOperands operands = linearOperands(b);
  auto type = static_cast<DataType>(b.getInt("output_dtype", 0));
  if (type == DataType::Undefined)
    type = DataType::UInt8;
  type = zeroPointType(b, operands, type);
  Value real = b.createCast(b.numberInput(0), realType(b));
  return b.result(quantizeValue(b, real, type, operands));
}

//===----------------------------------------------------------------------===//
// DequantizeLinear
//===----------------------------------------------------------------------===//

/// Integers that are known only at run time, as values of a quantised type:
/// usually what QuantizeLinear made, else an input of the network.
static Value storedAs(NodeBinder &b, size_t index, const Channels &channels,
                      DataType zeroPoint) {
  Value stored = b.quantizedInput(index);
  Value integers = b.integerInput(index);
  if (b.failed())
    return {};
  Type own = cast<ShapedType>(integers.getType()).getElementType();
  if (zeroPoint != DataType::Undefined &&
      elementType(b.context(), zeroPoint) != own) {
    b.error() << "expected integers of the zero point's type "
              << typeName(zeroPoint) << ", but got " << own;
    return {};
  }
  std::optional<Storage> storage = requireStorage(b, dataType(own));
  if (!storage)
    return {};
  auto found = dyn_cast<quant::QuantizedType>(
      cast<ShapedType>(stored.getType()).getElementType());
  // Fewer of the integers may occur.
  if (found) {
    storage->lowest = found.getStorageTypeMin();
    storage->highest = found.getStorageTypeMax();
  }
  Type element = quantizedType(b, channels, *storage);
  if (!element || element == found)
    return element ? stored : Value();
  return fromStorage(b.importState().builder, b.loc(), integers,
                     cast<quant::QuantizedType>(element));
}

/// Whether operand `index` holds integers that nn stores in its quantised
/// types: constants of any, else of at most 16 bits.
static bool isStorable(NodeBinder &b, size_t index) {
  if (b.host(index))
    return true;
  Value value = b.input(index);
  if (!value)
    return false;
  Type element = cast<ShapedType>(value.getType()).getElementType();
  return isa<quant::QuantizedType>(element) ||
         element.getIntOrFloatBitWidth() <= 16;
}

Value dequantizeOperand(NodeBinder &b, size_t index,
                        const QuantizationOperands &operands) {
  SmallVector<int64_t> shape = b.shape(index);
  if (b.failed())
    return {};
  if (!isKnown(b, operands) || !isStorable(b, index)) {
    Value x = b.createCast(b.integerInput(index), realType(b));
    if (b.hasInput(operands.zeroPoint))
      x = b.create<nn::SubOp>(x, spreadZeroPoint(b, shape, operands));
    Value scale = spread(b, b.floatInput(operands.scale), shape, operands);
    return b.create<nn::MulOp>(x, scale);
  }
  Channels channels = readChannels(b, shape, operands);
  Value stored;
  if (HostTensor constant = b.host(index)) {
    std::optional<Storage> storage = requireStorage(b, constant->type);
    if (Type element = storage ? quantizedType(b, channels, *storage) : Type())
      stored = b.createConstant(constant, element);
  } else {
    stored = storedAs(b, index, channels,
                      zeroPointType(b, operands, DataType::Undefined));
  }
  if (!stored || b.failed())
    return {};
  return b.createTyped<nn::DequantizeOp>(
      RankedTensorType::get(shape, realType(b)), stored);
}

static LogicalResult importDequantizeLinear(NodeBinder &b) {
  b.ignore({"output_dtype"});
  return b.result(dequantizeOperand(b, 0, linearOperands(b)));
}

//===----------------------------------------------------------------------===//
// DynamicQuantizeLinear
//===----------------------------------------------------------------------===//

/// The scale that maps the values and zero to 0 .. 255.
static LogicalResult importDynamicQuantizeLinear(NodeBinder &b) {
  Value x = b.floatInput(0);
  if (b.failed())
    return failure();
  SmallVector<int64_t> all =
      llvm::to_vector(llvm::seq<int64_t>(0, shapeOf(x).size()));
  Value zero = b.createScalar(0.0f);
  auto bound = [&](nn::Reduction kind) {
    return b.create<nn::ReduceOp>(x, kind, all, /*keepDims=*/false);
  };
  Value lowest = b.create<nn::MinOp>(bound(nn::Reduction::Min), zero),
        highest = b.create<nn::MaxOp>(bound(nn::Reduction::Max), zero);
  Value scale = b.create<nn::DivOp>(b.create<nn::SubOp>(highest, lowest),
                                    b.createScalar(255.0f));
  auto rounded = [&](Value value) {
    return b.create<nn::RoundOp>(b.create<nn::DivOp>(value, scale));
  };
  Value zeroPoint = createBounded(b, rounded(b.create<nn::SubOp>(zero, lowest)),
                                  DataType::UInt8);
  Value shifted =
      b.create<nn::AddOp>(rounded(x), b.createCast(zeroPoint, realType(b)));
  if (failed(b.result(createBounded(b, shifted, DataType::UInt8))) ||
      failed(b.result(scale, 1)))
    return failure();
  return b.result(zeroPoint, 2);
}

void registerQuantization(HandlerTable &table) {
  table.add("QuantizeLinear",
            {Place::Digital, "to integers of 2 to 16 bits; per tensor, "
                             "channel or block"},
            {{10, importQuantizeLinear}});
  table.add("DequantizeLinear",
            {Place::Folded, "from integers of 2 to 32 bits; per tensor, "
                            "channel or block; digital when scale or zero "
                            "point are no constants"},
            {{10, importDequantizeLinear}});
  table.add("DynamicQuantizeLinear", {Place::Digital, ""},
            {{11, importDynamicQuantizeLinear}});
}

} // namespace cim::onnx
