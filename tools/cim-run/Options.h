// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The command line of cim-run.
#ifndef CIM_TOOLS_RUN_OPTIONS_H
#define CIM_TOOLS_RUN_OPTIONS_H

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace cim::run {

/// [NAME=]FILE; no name means the only input, or the first output.
struct NamedFile {
  std::string name, path;

  /// A name with '/' may also be the beginning of a path with '='; only the
  /// network knows (resolve() in Data.h).
  bool mayBePath() const { return name.find('/') != name.npos; }
  std::string wholePath() const {
    return name.empty() ? path : name + "=" + path;
  }
};

struct Options {
  std::string model;
  std::vector<NamedFile> inputs, outputs;
  std::vector<NamedFile> calibration; // samples for every chip
  std::string device = "exact";
  std::string labels;
  uint64_t seed = 0;
  std::optional<uint32_t> trials;
  std::optional<double> yield; // percent that a chip must reach
  double age = 0;              // seconds since programming; 0: the target's
  uint32_t threads = 0;        // one per processor
  bool json = false;
  bool help = false, version = false;
};

/// Parses the command line; on failure returns nothing and sets `error`.
std::optional<Options> parseOptions(int argc, char **argv, std::string &error);

extern const char *const helpText;

} // namespace cim::run

#endif // CIM_TOOLS_RUN_OPTIONS_H
