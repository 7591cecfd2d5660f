// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Decodes raw, typed and external tensor data.
#define ONNX_ML 1
#define ONNX_NAMESPACE onnx
#include "TensorReader.h"

#include <filesystem>
#include <fstream>

using ::onnx::TensorProto;
namespace fs = std::filesystem;

namespace cim::onnx {

namespace {
struct TypeInfo {
  DataType type;
  unsigned bytes;
  const char *name;
};
constexpr TypeInfo kTypes[] = {
    {DataType::Float, 4, "float"},       {DataType::UInt8, 1, "uint8"},
    {DataType::Int8, 1, "int8"},         {DataType::UInt16, 2, "uint16"},
    {DataType::Int16, 2, "int16"},       {DataType::Int32, 4, "int32"},
    {DataType::Int64, 8, "int64"},       {DataType::String, 0, "string"},
    {DataType::Bool, 1, "bool"},         {DataType::Float16, 2, "float16"},
    {DataType::Double, 8, "double"},     {DataType::UInt32, 4, "uint32"},
    {DataType::UInt64, 8, "uint64"},     {DataType::BFloat16, 2, "bfloat16"},
    {DataType::UInt4, 1, "uint4"},       {DataType::Int4, 1, "int4"},
    {DataType::Undefined, 0, "no type"},
};

bool isFourBit(DataType type) {
  return type == DataType::UInt4 || type == DataType::Int4;
}

/// Appends the low `width` bytes of every value.
template <typename Range>
void appendLowBytes(const Range &values, unsigned width, std::string &bytes) {
  bytes.reserve(values.size() * width);
  for (auto value : values)
    bytes.append(reinterpret_cast<const char *>(&value), width);
}

/// Two four-bit integers a byte, the first in the low half (ONNX, TensorProto).
std::string unpackFourBit(const std::string &packed, DataType type,
                          size_t count) {
  std::string bytes;
  for (size_t i = 0; i < count && i / 2 < packed.size(); ++i) {
    int value = (static_cast<unsigned char>(packed[i / 2]) >> (i % 2 * 4)) & 15;
    if (type == DataType::Int4 && value >= 8)
      value -= 16;
    bytes.push_back(static_cast<char>(value));
  }
  return bytes;
}

/// The elements in the typed field that ONNX assigns to `type`.
std::string typedData(const TensorProto &proto, DataType type) {
  std::string bytes;
  switch (type) {
  case DataType::Float:
    appendLowBytes(proto.float_data(), 4, bytes);
    break;
  case DataType::Double:
    appendLowBytes(proto.double_data(), 8, bytes);
    break;
  case DataType::Int64:
    appendLowBytes(proto.int64_data(), 8, bytes);
    break;
  case DataType::UInt32:
  case DataType::UInt64:
    appendLowBytes(proto.uint64_data(), elementBytes(type), bytes);
    break;
  default:
    appendLowBytes(proto.int32_data(), elementBytes(type), bytes);
  }
  return bytes;
}

/// Number of elements, or false when a dimension is negative or the size does
/// not fit into 63 bits.
bool checkedCount(const std::vector<int64_t> &dims, unsigned width,
                  int64_t &count) {
  int64_t size = width;
  bool empty = false;
  for (int64_t dim : dims) {
    if (dim < 0)
      return false;
    empty |= dim == 0;
    if (dim > 0 && __builtin_mul_overflow(size, dim, &size))
      return false;
  }
  count = empty ? 0 : size / width;
  return true;
}
} // namespace

unsigned elementBytes(DataType type) {
  for (const TypeInfo &info : kTypes)
    if (info.type == type)
      return info.bytes;
  return 0;
}

std::string typeName(DataType type) {
  for (const TypeInfo &info : kTypes)
    if (info.type == type)
      return info.name;
  return "data type " + std::to_string(static_cast<int>(type));
}

bool TensorReader::readExternal(const TensorProto &proto, size_t expected,
                                std::string &bytes, std::string &error) const {
  std::string location;
  uint64_t offset = 0, length = expected;
  for (const auto &entry : proto.external_data()) {
    if (entry.key() == "location")
      location = entry.value();
    char *end = nullptr;
    if (entry.key() == "offset")
      offset = std::strtoull(entry.value().c_str(), &end, 10);
    if (entry.key() == "length")
      length = std::strtoull(entry.value().c_str(), &end, 10);
    if (end && (*end || entry.value().empty())) {
      error = "external data has " + entry.key() + " '" + entry.value() +
              "', expected a number";
      return false;
    }
  }
  std::error_code status;
  fs::path base = fs::weakly_canonical(folder.empty() ? "." : folder, status);
  fs::path file = fs::weakly_canonical(base / location, status);
  fs::path relative = file.lexically_relative(base);
  if (location.empty() || fs::path(location).is_absolute() ||
      relative.empty() || *relative.begin() == "..") {
    error = "external data '" + location +
            "' is outside of the model's folder, expected a relative path "
            "inside it";
    return false;
  }
  uintmax_t size = fs::file_size(file, status);
  if (status) {
    error = "cannot read external data '" + file.string() +
            "': " + status.message();
    return false;
  }
  if (length != expected || offset > size || length > size - offset) {
    error = "external data '" + location + "' has " + std::to_string(size) +
            " bytes; the tensor needs " + std::to_string(expected) +
            ", the model asks for " + std::to_string(length) + " at offset " +
            std::to_string(offset);
    return false;
  }
  bytes.resize(length);
  std::ifstream stream(file, std::ios::binary);
  if (!stream.seekg(static_cast<std::streamoff>(offset)) ||
      !stream.read(bytes.data(), static_cast<std::streamsize>(length))) {
    error = "cannot read external data '" + file.string() + "'";
    return false;
  }
  return true;
}

bool TensorReader::read(TensorProto &proto, Tensor &tensor,
                        std::string &error) const {
  tensor.name = proto.name();
  tensor.type = static_cast<DataType>(proto.data_type());
  tensor.dims.assign(proto.dims().begin(), proto.dims().end());
  auto fail = [&](const std::string &reason) {
    error = "tensor '" + tensor.name + "': " + reason;
    return false;
  };
  unsigned width = elementBytes(tensor.type);
  if (width == 0)
    return fail("elements of " + typeName(tensor.type) + " are not supported");
  int64_t count = 0;
  if (!checkedCount(tensor.dims, width, count))
    return fail("its dimensions are negative or too large");

  size_t stored = isFourBit(tensor.type) ? (count + 1) / 2 : count * width;
  if (proto.data_location() == TensorProto::EXTERNAL) {
    if (!readExternal(proto, stored, tensor.bytes, error))
      return fail(std::string(error));
  } else if (proto.has_raw_data()) {
    tensor.bytes = std::move(*proto.mutable_raw_data());
  } else {
    tensor.bytes = typedData(proto, tensor.type);
  }
  if (tensor.bytes.size() != stored)
    return fail("expected " + std::to_string(stored) + " bytes of data for " +
                std::to_string(count) + " elements of " +
                typeName(tensor.type) + ", but found " +
                std::to_string(tensor.bytes.size()));
  if (isFourBit(tensor.type))
    tensor.bytes = unpackFourBit(tensor.bytes, tensor.type, count);
  return true;
}

} // namespace cim::onnx
