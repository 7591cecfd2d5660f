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
/// A file that appears under its name, whole, only when finish() succeeds.
/// Until then it has no name at all where the file system can do that, so that
/// not even a killed process leaves anything behind.
class PendingFile {
public:
  explicit PendingFile(const std::string &path) : path(path) {
    struct stat status;
    if (stat(path.c_str(), &status) == 0 && !S_ISREG(status.st_mode)) {
      file = open(path.c_str(), O_WRONLY | O_CLOEXEC);
      remains = false;
      return;
    }
    size_t slash = path.rfind('/');
    std::string folder = slash == path.npos ? "." : path.substr(0, slash + 1);
    temporary = path + ".XXXXXX";
    file = open(folder.c_str(), O_TMPFILE | O_WRONLY | O_CLOEXEC, 0666);
    nameless = file >= 0;
    if (!nameless)
      file = mkostemp(temporary.data(), O_CLOEXEC);
    if (file < 0 || nameless)
      remains = false;
  }

  ~PendingFile() {
    if (file >= 0)
      close(file);
    if (remains)
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
    if (!temporary.empty() && !(nameless ? giveName() : makePublic()))
      return false;
    int closed = close(file);
    file = -1;
    if (closed != 0)
      return false;
    if (!temporary.empty() && rename(temporary.c_str(), path.c_str()) != 0)
      return false;
    remains = false;
    return true;
  }

private:
  /// A name of its own, which no other file has.
  bool giveName() {
    std::string self = "/proc/self/fd/" + std::to_string(file);
    for (uint32_t attempt = 0; attempt < 1000; ++attempt) {
      temporary =
          path + "." + std::to_string(getpid()) + "-" + std::to_string(attempt);
      if (linkat(AT_FDCWD, self.c_str(), AT_FDCWD, temporary.c_str(),
                 AT_SYMLINK_FOLLOW) == 0)
        return remains = true;
      if (errno != EEXIST)
        break;
    }
    return false;
  }

  /// mkostemp makes private files; a result is as public as any other.
  bool makePublic() {
    mode_t mask = umask(0);
    umask(mask);
    return fchmod(file, 0666 & ~mask) == 0;
  }

  std::string path, temporary; // temporary is empty for a pipe or device
  int file = -1;
  bool nameless = false;
  bool remains = true; // under the temporary name
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
