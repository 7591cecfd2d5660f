// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// NumPy files: good ones in every version and type, and bad ones.

#include "Npy/Npy.h"

#include <cmath>
#include <cstring>
#include <fstream>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

using namespace cim::npy;

static std::string folder() {
  std::string path =
      testing::TempDir() + "/cim-npy-" + std::to_string(getpid());
  mkdir(path.c_str(), 0777);
  return path;
}

/// A .npy file in memory.
static std::string npyFile(const std::string &header, const std::string &data,
                           int version = 1) {
  std::string file = "\x93NUMPY";
  file +=
      {char(version), 0, char(header.size() & 255), char(header.size() >> 8)};
  if (version > 1)
    file += std::string(2, '\0');
  return file + header + data;
}

static std::string headerOf(const std::string &descr, const std::string &shape,
                            bool fortran = false) {
  return "{'descr': '" + descr +
         "', 'fortran_order': " + (fortran ? "True" : "False") +
         ", 'shape': " + shape + ", }  \n";
}

static std::optional<Array> parseText(const std::string &file,
                                      std::string &error) {
  error.clear();
  return parse({file.begin(), file.end()}, "t.npy", error);
}

/// What the reader says to a file; empty when it likes it.
static std::string errorOf(const std::string &file) {
  std::string error;
  EXPECT_EQ(parseText(file, error).has_value(), error.empty());
  return error;
}

template <typename T> static std::string bytesOf(std::vector<T> values) {
  return {reinterpret_cast<const char *>(values.data()),
          values.size() * sizeof(T)};
}

TEST(Npy, ReadsEveryTypeAndVersion) {
  struct {
    const char *descr;
    Type type;
    std::string data;
  } cases[] = {{"<f4", Type::F32, bytesOf<float>({1, -2, 3})},
               {"<f8", Type::F64, bytesOf<double>({1, -2, 3})},
               {"|i1", Type::I8, bytesOf<int8_t>({1, -2, 3})},
               {"<i1", Type::I8, bytesOf<int8_t>({1, -2, 3})},
               {"<i2", Type::I16, bytesOf<int16_t>({1, -2, 3})},
               {"<i4", Type::I32, bytesOf<int32_t>({1, -2, 3})},
               {"<i8", Type::I64, bytesOf<int64_t>({1, -2, 3})}};
  for (const auto &c : cases)
    for (int version : {1, 2, 3}) {
      std::string error;
      auto array =
          parseText(npyFile(headerOf(c.descr, "(3,)"), c.data, version), error);
      ASSERT_TRUE(array) << error;
      EXPECT_EQ(array->type, c.type);
      EXPECT_EQ(array->shape, std::vector<int64_t>{3});
      EXPECT_EQ(array->toFloat(), (std::vector<float>{1, -2, 3}));
    }
}

TEST(Npy, ReadsUnsigned) {
  struct {
    const char *descr;
    Type type;
    std::string data;
    double last;
  } cases[] = {
      {"|u1", Type::U8, bytesOf<uint8_t>({1, 255}), 255},
      {"<u2", Type::U16, bytesOf<uint16_t>({1, 65535}), 65535},
      {"<u4", Type::U32, bytesOf<uint32_t>({1, 4294967295}), 4294967295},
      {"<u8", Type::U64, bytesOf<uint64_t>({1, 1ull << 63}), 0x1p63},
      // Any byte but 0 is true.
      {"|b1", Type::Bool, bytesOf<uint8_t>({0, 255}), 1}};
  for (const auto &c : cases) {
    std::string error;
    auto array = parseText(npyFile(headerOf(c.descr, "(2,)"), c.data), error);
    ASSERT_TRUE(array) << error;
    EXPECT_EQ(array->type, c.type);
    EXPECT_EQ(descrOf(c.type), c.descr);
    EXPECT_EQ(array->value(1), c.last) << c.descr;
  }
}

TEST(Npy, WidensFloat16) {
  // 1, -2, largest, least normal, least subnormal, -0, infinity, NaN.
  std::vector<uint16_t> halves = {0x3c00, 0xc000, 0x7bff, 0x0400,
                                  0x0001, 0x8000, 0xfc00, 0x7e01};
  std::string error;
  auto array =
      parseText(npyFile(headerOf("<f2", "(8,)"), bytesOf(halves)), error);
  ASSERT_TRUE(array) << error;
  EXPECT_EQ(array->type, Type::F32);
  const float *values = array->data<float>();
  EXPECT_EQ(
      std::vector<float>(values, values + 7),
      (std::vector<float>{1, -2, 65504, 0x1p-14f, 0x1p-24f, -0.0f, -INFINITY}));
  EXPECT_TRUE(std::signbit(values[5]));
  EXPECT_TRUE(std::isnan(values[7]));
  EXPECT_EQ(errorOf(npyFile(headerOf("<f2", "(2,)"), "abc")),
            "t.npy: truncated: shape (2,) of float16 needs 4 bytes, the file "
            "has 3");
}

