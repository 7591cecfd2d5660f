// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The command line of cim-compile.
#ifndef CIM_TOOLS_CIM_COMPILE_OPTIONS_H
#define CIM_TOOLS_CIM_COMPILE_OPTIONS_H

#include "cim/Pipelines/Compile.h"

namespace cim {

struct ParsedOptions {
  CompileOptions compile;
  bool quiet = false;  ///< print no remarks
  std::string remarks; ///< YAML file for remarks, or empty
};

/// Parses and checks the command line. False after a message about wrong usage;
/// --help and --version end the process.
bool parseOptions(int argc, char **argv, ParsedOptions &parsed);

} // namespace cim

#endif // CIM_TOOLS_CIM_COMPILE_OPTIONS_H
