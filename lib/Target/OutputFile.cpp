// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Output files that are either complete or not there.
#include "cim/Target/OutputFile.h"
#include "llvm/Support/FileSystem.h"
#include <cerrno>
#include <unistd.h>

using namespace llvm;

namespace cim {

static Error cannotWrite(StringRef path, std::error_code code) {
  return createStringError(code,
                           "cannot write '" + path + "': " + code.message());
}

/// Plain write(2): raw_fd_ostream aborts the process when a disk is full.
static std::error_code writeAll(int descriptor, StringRef text) {
  while (!text.empty()) {
    ssize_t written = ::write(descriptor, text.data(), text.size());
    if (written >= 0)
      text = text.drop_front(written);
    else if (errno != EINTR)
      return std::error_code(errno, std::generic_category());
  }
  return {};
}

/// Writes to what cannot be replaced by a rename: a device or a pipe.
static Error writeInPlace(StringRef path, StringRef text) {
  int descriptor = STDOUT_FILENO;
  if (path != "-")
    if (std::error_code code = sys::fs::openFileForWrite(path, descriptor))
      return cannotWrite(path, code);
  std::error_code code = writeAll(descriptor, text);
  if (path != "-")
    ::close(descriptor);
  if (code)
    return cannotWrite(path == "-" ? "standard output" : path, code);
  return Error::success();
}

Error writeOutputFile(StringRef path, StringRef text) {
  sys::fs::file_status status;
  sys::fs::status(path, status);
  if (path == "-" ||
      (sys::fs::exists(status) && !sys::fs::is_regular_file(status)))
    return writeInPlace(path, text);
  Expected<sys::fs::TempFile> temporary =
      sys::fs::TempFile::create(path + ".%%%%%%.tmp");
  if (!temporary)
    return cannotWrite(path, errorToErrorCode(temporary.takeError()));
  if (std::error_code code = writeAll(temporary->FD, text))
    return joinErrors(cannotWrite(path, code), temporary->discard());
  if (Error renaming = temporary->keep(path))
    return cannotWrite(path, errorToErrorCode(std::move(renaming)));
  return Error::success();
}

Error writeOutputFile(StringRef path,
                      function_ref<Error(raw_ostream &)> write) {
  std::string text;
  raw_string_ostream os(text);
  if (Error error = write(os))
    return error;
  return writeOutputFile(path, text);
}

} // namespace cim
