// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// NumPy files: .npy (format versions 1, 2, 3; C order; little endian) and .npz
// (zip members stored or deflated). No function throws; a function that fails
// returns nothing (or false) and says in `error` what was expected and found.
#ifndef CIM_RUNTIME_NPY_NPY_H
#define CIM_RUNTIME_NPY_NPY_H

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace cim::npy {

enum class Type { F32, F64, Bool, I8, U8, I16, U16, I32, U32, I64, U64 };

/// "float32", "int8", ... as NumPy calls it.
const char *typeName(Type type);
/// Bytes of one element.
uint32_t byteSize(Type type);
/// "<f4", "|i1", ... as a header says it.
std::string descrOf(Type type);

/// Calls `body` with a value of the C++ type that holds a `Type`.
template <typename Body> auto withType(Type type, Body body) {
  switch (type) {
  case Type::F32:
    return body(float());
  case Type::F64:
    return body(double());
  case Type::Bool:
  case Type::U8:
    return body(uint8_t());
  case Type::I8:
    return body(int8_t());
  case Type::I16:
    return body(int16_t());
  case Type::U16:
    return body(uint16_t());
  case Type::I32:
    return body(int32_t());
  case Type::U32:
    return body(uint32_t());
  case Type::I64:
    return body(int64_t());
  case Type::U64:
    break;
  }
  return body(uint64_t());
}

/// "(3, 32, 32)"
std::string shapeText(const std::vector<int64_t> &shape);

struct Array {
  Type type = Type::F32;
  std::vector<int64_t> shape;
  std::vector<uint8_t> bytes; // dense, C order

  int64_t elementCount() const;
  template <typename T> const T *data() const {
    return reinterpret_cast<const T *>(bytes.data());
  }

  /// Float element `i` of any type, row-major.
  double value(int64_t i) const;
  /// The elements as float; a float64 is rounded.
  std::vector<float> toFloat() const;
  /// Index text, e.g. "(3, 0, 17)", of the first NaN or infinity, counting a
  /// float64 that a float cannot hold; nothing when all are finite.
  std::optional<std::string> findNonFinite() const;
};

/// Reads a .npy file. Bools become 0 or 1; float16 becomes float32, which holds
/// every one of its values.
std::optional<Array> read(const std::string &path, std::string &error);

/// Reads the class of every sample: integers (or bools) from 0 to `classes`
/// - 1.
std::optional<std::vector<int64_t>> readLabels(const std::string &path,
                                               int64_t samples, int64_t classes,
                                               std::string &error);

/// Reads one .npy from memory; `name` is used in error texts.
std::optional<Array> parse(std::vector<uint8_t> bytes, const std::string &name,
                           std::string &error);

/// Members of an .npz file in file order, names without ".npy".
using Archive = std::vector<std::pair<std::string, Array>>;
std::optional<Archive> readArchive(const std::string &path, std::string &error);

/// Writes a .npy file: to a temporary name in the same folder, renamed when
/// complete, so that no half-written file is ever seen. A `path` that exists
/// and is no regular file (/dev/stdout) is written to directly.
bool write(const std::string &path, Type type,
           const std::vector<int64_t> &shape, const void *data,
           std::string &error);

/// Reads a whole file.
std::optional<std::vector<uint8_t>> readFile(const std::string &path,
                                             std::string &error);

} // namespace cim::npy

#endif // CIM_RUNTIME_NPY_NPY_H
