// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Element access and conversions of constants.
#include "HostTensor.h"
#include "mlir/IR/AsmState.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "llvm/ADT/APFloat.h"
#include <cstring>

using namespace mlir;

namespace cim::onnx {

/// Smaller constants stay in the text of the IR.
static constexpr size_t kResourceBytes = 1024;

bool isFloat(DataType type) {
  return type == DataType::Float || type == DataType::Float16 ||
         type == DataType::BFloat16 || type == DataType::Double;
}

bool isInteger(DataType type) {
  return elementBytes(type) != 0 && !isFloat(type) && type != DataType::Bool;
}

template <typename T> static T load(const Tensor &tensor, size_t index) {
  T value;
  std::memcpy(&value, tensor.bytes.data() + index * sizeof(T), sizeof(T));
  return value;
}

static int64_t loadInt(const Tensor &tensor, size_t index) {
  switch (tensor.type) {
  case DataType::Bool:
  case DataType::UInt8:
  case DataType::UInt2:
  case DataType::UInt4:
    return load<uint8_t>(tensor, index);
  case DataType::Int8:
  case DataType::Int2:
  case DataType::Int4:
    return load<int8_t>(tensor, index);
  case DataType::UInt16:
    return load<uint16_t>(tensor, index);
  case DataType::Int16:
    return load<int16_t>(tensor, index);
  case DataType::UInt32:
    return load<uint32_t>(tensor, index);
  case DataType::Int32:
    return load<int32_t>(tensor, index);
  default:
    return load<int64_t>(tensor, index);
  }
}

/// The integer that a cast of `value` to int64 gives; ONNX leaves values out
/// of range undefined, here they saturate and NaN is 0.
static int64_t truncate(double value) {
  if (std::isnan(value))
    return 0;
  if (value >= 9223372036854775807.0)
    return INT64_MAX;
  if (value <= -9223372036854775808.0)
    return INT64_MIN;
  return static_cast<int64_t>(value);
}

SmallVector<int64_t> toInts(const Tensor &tensor) {
  SmallVector<int64_t> values(tensor.numElements());
  for (auto [index, value] : llvm::enumerate(values))
    value = isFloat(tensor.type) ? truncate(load<float>(tensor, index))
                                 : loadInt(tensor, index);
  return values;
}

SmallVector<double> toDoubles(const Tensor &tensor) {
  SmallVector<double> values(tensor.numElements());
  for (auto [index, value] : llvm::enumerate(values))
    value = isFloat(tensor.type) ? load<float>(tensor, index)
                                 : static_cast<double>(loadInt(tensor, index));
  return values;
}

static Tensor emptyTensor(DataType type, ArrayRef<int64_t> dims) {
  Tensor tensor;
  tensor.type = type;
  tensor.dims.assign(dims.begin(), dims.end());
  return tensor;
}

Tensor fromInts(DataType type, ArrayRef<int64_t> dims,
                ArrayRef<int64_t> values) {
  Tensor tensor = emptyTensor(type, dims);
  unsigned width = elementBytes(type);
  tensor.bytes.reserve(values.size() * width);
  for (int64_t value : values) {
    if (type == DataType::Bool)
      value = value != 0;
    tensor.bytes.append(reinterpret_cast<const char *>(&value), width);
  }
  return tensor;
}

Tensor fromDoubles(DataType type, ArrayRef<int64_t> dims,
                   ArrayRef<double> values) {
  assert(isFloat(type) && "integers are made from integers");
  Tensor tensor = emptyTensor(DataType::Float, dims);
  tensor.bytes.reserve(values.size() * sizeof(float));
  for (double value : values) {
    float narrow = static_cast<float>(value);
    tensor.bytes.append(reinterpret_cast<const char *>(&narrow), sizeof(float));
  }
  return tensor;
}

/// binary32 of every bit pattern of a 16-bit float.
static std::vector<float> tabulate(const llvm::fltSemantics &semantics) {
  std::vector<float> table(size_t(1) << 16);
  for (auto [bits, value] : llvm::enumerate(table)) {
    APFloat number(semantics, APInt(16, bits));
    bool losesInfo = false;
    number.convert(APFloat::IEEEsingle(), APFloat::rmNearestTiesToEven,
                   &losesInfo);
    value = number.convertToFloat();
  }
  return table;
}

template <typename T, typename F>
static void convert(const Tensor &source, Tensor &result, F &&function) {
  result.bytes.resize(source.numElements() * sizeof(float));
  for (size_t i = 0, count = source.numElements(); i < count; ++i) {
    float value = function(load<T>(source, i));
    std::memcpy(result.bytes.data() + i * sizeof(float), &value, sizeof(float));
  }
}

Tensor withFloat32(const Tensor &tensor) {
  Tensor result = emptyTensor(DataType::Float, tensor.dims);
  result.name = tensor.name;
  if (tensor.type == DataType::Double) {
    convert<double>(tensor, result,
                    [](double value) { return static_cast<float>(value); });
    return result;
  }
  std::vector<float> table =
      tabulate(tensor.type == DataType::Float16 ? APFloat::IEEEhalf()
                                                : APFloat::BFloat());
  convert<uint16_t>(tensor, result, [&](uint16_t bits) { return table[bits]; });
  return result;
}

Type elementType(MLIRContext *context, DataType type) {
  if (isFloat(type))
    return Float32Type::get(context);
  switch (type) {
  case DataType::Bool:
    return IntegerType::get(context, 1);
  case DataType::Int2:
  case DataType::Int4:
  case DataType::Int8:
    return IntegerType::get(context, 8);
  case DataType::UInt2:
  case DataType::UInt4:
  case DataType::UInt8:
    return IntegerType::get(context, 8, IntegerType::Unsigned);
  case DataType::Int16:
    return IntegerType::get(context, 16);
  case DataType::UInt16:
    return IntegerType::get(context, 16, IntegerType::Unsigned);
  case DataType::Int32:
    return IntegerType::get(context, 32);
  case DataType::UInt32:
    return IntegerType::get(context, 32, IntegerType::Unsigned);
  case DataType::Int64:
    return IntegerType::get(context, 64);
  case DataType::UInt64:
    return IntegerType::get(context, 64, IntegerType::Unsigned);
  default:
    return {};
  }
}

DataType dataType(Type element) {
  for (DataType type :
       {DataType::Float, DataType::Bool, DataType::Int8, DataType::UInt8,
        DataType::Int16, DataType::UInt16, DataType::Int32, DataType::UInt32,
        DataType::Int64, DataType::UInt64})
    if (elementType(element.getContext(), type) == element)
      return type;
  return DataType::Undefined;
}

std::optional<Tensor> fromElements(ElementsAttr value) {
  auto type = cast<ShapedType>(cast<TypedAttr>(value).getType());
  DataType element = dataType(type.getElementType());
  if (element == DataType::Undefined)
    return std::nullopt;
  Tensor tensor = emptyTensor(element, type.getShape());
  if (auto resource = dyn_cast<DenseResourceElementsAttr>(value)) {
    AsmResourceBlob *blob = resource.getRawHandle().getBlob();
    if (!blob)
      return std::nullopt;
    tensor.bytes.assign(blob->getData().data(), blob->getData().size());
    return tensor;
  }
  auto dense = cast<DenseElementsAttr>(value);
  if (element == DataType::Bool) {
    for (bool bit : dense.getValues<bool>())
      tensor.bytes.push_back(bit);
    return tensor;
  }
  ArrayRef<char> raw = dense.getRawData();
  for (int64_t i = 0; i < (dense.isSplat() ? type.getNumElements() : 1); ++i)
    tensor.bytes.append(raw.data(), raw.size());
  return tensor;
}

ElementsAttr toElementsAttr(MLIRContext *context, const HostTensor &shared) {
  const Tensor &tensor = *shared;
  auto type =
      RankedTensorType::get(tensor.dims, elementType(context, tensor.type));
  if (tensor.type == DataType::Bool) {
    SmallVector<bool> values;
    for (char byte : tensor.bytes)
      values.push_back(byte != 0);
    return DenseElementsAttr::get(type, values);
  }
  if (tensor.numElements() == 0)
    return DenseElementsAttr::get(type, ArrayRef<mlir::Attribute>());
  ArrayRef<char> data(tensor.bytes.data(), tensor.bytes.size());
  if (data.size() < kResourceBytes)
    return DenseElementsAttr::getFromRawBuffer(type, data);
  // Weights are large: the blob keeps the tensor alive instead of copying it.
  AsmResourceBlob blob(
      data, /*dataAlignment=*/alignof(std::max_align_t),
      [keep = shared](void *, size_t, size_t) {},
      /*dataIsMutable=*/false);
  return DenseResourceElementsAttr::get(
      type, tensor.name.empty() ? "constant" : tensor.name, std::move(blob));
}

SmallVector<int64_t> rowMajorStrides(ArrayRef<int64_t> dims) {
  SmallVector<int64_t> strides(dims.size(), 1);
  for (size_t i = dims.size(); i-- > 1;)
    strides[i - 1] = strides[i] * dims[i];
  return strides;
}

} // namespace cim::onnx
