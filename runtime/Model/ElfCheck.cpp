// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// See ElfCheck.h.

#include "Model/ElfCheck.h"
#include "Support/Error.h"
#include "cim-c/model.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <elf.h>
#include <fcntl.h>
#include <string>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>
#include <zlib.h>

using namespace cim::rt;

#if defined(__x86_64__)
static constexpr uint16_t nativeMachine = EM_X86_64;
#elif defined(__aarch64__)
static constexpr uint16_t nativeMachine = EM_AARCH64;
#else
#error "add the ELF machine number of this processor"
#endif

namespace {
struct File {
  int descriptor;
  uint64_t size = 0;
  explicit File(const char *path)
      : descriptor(open(path, O_RDONLY | O_CLOEXEC)) {}
  ~File() {
    if (descriptor >= 0)
      close(descriptor);
  }
  bool read(void *to, uint64_t count, uint64_t offset) const {
    auto *bytes = static_cast<char *>(to);
    while (count) {
      ssize_t got = pread(descriptor, bytes, count, offset);
      if (got <= 0)
        return false;
      bytes += got;
      offset += got;
      count -= got;
    }
    return true;
  }
};
} // namespace

/// True when [offset, offset + count * each) lies within `size`.
static bool inside(uint64_t offset, uint64_t count, uint64_t each,
                   uint64_t size) {
  return offset <= size && count <= (size - offset) / (each ? each : 1);
}

static std::string checkHeaders(const File &file) {
  Elf64_Ehdr header;
  if (file.size < sizeof header || !file.read(&header, sizeof header, 0) ||
      memcmp(header.e_ident, ELFMAG, SELFMAG) != 0)
    return "not an ELF shared object";
  if (header.e_ident[EI_CLASS] != ELFCLASS64 ||
      header.e_ident[EI_DATA] != ELFDATA2LSB ||
      header.e_machine != nativeMachine)
    return format("built for another processor (ELF machine %u, expected %u)",
                  header.e_machine, nativeMachine);
  if (header.e_type != ET_DYN)
    return format("not a shared object (ELF type %u, expected %u)",
                  header.e_type, ET_DYN);
  if (header.e_phentsize != sizeof(Elf64_Phdr) ||
      !inside(header.e_phoff, header.e_phnum, sizeof(Elf64_Phdr), file.size) ||
      !inside(header.e_shoff, header.e_shnum, header.e_shentsize, file.size))
    return format("truncated: its header tables end after its %llu bytes",
                  (unsigned long long)file.size);

  std::vector<Elf64_Phdr> segments(header.e_phnum);
  if (!file.read(segments.data(), segments.size() * sizeof(Elf64_Phdr),
                 header.e_phoff))
    return "unreadable";
  bool dynamic = false;
  for (const Elf64_Phdr &segment : segments) {
    dynamic |= segment.p_type == PT_DYNAMIC;
    if (!inside(segment.p_offset, segment.p_filesz, 1, file.size))
      return format("truncated: a segment ends after its %llu bytes",
                    (unsigned long long)file.size);
  }
  return dynamic ? "" : "not a shared object (no dynamic section)";
}

/// Checks the seal, if the file has one (model.h).
static std::string checkSeal(const File &file) {
  cim_seal seal;
  if (file.size < sizeof seal)
    return "";
  uint64_t sealed = file.size - sizeof seal;
  if (!file.read(&seal, sizeof seal, sealed) ||
      memcmp(seal.magic, CIM_SEAL_MAGIC, sizeof seal.magic) != 0)
    return "";
  std::vector<uint8_t> buffer(1 << 18);
  uint32_t crc = 0;
  for (uint64_t at = 0; at < sealed;) {
    uint64_t count = std::min<uint64_t>(buffer.size(), sealed - at);
    if (!file.read(buffer.data(), count, at))
      return "unreadable";
    crc = crc32_z(crc, buffer.data(), count);
    at += count;
  }
  if (crc == seal.crc32)
    return "";
  return format("damaged: checksum %08x, expected %08x", crc, seal.crc32);
}

cim_status cim::rt::checkSharedObject(const char *path, const char *what) {
  File file(path);
  if (file.descriptor < 0)
    return fail(CIM_BAD_FILE, "%s: cannot open: %s", path, strerror(errno));
  struct stat status;
  if (fstat(file.descriptor, &status) != 0)
    return fail(CIM_BAD_FILE, "%s: cannot read: %s", path, strerror(errno));
  if (!S_ISREG(status.st_mode))
    return fail(CIM_BAD_FILE, "%s: not a %s: not a regular file", path, what);
  file.size = status.st_size;
  if (file.size == 0)
    return fail(CIM_BAD_FILE, "%s: not a %s: the file is empty", path, what);
  std::string problem = checkHeaders(file);
  if (problem.empty())
    problem = checkSeal(file);
  if (!problem.empty())
    return fail(CIM_BAD_FILE, "%s: not a %s: %s", path, what, problem.c_str());
  return CIM_OK;
}
