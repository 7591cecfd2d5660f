// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Decodes raw, typed and external tensor data.
#define ONNX_ML 1
#define ONNX_NAMESPACE onnx
#include "TensorReader.h"

#include <cstring>
#include <filesystem>
#include <limits>

using ::onnx::SparseTensorProto;
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
    {DataType::Float, 4, "float"},
    {DataType::UInt8, 1, "uint8"},
    {DataType::Int8, 1, "int8"},
    {DataType::UInt16, 2, "uint16"},
    {DataType::Int16, 2, "int16"},
    {DataType::Int32, 4, "int32"},
    {DataType::Int64, 8, "int64"},
    {DataType::String, 0, "string"},
    {DataType::Bool, 1, "bool"},
    {DataType::Float16, 2, "float16"},
    {DataType::Double, 8, "double"},
    {DataType::UInt32, 4, "uint32"},
    {DataType::UInt64, 8, "uint64"},
    {DataType::Complex64, 0, "complex64"},
    {DataType::Complex128, 0, "complex128"},
    {DataType::BFloat16, 2, "bfloat16"},
    {DataType::Float8E4M3FN, 0, "float8e4m3fn"},
    {DataType::Float8E4M3FNUZ, 0, "float8e4m3fnuz"},
    {DataType::Float8E5M2, 0, "float8e5m2"},
    {DataType::Float8E5M2FNUZ, 0, "float8e5m2fnuz"},
    {DataType::UInt4, 1, "uint4"},
    {DataType::Int4, 1, "int4"},
    {DataType::Float4E2M1, 0, "float4e2m1"},
    {DataType::Float8E8M0, 0, "float8e8m0"},
    {DataType::UInt2, 1, "uint2"},
    {DataType::Int2, 1, "int2"},
    {DataType::Undefined, 0, "no type"},
};

/// Bits of an element as files store it.
unsigned storedBits(DataType type) {
  switch (type) {
  case DataType::UInt2:
  case DataType::Int2:
    return 2;
  case DataType::UInt4:
  case DataType::Int4:
    return 4;
  default:
    return 8 * elementBytes(type);
  }
}

/// Several integers a byte, the first in the low bits (ONNX, TensorProto).
std::string unpack(const std::string &packed, DataType type, size_t count) {
  unsigned bits = storedBits(type), perByte = 8 / bits;
  bool isSigned = type == DataType::Int2 || type == DataType::Int4;
  std::string bytes(count, '\0');
  for (size_t i = 0; i < count; ++i) {
    int value = static_cast<unsigned char>(packed[i / perByte]) >>
                    (i % perByte * bits) &
                ((1 << bits) - 1);
    if (isSigned && value >= 1 << (bits - 1))
      value -= 1 << bits;
    bytes[i] = static_cast<char>(value);
  }
  return bytes;
}

/// Appends values in `T`, the type of the elements; false when one does not
/// fit.
template <typename T, typename Range>
bool appendAs(const Range &values, std::string &bytes) {
  bytes.resize(values.size() * sizeof(T));
  size_t offset = 0;
  for (auto value : values) {
    auto narrow = static_cast<T>(value);
    if (narrow != value)
      return false;
    std::memcpy(bytes.data() + offset, &narrow, sizeof(T));
    offset += sizeof(T);
  }
  return true;
}

template <typename Range>
void appendBits(const Range &values, std::string &bytes) {
  if (values.size() > 0)
    bytes.assign(reinterpret_cast<const char *>(values.data()),
                 values.size() * sizeof(*values.data()));
}

