// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Writes .npy files, all or nothing.

#include "Npy/Npy.h"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace cim::npy;

namespace {
/// A file that appears under its name only when finish() succeeds.
class PendingFile {
public:
  explicit PendingFile(const std::string &path) : path(path) {
    struct stat status;
    if (stat(path.c_str(), &status) == 0 && !S_ISREG(status.st_mode)) {
      file = open(path.c_str(), O_WRONLY | O_CLOEXEC);
      return;
    }
    temporary = path + ".XXXXXX";
    file = mkostemp(temporary.data(), O_CLOEXEC);
    if (file < 0)
      temporary.clear();
  }

  ~PendingFile() {
    if (file >= 0)
      close(file);
    if (!temporary.empty())
      unlink(temporary.c_str());
  }

  bool write(const void *data, uint64_t size) {
    auto *bytes = static_cast<const char *>(data);
    while (file >= 0 && size) {
      ssize_t put = ::write(file, bytes, size);
      if (put < 0)
        return false;
      bytes += put;
      size -= put;
    }
    return file >= 0;
  }

  bool finish() {
    if (!temporary.empty()) {
      // mkostemp makes private files; a result is as public as any other.
      mode_t mask = umask(0);
      umask(mask);
      if (fchmod(file, 0666 & ~mask) != 0)
        return false;
    }
    int closed = close(file);
    file = -1;
    if (closed != 0)
      return false;
    if (!temporary.empty() && rename(temporary.c_str(), path.c_str()) != 0)
      return false;
    temporary.clear();
    return true;
  }

private:
  std::string path, temporary;
  int file = -1;
};
} // namespace

bool cim::npy::write(const std::string &path, Type type,
                     const std::vector<int64_t> &shape, const void *data,
                     std::string &error) {
  std::string header =
      std::string("{'descr': '") + descrOf(type) +
      "', 'fortran_order': False, 'shape': " + shapeText(shape) + ", }";
  // Magic, version, length and text together are a multiple of 64 bytes.
  header.append(63 - (10 + header.size()) % 64, ' ');
  header += '\n';
  std::string start = "\x93NUMPY";
  start += {1, 0, char(header.size() & 255), char(header.size() >> 8)};
  uint64_t size = byteSize(type);
  for (int64_t dim : shape)
    size *= dim;

  PendingFile file(path);
  if (file.write(start.data(), start.size()) &&
      file.write(header.data(), header.size()) && file.write(data, size) &&
      file.finish())
    return true;
  error = path + ": cannot write: " + strerror(errno);
  return false;
}
