// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Output files that are either complete or not there.
#include "cim/Target/OutputFile.h"
#include "llvm/Support/FileSystem.h"

using namespace llvm;

namespace cim {

static Error cannotWrite(StringRef path, std::error_code code) {
  return createStringError(code, "cannot write '" + path +
                                     "': " + code.message());
}

/// Runs `write` on `os` and turns a stream failure into an error. A device
/// such as /dev/full only fails when the stream is flushed.
static Error writeChecked(StringRef path, raw_fd_ostream &os,
                          function_ref<Error(raw_ostream &)> write) {
  Error error = write(os);
  os.flush();
  if (!os.has_error())
    return error;
  std::error_code code = os.error();
  os.clear_error();
  return joinErrors(std::move(error), cannotWrite(path, code));
}

Error writeOutputFile(StringRef path,
                      function_ref<Error(raw_ostream &)> write) {
  if (path == "-")
    return writeChecked("standard output", outs(), write);
  sys::fs::file_status status;
  sys::fs::status(path, status);
  if (sys::fs::exists(status) && !sys::fs::is_regular_file(status)) {
    // A device or pipe cannot be replaced by a rename.
    std::error_code code;
    raw_fd_ostream os(path, code, sys::fs::OF_None);
    return code ? cannotWrite(path, code) : writeChecked(path, os, write);
  }
  Expected<sys::fs::TempFile> temporary =
      sys::fs::TempFile::create(path + ".%%%%%%.tmp");
  if (!temporary)
    return cannotWrite(path, errorToErrorCode(temporary.takeError()));
  Error error = Error::success();
  {
    raw_fd_ostream os(temporary->FD, /*shouldClose=*/false);
    error = writeChecked(path, os, write);
  }
  if (error)
    return joinErrors(std::move(error), temporary->discard());
  if (Error renaming = temporary->keep(path))
    return cannotWrite(path, errorToErrorCode(std::move(renaming)));
  return Error::success();
}

Error writeOutputFile(StringRef path, StringRef text) {
  return writeOutputFile(path, [&](raw_ostream &os) {
    os << text;
    return Error::success();
  });
}

} // namespace cim
