// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Reads .npy files: magic, version, a Python dictionary literal, raw data.

#include "Npy/Npy.h"

#include <cerrno>
#include <cmath>
#include <cstring>
#include <fcntl.h>
#include <string_view>
#include <unistd.h>

using namespace cim::npy;

// NumPy's own headers have about 128 bytes.
static constexpr uint64_t maxHeader = 1 << 16;

namespace {
struct TypeInfo {
  Type type;
  const char *descr; // as in the file, without the byte order
  const char *name;
  uint32_t size;
};

struct Header {
  std::optional<std::string> descr;
  std::optional<bool> fortran;
  std::optional<std::vector<int64_t>> shape;
};

/// Scans the dictionary literal.
struct Scanner {
  std::string_view text;

  void skipSpace() {
    while (!text.empty() && strchr(" \t\n\r", text.front()))
      text.remove_prefix(1);
  }
  bool take(std::string_view token) {
    skipSpace();
    if (text.substr(0, token.size()) != token)
      return false;
    text.remove_prefix(token.size());
    return true;
  }
  std::optional<std::string> string() {
    skipSpace();
    if (text.empty() || (text.front() != '\'' && text.front() != '"'))
      return std::nullopt;
    size_t end = text.find(text.front(), 1);
    if (end == text.npos)
      return std::nullopt;
    std::string value(text.substr(1, end - 1));
    text.remove_prefix(end + 1);
    return value;
  }
  std::optional<int64_t> integer() {
    skipSpace();
    int64_t value = 0;
    size_t digits = 0;
    for (; digits < text.size() && text[digits] >= '0' && text[digits] <= '9';
         ++digits) {
      if (value > (int64_t(1) << 58))
        return std::nullopt;
      value = value * 10 + (text[digits] - '0');
    }
    if (!digits)
      return std::nullopt;
    text.remove_prefix(digits);
    return value;
  }
  std::optional<std::vector<int64_t>> tuple() {
    std::vector<int64_t> values;
    if (!take("("))
      return std::nullopt;
    while (!take(")")) {
      std::optional<int64_t> value = integer();
      if (!value || values.size() == 32)
        return std::nullopt;
      values.push_back(*value);
      if (take(")"))
        break;
      if (!take(","))
        return std::nullopt;
    }
    return values;
  }
};
} // namespace

// By Type; the last one is widened after reading.
static const TypeInfo types[] = {
    {Type::F32, "f4", "float32", 4}, {Type::F64, "f8", "float64", 8},
    {Type::Bool, "b1", "bool", 1},   {Type::I8, "i1", "int8", 1},
    {Type::U8, "u1", "uint8", 1},    {Type::I16, "i2", "int16", 2},
    {Type::U16, "u2", "uint16", 2},  {Type::I32, "i4", "int32", 4},
    {Type::U32, "u4", "uint32", 4},  {Type::I64, "i8", "int64", 8},
    {Type::U64, "u8", "uint64", 8},  {Type::F32, "f2", "float16", 2}};

const char *cim::npy::typeName(Type type) { return types[int(type)].name; }
uint32_t cim::npy::byteSize(Type type) { return types[int(type)].size; }
std::string cim::npy::descrOf(Type type) {
  const TypeInfo &info = types[int(type)];
  return (info.size == 1 ? "|" : "<") + std::string(info.descr);
}

std::string cim::npy::shapeText(const std::vector<int64_t> &shape) {
  std::string text = "(";
  for (size_t i = 0; i < shape.size(); ++i)
    text += (i ? ", " : "") + std::to_string(shape[i]);
  return text + (shape.size() == 1 ? ",)" : ")");
}

int64_t Array::elementCount() const {
  int64_t count = 1;
  for (int64_t dim : shape)
    count *= dim;
  return count;
}

double Array::value(int64_t i) const {
  return withType(type,
                  [&](auto zero) { return double(data<decltype(zero)>()[i]); });
}