/// The elements in the typed field that ONNX assigns to `type`; false when a
/// number is out of the type's range.
bool typedData(const TensorProto &proto, DataType type, std::string &bytes) {
  switch (type) {
  case DataType::Float:
    appendBits(proto.float_data(), bytes);
    return true;
  case DataType::Double:
    appendBits(proto.double_data(), bytes);
    return true;
  case DataType::Int64:
    appendBits(proto.int64_data(), bytes);
    return true;
  case DataType::UInt64:
    appendBits(proto.uint64_data(), bytes);
    return true;
  case DataType::UInt32:
    return appendAs<uint32_t>(proto.uint64_data(), bytes);
  case DataType::Int32:
    appendBits(proto.int32_data(), bytes);
    return true;
  case DataType::Int16:
    return appendAs<int16_t>(proto.int32_data(), bytes);
  case DataType::UInt16:
  case DataType::Float16:
  case DataType::BFloat16:
    return appendAs<uint16_t>(proto.int32_data(), bytes);
  case DataType::Int8:
    return appendAs<int8_t>(proto.int32_data(), bytes);
  default:
    return appendAs<uint8_t>(proto.int32_data(), bytes);
  }
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

/// A sparse tensor may be this much, and this many times the file, when dense.
static constexpr size_t kDenseBytes = size_t(32) << 20;
static constexpr size_t kDenseFactor = 8;

TensorReader::TensorReader(std::string folder, size_t fileSize)
    : folder(std::move(folder)),
      denseBudget(kDenseBytes + kDenseFactor * fileSize) {}

bool TensorReader::openExternal(const std::string &location,
                                std::string &error) {
  if (!location.empty() && location == openLocation)
    return true;
  std::error_code status;
  fs::path base = fs::weakly_canonical(folder.empty() ? "." : folder, status);
  // Links are followed, so that one cannot lead out of the folder either.
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
  openLocation = location;
  streamSize = size;
  stream.close();
  stream.clear();
  stream.open(file, std::ios::binary);
  return true;
}

bool TensorReader::readExternal(const TensorProto &proto, size_t expected,
                                std::string &bytes, std::string &error) {
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
  if (!openExternal(location, error))
    return false;
  if (length != expected || offset > streamSize ||
      length > streamSize - offset) {
    error = "external data '" + location + "' has " +
            std::to_string(streamSize) + " bytes; the tensor needs " +
            std::to_string(expected) + ", the model asks for " +
            std::to_string(length) + " at offset " + std::to_string(offset);
    return false;
  }
  bytes.resize(length);
  if (!stream.seekg(static_cast<std::streamoff>(offset)) ||
      !stream.read(bytes.data(), static_cast<std::streamsize>(length))) {
    error = "cannot read external data '" + location + "'";
    return false;
  }
  return true;
}

bool TensorReader::readData(TensorProto &proto, Tensor &tensor,
                            std::string &error) {
  int64_t count = 0;
  if (!checkedCount(tensor.dims, elementBytes(tensor.type), count)) {
    error = "its dimensions are negative or too large";
    return false;
  }
  unsigned bits = storedBits(tensor.type);
  // Whole elements first: eight times their number may overflow.
  size_t stored = bits >= 8 ? size_t(count) * (bits / 8)
                            : count / (8 / bits) + (count % (8 / bits) != 0);
  if (proto.data_location() == TensorProto::EXTERNAL) {
    if (!readExternal(proto, stored, tensor.bytes, error))
      return false;
  } else if (proto.has_raw_data()) {
    tensor.bytes = std::move(*proto.mutable_raw_data());
  } else if (!typedData(proto, tensor.type, tensor.bytes)) {
    error = "it has a number that does not fit into " + typeName(tensor.type);
    return false;
  }
  if (tensor.bytes.size() != stored) {
    error = "expected " + std::to_string(stored) + " bytes of data for " +
            std::to_string(count) + " elements of " + typeName(tensor.type) +
            ", but found " + std::to_string(tensor.bytes.size());
    return false;
  }
  if (bits < 8)
    tensor.bytes = unpack(tensor.bytes, tensor.type, count);
  if (tensor.type == DataType::Bool)
    for (char &byte : tensor.bytes)
      byte = byte != 0;
  return true;
}

bool TensorReader::read(TensorProto &proto, Tensor &tensor,
                        std::string &error) {
  tensor.name = proto.name();
  tensor.type = static_cast<DataType>(proto.data_type());
  tensor.dims.assign(proto.dims().begin(), proto.dims().end());
  if (elementBytes(tensor.type) == 0 || readData(proto, tensor, error))
    return true;
  error = "tensor '" + tensor.name + "': " + error;
  return false;
}

/// Row-major position of the `entry`-th value, or -1 when it is outside.
static int64_t position(const Tensor &indices, size_t entry,
                        const std::vector<int64_t> &dims, int64_t count) {
  auto index = [&](size_t i) {
    int64_t value;
    std::memcpy(&value, indices.bytes.data() + i * sizeof(value),
                sizeof(value));
    return value;
  };
  if (indices.dims.size() == 1)
    return index(entry) >= 0 && index(entry) < count ? index(entry) : -1;
  int64_t result = 0;
  for (size_t axis = 0; axis < dims.size(); ++axis) {
    int64_t coordinate = index(entry * dims.size() + axis);
    if (coordinate < 0 || coordinate >= dims[axis])
      return -1;
    result = result * dims[axis] + coordinate;
  }
  return result;
}

bool TensorReader::fillDense(const Tensor &values, const Tensor &indices,
                             Tensor &tensor, std::string &error) {
  int64_t count = 0;
  size_t width = elementBytes(tensor.type);
  if (!checkedCount(tensor.dims, width, count)) {
    error = "its dimensions are negative or too large";
    return false;
  }
  size_t entries = values.bytes.size() / width;
  auto rank = static_cast<int64_t>(tensor.dims.size());
  auto number = static_cast<int64_t>(entries);
  if (values.dims.size() != 1 || indices.type != DataType::Int64 ||
      (indices.dims != std::vector<int64_t>{number} &&
       indices.dims != std::vector<int64_t>{number, rank})) {
    error = "expected a list of values and int64 indices, one or as many as "
            "there are dimensions for each value";
    return false;
  }
  if (count * width > denseBudget) {
    error = "it has " + std::to_string(count * width) +
            " bytes when dense, expected at most " +
            std::to_string(denseBudget) +
            " for a file of this size; store it as a dense tensor";
    return false;
  }
  denseBudget -= count * width;
  tensor.bytes.assign(count * width, '\0');
  for (size_t i = 0; i < entries; ++i) {
    int64_t target = position(indices, i, tensor.dims, count);
    if (target < 0) {
      error = "the index of value " + std::to_string(i) +
              " is outside of the tensor";
      return false;
    }
    std::memcpy(tensor.bytes.data() + target * width,
                values.bytes.data() + i * width, width);
  }
  return true;
}

bool TensorReader::read(SparseTensorProto &proto, Tensor &tensor,
                        std::string &error) {
  Tensor values, indices;
  if (!read(*proto.mutable_values(), values, error) ||
      !read(*proto.mutable_indices(), indices, error))
    return false;
  tensor.name = values.name;
  tensor.type = values.type;
  tensor.dims.assign(proto.dims().begin(), proto.dims().end());
  if (elementBytes(tensor.type) == 0 ||
      fillDense(values, indices, tensor, error))
    return true;
  error = "sparse tensor '" + tensor.name + "': " + error;
  return false;
}

} // namespace cim::onnx
