// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// See Check.h.

#include "Check.h"

#include "Session/DeviceName.h"

#include <algorithm>
#include <filesystem>
#include <numeric>

using namespace cim;
using namespace cim::run;
namespace fs = std::filesystem;

namespace {
/// A file of the command line and what it is there.
struct UsedFile {
  const char *role;
  std::string path;
};
} // namespace

/// How many characters to insert, delete or replace (Levenshtein).
static size_t editDistance(std::string_view from, std::string_view to) {
  std::vector<size_t> row(to.size() + 1);
  std::iota(row.begin(), row.end(), 0);
  for (size_t i = 0; i < from.size(); ++i) {
    size_t diagonal = row[0]++;
    for (size_t j = 0; j < to.size(); ++j) {
      size_t replaced = diagonal + (from[i] != to[j]);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, row[j] + 1, diagonal + 1});
    }
  }
  return row.back();
}

bool cim::run::checkDevice(const std::string &device, std::string &error) {
  if (rt::isSimulatorMode(device) || rt::isDriverPath(device))
    return true;
  error = "unknown device '" + device +
          "', expected ideal, exact, analog or a driver FILE.so";
  size_t least = 3; // a name further away is not a slip of the fingers
  std::string nearest;
  for (std::string_view mode : rt::simulatorModes) {
    size_t distance = editDistance(device, mode);
    if (distance > least || (distance == least && !nearest.empty()))
      continue;
    least = distance;
    nearest = mode;
  }
  if (!nearest.empty())
    error += " (did you mean " + nearest + "?)";
  return false;
}

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

/// Every file that may be meant.
static std::vector<std::string> pathsOf(const NamedFile &file) {
  if (!file.mayBePath())
    return {file.path};
  return {file.path, file.wholePath()};
}

bool cim::run::checkOutputs(const Options &options, std::string &error) {
  std::vector<UsedFile> used = {{"network", options.model}};
  for (const NamedFile &file : options.inputs)
    for (const std::string &path : pathsOf(file))
      used.push_back({"input", path});
  for (const NamedFile &file : options.calibration)
    for (const std::string &path : pathsOf(file))
      used.push_back({"calibration", path});
  if (!options.labels.empty())
    used.push_back({"labels", options.labels});
  if (rt::isDriverPath(options.device))
    used.push_back({"device", options.device});
  for (const NamedFile &file : options.outputs) {
    if (file.path == "-") {
      error = "--output -: the report goes to standard output, expected a file "
              "(./- for one with that name)";
      return false;
    }
    for (const std::string &path : pathsOf(file))
      for (const UsedFile &other : used) {
        if (!isSameFile(path, other.path))
          continue;
        error = "output '" + path + "' would overwrite the " + other.role +
                " '" + other.path + "'; expected a file of its own";
        return false;
      }
    for (const std::string &path : pathsOf(file))
      used.push_back({"output", path});
  }
  return true;
}