std::vector<float> Array::toFloat() const {
  std::vector<float> values(elementCount());
  for (size_t i = 0; i < values.size(); ++i)
    values[i] = type == Type::F32 ? data<float>()[i] : float(value(i));
  return values;
}

std::optional<std::string> Array::findNonFinite() const {
  if (type != Type::F32 && type != Type::F64)
    return std::nullopt;
  for (int64_t i = 0, count = elementCount(); i < count; ++i) {
    float v = type == Type::F32 ? data<float>()[i] : float(data<double>()[i]);
    if (std::isfinite(v))
      continue;
    std::vector<int64_t> index(shape.size());
    for (size_t d = shape.size(); d-- > 0; i /= shape[d])
      index[d] = i % shape[d];
    return shapeText(index);
  }
  return std::nullopt;
}

static bool scanHeader(std::string_view text, Header &header) {
  Scanner scanner{text};
  if (!scanner.take("{"))
    return false;
  while (!scanner.take("}")) {
    std::optional<std::string> key = scanner.string();
    if (!key || !scanner.take(":"))
      return false;
    if (*key == "descr") {
      header.descr = scanner.string();
      if (!header.descr)
        return false;
    } else if (*key == "fortran_order") {
      bool yes = scanner.take("True");
      if (!yes && !scanner.take("False"))
        return false;
      header.fortran = yes;
    } else if (*key == "shape") {
      header.shape = scanner.tuple();
      if (!header.shape)
        return false;
    } else {
      return false;
    }
    if (!scanner.take(",")) {
      if (!scanner.take("}"))
        return false;
      break;
    }
  }
  return header.descr && header.fortran && header.shape;
}

static const TypeInfo *findType(const std::string &descr) {
  if (descr.size() != 3)
    return nullptr;
  for (const TypeInfo &info : types) {
    bool native = descr[0] == '<' || (info.size == 1 && descr[0] == '|');
    if (native && descr.substr(1) == info.descr)
      return &info;
  }
  return nullptr;
}

/// Finds the dictionary; returns where the data begins, 0 on failure.
static uint64_t findHeader(const std::vector<uint8_t> &bytes,
                           std::string_view &text, std::string &error) {
  static const char magic[] = "\x93NUMPY";
  if (bytes.size() < 10 || memcmp(bytes.data(), magic, 6) != 0) {
    bool isZip = bytes.size() >= 4 && memcmp(bytes.data(), "PK\3\4", 4) == 0;
    error = bytes.empty() ? "the file is empty, expected a .npy file"
            : isZip ? "an archive of arrays (.npz), expected one of them as a "
                      ".npy file"
                    : "not a .npy file (wrong magic number)";
    return 0;
  }
  int version = bytes[6];
  if (version < 1 || version > 3) {
    error = ".npy format version " + std::to_string(version) +
            ", expected 1, 2 or 3";
    return 0;
  }
  uint64_t start = version == 1 ? 10 : 12;
  uint64_t length = bytes[8] | bytes[9] << 8;
  if (version > 1 && bytes.size() >= 12)
    length |= uint64_t(bytes[10]) << 16 | uint64_t(bytes[11]) << 24;
  if (length > maxHeader) {
    error = "header of " + std::to_string(length) +
            " bytes, expected at most " + std::to_string(maxHeader);
    return 0;
  }
  if (bytes.size() < start + length) {
    error = "truncated in the header";
    return 0;
  }
  text = {reinterpret_cast<const char *>(bytes.data()) + start, length};
  return start + length;
}

