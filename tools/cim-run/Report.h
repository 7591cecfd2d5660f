// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What cim-run prints when it is done.
#ifndef CIM_TOOLS_RUN_REPORT_H
#define CIM_TOOLS_RUN_REPORT_H

#include "Options.h"

namespace cim::run {

struct Trial {
  std::optional<double> top1; // percent
  double seconds = 0;
};

struct Results {
  int64_t samples = 0;
  uint32_t threads = 0;
  std::vector<Trial> trials;

  double imagesPerSecond() const;
  /// Top-1 of every trial; empty without labels.
  std::vector<double> accuracies() const;
};

std::string reportText(const Options &options, const Results &results);
std::string reportJson(const Options &options, const Results &results);

} // namespace cim::run

#endif // CIM_TOOLS_RUN_REPORT_H