TEST(Npy, ShapesAndKeyOrder) {
  std::string error;
  auto scalar = parseText(npyFile(headerOf("|u1", "()"), "\x07"), error);
  ASSERT_TRUE(scalar) << error;
  EXPECT_EQ(scalar->elementCount(), 1);
  auto empty = parseText(npyFile(headerOf("<f4", "(0, 3)"), ""), error);
  ASSERT_TRUE(empty) << error;
  EXPECT_EQ(empty->elementCount(), 0);
  auto swapped = parseText(
      npyFile("{\"shape\": (1,2), 'descr': '|u1','fortran_order':False}", "ab"),
      error);
  ASSERT_TRUE(swapped) << error;
  EXPECT_EQ(shapeText(swapped->shape), "(1, 2)");
  // One dimension is in both orders at once.
  EXPECT_EQ(errorOf(npyFile(headerOf("|u1", "(2,)", true), "ab")), "");
}

TEST(Npy, BadFiles) {
  EXPECT_EQ(errorOf(""), "t.npy: the file is empty, expected a .npy file");
  EXPECT_EQ(errorOf("\xff\xd8\xff\xe0 JFIF and more"),
            "t.npy: not a .npy file (wrong magic number)");
  EXPECT_EQ(errorOf("PK\3\4 and more"),
            "t.npy: an archive of arrays (.npz), expected one of them as a "
            ".npy file");
  EXPECT_EQ(errorOf(npyFile("{}", "", 9)),
            "t.npy: .npy format version 9, expected 1, 2 or 3");
  EXPECT_EQ(errorOf(npyFile(headerOf("<c8", "(1,)"), "abcdefgh")),
            "t.npy: element type '<c8', expected little-endian f2, f4, f8, b1 "
            "or i and u of 1, 2, 4 or 8 bytes");
  EXPECT_NE(errorOf(npyFile(headerOf(">f4", "(1,)"), "abcd")), "");
  EXPECT_EQ(errorOf(npyFile(headerOf("|u1", "(2, 1)", true), "ab")),
            "t.npy: the array is in Fortran order; save "
            "numpy.ascontiguousarray(x)");
  EXPECT_EQ(errorOf(npyFile(headerOf("<f4", "(2,)"), "abcd")),
            "t.npy: truncated: shape (2,) of float32 needs 8 bytes, the file "
            "has 4");
  EXPECT_EQ(errorOf(npyFile(headerOf("|u1", "(2,)"), "abcd")),
            "t.npy: shape (2,) of uint8 needs 2 bytes, the file has 4");
  EXPECT_EQ(
      errorOf(npyFile(headerOf("<f8", "(4294967296, 4294967296, 8)"), "")),
      "t.npy: shape (4294967296, 4294967296, 8) is too large");
}

TEST(Npy, BadHeaders) {
  std::string file = npyFile(headerOf("<f4", "(1,)"), "abcd");
  EXPECT_EQ(errorOf(file.substr(0, 40)), "t.npy: truncated in the header");
  std::string huge = npyFile("", "", 2);
  huge[11] = 0x40; // 2^30 bytes
  EXPECT_EQ(errorOf(huge),
            "t.npy: header of 1073741824 bytes, expected at most 65536");
  for (const char *header :
       {"", "{", "{}", "{'descr': [('a', '<f4')], }",
        "{'descr': '<f4', 'fortran_order': False, }",
        "{'descr': '<f4', 'fortran_order': Maybe, 'shape': (1,)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (-1,)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (1 2)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999"
        "99,)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (1",
        "{'unknown': 1}", "[1, 2]"})
    EXPECT_EQ(errorOf(npyFile(header, "abcd")),
              "t.npy: cannot read the header (structured arrays are not "
              "supported)")
        << header;
}

