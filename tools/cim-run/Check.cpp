// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// See Check.h.

#include "Check.h"

#include <filesystem>

using namespace cim::run;
namespace fs = std::filesystem;

namespace {
/// A file of the command line and what it is there.
struct UsedFile {
  const char *role;
  const std::string &path;
};
} // namespace

/// Also for files that do not exist yet, and for other names of one file.
static bool isSameFile(const std::string &a, const std::string &b) {
  std::error_code failed; // a file that cannot be looked at is reported later
  if (fs::is_character_file(a, failed)) // nothing is lost in /dev/null
    return false;
  if (a == b || fs::equivalent(a, b, failed))
    return true;
  fs::path first = fs::weakly_canonical(fs::absolute(a, failed), failed);
  fs::path second = fs::weakly_canonical(fs::absolute(b, failed), failed);
  return !first.empty() && first == second;
}

bool cim::run::checkOutputs(const Options &options, std::string &error) {
  std::vector<UsedFile> used = {{"network", options.model}};
  for (const NamedFile &file : options.inputs)
    used.push_back({"input", file.path});
  if (!options.labels.empty())
    used.push_back({"labels", options.labels});
  used.push_back({"device", options.device});
  for (const NamedFile &file : options.outputs) {
    if (file.path == "-") {
      error = "--output -: the report goes to standard output, expected a file "
              "(./- for one with that name)";
      return false;
    }
    for (const UsedFile &other : used) {
      if (!isSameFile(file.path, other.path))
        continue;
      error = "output '" + file.path + "' would overwrite the " + other.role +
              " '" + other.path + "'; expected a file of its own";
      return false;
    }
    used.push_back({"output", file.path});
  }
  return true;
}