/// Checks the header against the size of the data and fills type and shape.
/// Returns the type in the file.
static const TypeInfo *interpret(const Header &header, uint64_t dataSize,
                                 Array &array, std::string &error) {
  const TypeInfo *info = findType(*header.descr);
  if (!info) {
    error = "element type '" + *header.descr +
            "', expected little-endian f2, f4, f8, b1 or i and "
            "u of 1, 2, 4 or 8 bytes";
    return nullptr;
  }
  array.type = info->type;
  array.shape = *header.shape;
  if (*header.fortran && array.shape.size() > 1) {
    error = "the array is in Fortran order; save numpy.ascontiguousarray(x)";
    return nullptr;
  }
  uint64_t size = info->size;
  for (int64_t dim : array.shape) {
    if (dim && size > (uint64_t(1) << 48) / uint64_t(dim)) {
      error = "shape " + shapeText(array.shape) + " is too large";
      return nullptr;
    }
    size *= dim;
  }
  if (size == dataSize)
    return info;
  error = (dataSize < size ? "truncated: shape " : "shape ") +
          shapeText(array.shape) + " of " + info->name + " needs " +
          std::to_string(size) + " bytes, the file has " +
          std::to_string(dataSize);
  return nullptr;
}

static float fromHalf(uint16_t half) {
  int exponent = half >> 10 & 31, mantissa = half & 1023;
  float size = exponent == 0 ? std::ldexp(float(mantissa), -24)
               : exponent != 31
                   ? std::ldexp(float(mantissa + 1024), exponent - 25)
               : mantissa ? NAN
                          : INFINITY;
  return half >> 15 ? -size : size;
}

/// Brings the elements from what the file has to what `array.type` says.
static void normalise(Array &array, uint32_t sizeInFile) {
  if (array.type == Type::Bool)
    for (uint8_t &byte : array.bytes)
      byte = byte != 0;
  if (sizeInFile == byteSize(array.type))
    return;
  std::vector<uint8_t> wide(array.bytes.size() * 2);
  for (size_t i = 0; i < array.bytes.size() / 2; ++i)
    reinterpret_cast<float *>(wide.data())[i] =
        fromHalf(array.data<uint16_t>()[i]);
  array.bytes = std::move(wide);
}

std::optional<Array> cim::npy::parse(std::vector<uint8_t> bytes,
                                     const std::string &name,
                                     std::string &error) {
  Array array;
  Header header;
  std::string_view text;
  uint64_t start = findHeader(bytes, text, error);
  if (start && !scanHeader(text, header)) {
    start = 0;
    error = "cannot read the header (structured arrays are not supported)";
  }
  const TypeInfo *info =
      start ? interpret(header, bytes.size() - start, array, error) : nullptr;
  if (!info) {
    error = name + ": " + error;
    return std::nullopt;
  }
  bytes.erase(bytes.begin(), bytes.begin() + start);
  array.bytes = std::move(bytes);
  normalise(array, info->size);
  return array;
}

std::optional<std::vector<uint8_t>> cim::npy::readFile(const std::string &path,
                                                       std::string &error) {
  int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) {
    error = path + ": cannot open: " + strerror(errno);
    return std::nullopt;
  }
  std::vector<uint8_t> bytes;
  ssize_t got = 0;
  try {
    off_t size = lseek(file, 0, SEEK_END);
    lseek(file, 0, SEEK_SET);
    uint64_t filled = 0;
    bytes.resize((size > 0 && size < (off_t(1) << 48) ? size : 0) + 1);
    while ((got = ::read(file, bytes.data() + filled, bytes.size() - filled)) >
           0) {
      filled += got;
      if (filled == bytes.size())
        bytes.resize(bytes.size() * 2);
    }
    bytes.resize(filled);
    if (got < 0)
      error = path + ": cannot read: " + strerror(errno);
  } catch (const std::exception &) {
    got = -1;
    error = path + ": not enough memory to read it";
  }
  close(file);
  if (got < 0)
    return std::nullopt;
  return bytes;
}

std::optional<Array> cim::npy::read(const std::string &path,
                                    std::string &error) {
  std::optional<std::vector<uint8_t>> bytes = readFile(path, error);
  if (!bytes)
    return std::nullopt;
  return parse(std::move(*bytes), path, error);
}
