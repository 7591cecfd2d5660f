// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Reads .npz files: a zip archive of .npy members. Sizes come from the central
// directory (PKWARE APPNOTE 6.3, 4.3), with its 64-bit extension.

#include "Npy/Npy.h"

#include <algorithm>
#include <cstring>
#include <zlib.h>

using namespace cim::npy;

namespace {
using Bytes = std::vector<uint8_t>;

struct Member {
  std::string name;
  uint16_t flags, method;
  uint32_t crc;
  uint64_t packed, size, offset;
};

/// Little-endian reads that never leave the buffer: past its end is 0.
struct Reader {
  const Bytes &bytes;

  uint64_t get(uint64_t at, unsigned count) const {
    uint64_t value = 0;
    if (at > bytes.size() || bytes.size() - at < count)
      return 0;
    for (unsigned i = 0; i < count; ++i)
      value |= uint64_t(bytes[at + i]) << 8 * i;
    return value;
  }
};
} // namespace

static constexpr uint32_t endSignature = 0x06054b50;
static constexpr uint32_t memberSignature = 0x02014b50;
static constexpr uint32_t localSignature = 0x04034b50;
static constexpr uint32_t endLocator64 = 0x07064b50;

/// Where the end-of-directory record is, or the size of the file.
static uint64_t findEnd(const Bytes &bytes) {
  Reader reader{bytes};
  if (bytes.size() < 22)
    return bytes.size();
  uint64_t last = bytes.size() - 22;
  uint64_t first = last > 65535 ? last - 65535 : 0;
  for (uint64_t at = last + 1; at-- > first;)
    if (reader.get(at, 4) == endSignature)
      return at;
  return bytes.size();
}

/// Replaces sizes of 0xffffffff by those of the zip64 extra field.
static void readExtra64(const Reader &reader, uint64_t at, uint64_t length,
                        Member &member) {
  for (uint64_t end = at + length; at + 4 <= end;) {
    uint64_t id = reader.get(at, 2), size = reader.get(at + 2, 2);
    uint64_t field = at + 4;
    if (id == 1)
      for (uint64_t *value : {&member.size, &member.packed, &member.offset})
        if (*value == 0xffffffff) {
          *value = reader.get(field, 8);
          field += 8;
        }
    at += 4 + size;
  }
}

static std::optional<std::vector<Member>> readDirectory(const Bytes &bytes) {
  Reader reader{bytes};
  uint64_t end = findEnd(bytes);
  if (end == bytes.size())
    return std::nullopt;
  uint64_t count = reader.get(end + 10, 2), at = reader.get(end + 16, 4);
  if (end >= 20 && reader.get(end - 20, 4) == endLocator64) {
    uint64_t end64 = reader.get(end - 12, 8);
    count = reader.get(end64 + 32, 8);
    at = reader.get(end64 + 48, 8);
  }
  std::vector<Member> members;
  for (uint64_t i = 0; i < count; ++i) {
    if (reader.get(at, 4) != memberSignature)
      return std::nullopt;
    uint64_t nameLength = reader.get(at + 28, 2);
    uint64_t extraLength = reader.get(at + 30, 2);
    if (at + 46 + nameLength + extraLength > bytes.size())
      return std::nullopt;
    Member m;
    m.flags = reader.get(at + 8, 2);
    m.method = reader.get(at + 10, 2);
    m.crc = reader.get(at + 16, 4);
    m.packed = reader.get(at + 20, 4);
    m.size = reader.get(at + 24, 4);
    m.offset = reader.get(at + 42, 4);
    m.name.assign(bytes.begin() + at + 46,
                  bytes.begin() + at + 46 + nameLength);
    readExtra64(reader, at + 46 + nameLength, extraLength, m);
    members.push_back(m);
    at += 46 + nameLength + extraLength + reader.get(at + 32, 2);
  }
  return members;
}

static bool inflateInto(const uint8_t *packed, uint64_t packedSize,
                        Bytes &out) {
  z_stream stream = {};
  if (inflateInit2(&stream, -MAX_WBITS) != Z_OK)
    return false;
  constexpr uint64_t step = 1u << 30; // zlib counts in 32 bits
  uint64_t taken = 0, made = 0;
  int status = Z_OK;
  while (status == Z_OK) {
    stream.next_in = const_cast<uint8_t *>(packed + taken);
    stream.avail_in = std::min(step, packedSize - taken);
    stream.next_out = out.data() + made;
    stream.avail_out = std::min(step, out.size() - made);
    uint64_t in = stream.avail_in, room = stream.avail_out;
    status = inflate(&stream, Z_NO_FLUSH);
    taken += in - stream.avail_in;
    made += room - stream.avail_out;
  }
  inflateEnd(&stream);
  return status == Z_STREAM_END && made == out.size();
}

static std::optional<Bytes> extract(const Bytes &bytes, const Member &member,
                                    std::string &error) {
  Reader reader{bytes};
  if ((member.flags & 1) || (member.method != 0 && member.method != 8)) {
    error = "is encrypted or packed by method " +
            std::to_string(member.method) + ", expected stored or deflated";
    return std::nullopt;
  }
  uint64_t start = member.offset + 30 + reader.get(member.offset + 26, 2) +
                   reader.get(member.offset + 28, 2);
  // Deflate packs at most 1032 : 1.
  if (reader.get(member.offset, 4) != localSignature || start > bytes.size() ||
      member.packed > bytes.size() - start ||
      member.size / 1100 > member.packed ||
      (member.method == 0 && member.size != member.packed)) {
    error = "is truncated or damaged";
    return std::nullopt;
  }
  const uint8_t *packed = bytes.data() + start;
  Bytes out(member.size);
  bool whole = true;
  if (member.method == 0)
    std::copy(packed, packed + member.size, out.begin());
  else
    whole = inflateInto(packed, member.packed, out);
  if (!whole || crc32_z(0, out.data(), out.size()) != member.crc) {
    error = "is damaged (wrong checksum)";
    return std::nullopt;
  }
  return out;
}

static std::optional<Archive>
readMembers(const std::string &path, const Bytes &bytes, std::string &error) {
  std::optional<std::vector<Member>> members = readDirectory(bytes);
  if (!members) {
    error = path + ": not an .npz file (no zip directory, or a damaged one)";
    return std::nullopt;
  }
  Archive archive;
  for (const Member &member : *members) {
    std::string name = member.name, problem;
    if (name.size() > 4 && name.compare(name.size() - 4, 4, ".npy") == 0)
      name.resize(name.size() - 4);
    std::optional<Bytes> content = extract(bytes, member, problem);
    if (!content) {
      error = path + ": member '" + name + "' " + problem;
      return std::nullopt;
    }
    std::optional<Array> array =
        parse(std::move(*content), path + ": member '" + name + "'", error);
    if (!array)
      return std::nullopt;
    archive.emplace_back(name, std::move(*array));
  }
  return archive;
}

std::optional<Archive> cim::npy::readArchive(const std::string &path,
                                             std::string &error) {
  std::optional<Bytes> bytes = readFile(path, error);
  if (!bytes)
    return std::nullopt;
  try {
    return readMembers(path, *bytes, error);
  } catch (const std::exception &) {
    error = path + ": not enough memory to unpack it";
    return std::nullopt;
  }
}
