// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// From a target's name to its file.

#include "cim/Arch/Arch.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallString.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/Process.h"
#include <set>

using namespace cim;
using llvm::StringRef;
namespace fs = llvm::sys::fs;
namespace path = llvm::sys::path;

static bool isTargetFile(StringRef file) {
  return file.ends_with(".yaml") || file.ends_with(".yml");
}

std::vector<std::string> Arch::searchPath() {
  std::vector<std::string> folders;
  if (auto list = llvm::sys::Process::GetEnv("CIM_TARGET_PATH"))
    for (StringRef folder : llvm::split(*list, llvm::sys::EnvPathSeparator))
      if (!folder.empty())
        folders.push_back(folder.str());

  static int anchor;
  llvm::SmallString<128> program(
      path::parent_path(fs::getMainExecutable(nullptr, &anchor)));
  path::append(program, "..", "share", "cim", "targets");
  path::remove_dots(program, /*remove_dot_dot=*/true);
  folders.push_back(program.str().str());
  folders.push_back(CIM_SOURCE_TARGETS);
  return folders;
}

std::vector<std::string> Arch::knownTargets() {
  std::set<std::string> names;
  for (const std::string &folder : searchPath()) {
    std::error_code ec;
    for (fs::directory_iterator file(folder, ec), end; !ec && file != end;
         file.increment(ec))
      if (isTargetFile(file->path()))
        names.insert(path::stem(file->path()).str());
  }
  return {names.begin(), names.end()};
}

static llvm::Error unknownTarget(StringRef name) {
  std::vector<std::string> known = Arch::knownTargets();
  std::string message = ("unknown target '" + name + "': expected " +
                         (known.empty() ? "a target (none is installed)"
                                        : "one of " + llvm::join(known, ", ")) +
                         " or a path to a .yaml file")
                            .str();
  const std::string *nearest = nullptr;
  unsigned limit = name.size() / 3 + 1;
  for (const std::string &candidate : known) {
    unsigned distance = name.edit_distance(candidate, true, limit);
    if (distance <= limit && distance <= name.size() - !name.empty()) {
      limit = distance - (distance != 0);
      nearest = &candidate;
    }
  }
  if (nearest)
    message += "; did you mean '" + *nearest + "'?";
  return llvm::make_error<TargetError>(message);
}

static llvm::Expected<std::string> findTarget(StringRef nameOrPath) {
  if (isTargetFile(nameOrPath))
    return nameOrPath.str();
  // A name is never a way out of the targets folders.
  if (!nameOrPath.empty() && !nameOrPath.contains('/'))
    for (const std::string &folder : Arch::searchPath())
      for (StringRef extension : {".yaml", ".yml"}) {
        llvm::SmallString<128> file(folder);
        path::append(file, nameOrPath + extension);
        if (fs::is_regular_file(file))
          return file.str().str();
      }
  return unknownTarget(nameOrPath);
}

llvm::Expected<Arch> Arch::load(StringRef nameOrPath) {
  llvm::Expected<std::string> file = findTarget(nameOrPath);
  if (!file)
    return file.takeError();
  // Reading a pipe or a device could go on for ever.
  fs::file_status status;
  std::error_code ec = fs::status(*file, status);
  if (!ec && status.type() != fs::file_type::regular_file)
    return llvm::make_error<TargetError>("cannot read target '" + *file +
                                         "': not a regular file");
  if (ec)
    return llvm::make_error<TargetError>("cannot read target '" + *file +
                                         "': " + ec.message());
  auto buffer = llvm::MemoryBuffer::getFile(*file);
  if (!buffer)
    return llvm::make_error<TargetError>("cannot read target '" + *file +
                                         "': " + buffer.getError().message());
  return parse(**buffer);
}