TEST(Npy, FindsNonFinite) {
  std::string error;
  std::vector<float> values(12, 1.0f);
  std::string header = headerOf("<f4", "(2, 2, 3)");
  auto array = parseText(npyFile(header, bytesOf(values)), error);
  EXPECT_EQ(array->findNonFinite(), std::nullopt);
  values[8] = INFINITY;
  values[9] = NAN;
  array = parseText(npyFile(header, bytesOf(values)), error);
  EXPECT_EQ(array->findNonFinite(), "(1, 0, 2)");
  // Beyond what a float holds.
  array = parseText(
      npyFile(headerOf("<f8", "(2,)"), bytesOf<double>({1, 1e300})), error);
  EXPECT_EQ(array->findNonFinite(), "(1,)");
}

TEST(Npy, WritesWhatItReads) {
  std::string path = folder() + "/w.npy", error;
  std::vector<int32_t> values = {1, -2, 3, 4, 5, 6};
  ASSERT_TRUE(write(path, Type::I32, {2, 3}, values.data(), error)) << error;
  auto array = read(path, error);
  ASSERT_TRUE(array) << error;
  EXPECT_EQ(array->type, Type::I32);
  EXPECT_EQ(shapeText(array->shape), "(2, 3)");
  EXPECT_EQ(memcmp(array->data<int32_t>(), values.data(), 24), 0);
  unlink(path.c_str());
}

TEST(Npy, WritesAllOrNothing) {
  std::string error;
  float value = 1;
  EXPECT_FALSE(write("/dev/full", Type::F32, {1}, &value, error));
  EXPECT_EQ(error, "/dev/full: cannot write: No space left on device");
  EXPECT_FALSE(write("/nonexistent/y.npy", Type::F32, {1}, &value, error));
  EXPECT_EQ(error, "/nonexistent/y.npy: cannot write: No such file or "
                   "directory");
  // A folder in the way: nothing is left beside it.
  std::string path = folder() + "/folder.npy";
  mkdir(path.c_str(), 0777);
  EXPECT_FALSE(write(path, Type::F32, {1}, &value, error));
  EXPECT_EQ(rmdir(path.c_str()), 0);
  EXPECT_EQ(rmdir(folder().c_str()), 0) << "a temporary file was left";
}

TEST(Npy, UnreadableFiles) {
  std::string error;
  EXPECT_FALSE(read("/nonexistent.npy", error));
  EXPECT_EQ(error, "/nonexistent.npy: cannot open: No such file or directory");
  EXPECT_FALSE(read("/tmp", error));
  EXPECT_EQ(error, "/tmp: cannot read: Is a directory");
}

TEST(Npy, Labels) {
  std::string path = folder() + "/l.npy", error;
  auto read = [&](const char *descr, const char *shape,
                  const std::string &data) {
    std::ofstream(path) << npyFile(headerOf(descr, shape), data);
    error.clear();
    return readLabels(path, 2, 3, error);
  };
  using Classes = std::vector<int64_t>;
  EXPECT_EQ(read("|i1", "(2,)", std::string("\2\0", 2)), Classes({2, 0}));
  EXPECT_EQ(read("|b1", "(2,)", std::string("\0\1", 2)), Classes({0, 1}));
  EXPECT_FALSE(read("|i1", "(2,)", "\1\xff"));
  EXPECT_EQ(error, path + ": expected classes from 0 to 2, but got -1 at 1");
  EXPECT_FALSE(
      read("<u8", "(2,)", std::string(8, '\0') + std::string(8, '\xff')));
  EXPECT_EQ(error, path + ": expected classes from 0 to 2, but got "
                          "18446744073709551616 at 1");
  EXPECT_FALSE(read("|u1", "(2, 1)", "\1\2"));
  EXPECT_EQ(error, path + ": expected shape (2,), a class for each sample, but "
                          "got (2, 1)");
  EXPECT_FALSE(read("<f4", "(2,)", std::string(8, '\0')));
  EXPECT_EQ(error, path + ": expected integers, but got float32");
}

//===----------------------------------------------------------------------===//
// Archives
//===----------------------------------------------------------------------===//

namespace {
/// Builds a zip file.
struct Zip {
  std::string body, directory;
  int count = 0;

  static std::string number(uint64_t value, int bytes) {
    std::string text;
    for (int i = 0; i < bytes; ++i)
      text += i < 8 ? char(value >> 8 * i) : char(0);
    return text;
  }

