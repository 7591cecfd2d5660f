// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Linking in this process, by lld as a library.
#include "MachineCode.h"

#include "lld/Common/Driver.h"
#include "llvm/ADT/ScopeExit.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/TargetParser/Host.h"
#include "llvm/TargetParser/Triple.h"

LLD_HAS_DRIVER(elf)

using namespace llvm;

namespace cim {

static Error writeFile(StringRef path, ArrayRef<char> bytes) {
  std::error_code code;
  raw_fd_ostream stream(path, code);
  if (!code) {
    stream.write(bytes.data(), bytes.size());
    stream.close();
    code = stream.error();
    stream.clear_error();
  }
  if (code)
    return createStringError(code, "cannot write temporary file '" + path +
                                       "': " + code.message());
  return Error::success();
}

/// The C and mathematics libraries of this system. Without them the result
/// leaves expf and malloc to whatever the application has loaded.
static std::vector<std::string> findSystemLibraries() {
  std::string multiarch =
      Triple(sys::getProcessTriple()).getArchName().str() + "-linux-gnu";
  std::string folders[] = {"/lib/" + multiarch,
                           "/usr/lib/" + multiarch,
                           "/lib64",
                           "/usr/lib64",
                           "/lib",
                           "/usr/lib"};
  std::vector<std::string> found;
  for (StringRef name : {"libm.so.6", "libc.so.6"})
    for (const std::string &folder : folders) {
      std::string path = folder + "/" + name.str();
      if (!sys::fs::exists(path))
        continue;
      found.push_back(path);
      break;
    }
  return found;
}

Expected<std::unique_ptr<MemoryBuffer>>
linkSharedObject(ArrayRef<char> object) {
  SmallString<128> folder;
  if (std::error_code code = sys::fs::createUniqueDirectory("cim", folder))
    return createStringError(code, "cannot make a temporary folder: " +
                                       code.message());
  scope_exit cleanUp([&] { sys::fs::remove_directories(folder); });
  std::string input = (folder + "/model.o").str();
  std::string output = (folder + "/model.so").str();
  if (Error error = writeFile(input, object))
    return std::move(error);

  // No name inside: the same program gives the same bytes wherever it goes.
  std::vector<const char *> arguments = {
      "ld.lld",       "-shared",          "-z",
      "noexecstack",  "--hash-style=gnu", "-o",
      output.c_str(), input.c_str(),      "--as-needed"};
  std::vector<std::string> libraries = findSystemLibraries();
  for (const std::string &library : libraries)
    arguments.push_back(library.c_str());
  std::string log;
  raw_string_ostream logStream(log);
  lld::Result result = lld::lldMain(arguments, nulls(), logStream,
                                    {{lld::Gnu, &lld::elf::link}});
  if (result.retCode != 0)
    return createStringError("linking failed: " + StringRef(log).trim());
  ErrorOr<std::unique_ptr<MemoryBuffer>> linked =
      MemoryBuffer::getFile(output, /*IsText=*/false,
                            /*RequiresNullTerminator=*/false);
  if (!linked)
    return createStringError(linked.getError(),
                             "cannot read '" + output +
                                 "': " + linked.getError().message());
  return std::move(*linked);
}

} // namespace cim
