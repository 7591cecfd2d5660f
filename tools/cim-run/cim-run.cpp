// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// cim-run: runs a compiled network. The parts are in Options, Check, Data,
// Run and Report.

#include "Options.h"
#include "Report.h"
#include "Run.h"

#include <csignal>
#include <cstdio>

using namespace cim::run;

int main(int argc, char **argv) {
  // A file size limit shall be an error of write(), with a diagnostic.
  std::signal(SIGXFSZ, SIG_IGN);
  std::string error;
  std::optional<Options> options = parseOptions(argc, argv, error);
  if (!options) {
    fprintf(stderr, "cim-run: error: %s; see cim-run --help\n", error.c_str());
    return 2;
  }
  if (options->help || options->version) {
    fputs(options->help ? helpText : "cim-run " CIM_VERSION "\n", stdout);
    return 0;
  }
  std::optional<Results> results = runNetwork(*options, error);
  if (!results) {
    fprintf(stderr, "cim-run: error: %s\n", error.c_str());
    return 1;
  }
  std::string report = options->json ? reportJson(*options, *results)
                                     : reportText(*options, *results);
  // A report that nobody could read is a failure, too.
  if (fputs(report.c_str(), stdout) < 0 || fflush(stdout) != 0) {
    perror("cim-run: error: cannot print the report");
    return 1;
  }
  return 0;
}