  void add(const std::string &name, const std::string &content, bool deflated,
           uint32_t crcError = 0, int method = -1) {
    std::string packed = content;
    if (deflated) {
      z_stream stream = {};
      deflateInit2(&stream, 9, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY);
      packed.resize(deflateBound(&stream, content.size()));
      stream.next_in =
          reinterpret_cast<Bytef *>(const_cast<char *>(content.data()));
      stream.avail_in = uInt(content.size());
      stream.next_out = reinterpret_cast<Bytef *>(packed.data());
      stream.avail_out = uInt(packed.size());
      EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
      packed.resize(stream.total_out);
      deflateEnd(&stream);
    }
    uint32_t crc = crc32(0, reinterpret_cast<const Bytef *>(content.data()),
                         uInt(content.size())) ^
                   crcError;
    // What a local header and a directory entry share.
    std::string common = number(20, 2) + number(0, 2) +
                         number(method >= 0 ? method
                                : deflated  ? 8
                                            : 0,
                                2) +
                         number(0, 4) + number(crc, 4) +
                         number(packed.size(), 4) + number(content.size(), 4) +
                         number(name.size(), 2) + number(0, 2);
    directory += number(0x02014b50, 4) + number(20, 2) + common +
                 number(0, 10) + number(body.size(), 4) + name;
    body += number(0x04034b50, 4) + common + name + packed;
    ++count;
  }

  std::string file() const {
    return body + directory + number(0x06054b50, 4) + number(0, 4) +
           number(count, 2) + number(count, 2) + number(directory.size(), 4) +
           number(body.size(), 4) + number(0, 2);
  }
};
} // namespace

static std::optional<Archive> readZip(const std::string &content,
                                      std::string &error) {
  std::string path = folder() + "/a.npz";
  std::ofstream(path, std::ios::binary) << content;
  error.clear();
  std::optional<Archive> archive = readArchive(path, error);
  if (size_t at = error.find("a.npz"); at != error.npos)
    error = error.substr(at);
  unlink(path.c_str());
  return archive;
}

TEST(Npz, StoredAndDeflated) {
  std::vector<float> values(1000, 2.5f);
  std::string member = npyFile(headerOf("<f4", "(10, 100)"), bytesOf(values));
  Zip zip;
  zip.add("first.npy", member, false);
  zip.add("second.npy", member, true);
  std::string error;
  auto archive = readZip(zip.file(), error);
  ASSERT_TRUE(archive) << error;
  ASSERT_EQ(archive->size(), 2u);
  EXPECT_EQ((*archive)[0].first, "first");
  EXPECT_EQ((*archive)[1].first, "second");
  for (const auto &entry : *archive)
    EXPECT_EQ(entry.second.toFloat(), values);
}

TEST(Npz, BadArchives) {
  std::string error, member = npyFile(headerOf("|u1", "(3,)"), "abc");
  EXPECT_FALSE(readZip("", error));
  EXPECT_EQ(error,
            "a.npz: not an .npz file (no zip directory, or a damaged one)");
  EXPECT_FALSE(readZip(std::string(100, 'x'), error));
  Zip wrong;
  wrong.add("x.npy", member, true, 1);
  EXPECT_FALSE(readZip(wrong.file(), error));
  EXPECT_EQ(error, "a.npz: member 'x' is damaged (wrong checksum)");
  Zip method;
  method.add("x.npy", member, false, 0, 12);
  EXPECT_FALSE(readZip(method.file(), error));
  EXPECT_EQ(error, "a.npz: member 'x' is encrypted or packed by method 12, "
                   "expected stored or deflated");
  Zip text;
  text.add("x.npy", "hello, hello", false);
  EXPECT_FALSE(readZip(text.file(), error));
  EXPECT_EQ(error, "a.npz: member 'x': not a .npy file (wrong magic number)");
}

// No cut and no changed byte of an archive does worse than an error.
TEST(Npz, DamagedEverywhere) {
  std::string member = npyFile(headerOf("|u1", "(3,)"), "abc"), error;
  Zip zip;
  zip.add("x.npy", member, true);
  zip.add("y.npy", member, false);
  std::string file = zip.file();
  for (size_t size = 0; size < file.size(); ++size)
    EXPECT_FALSE(readZip(file.substr(0, size), error)) << size;
  for (size_t at = 0; at < file.size(); ++at)
    for (int flip : {1, 0x80, 0xff}) {
      std::string damaged = file;
      damaged[at] = char(damaged[at] ^ flip);
      if (auto archive = readZip(damaged, error))
        for (const auto &entry : *archive)
          EXPECT_EQ(entry.second.elementCount(), 3);
    }
}
