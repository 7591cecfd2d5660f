// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Loads a network and its inputs, runs the trials, writes the outputs.
#ifndef CIM_TOOLS_RUN_RUN_H
#define CIM_TOOLS_RUN_RUN_H

#include "Options.h"
#include "Report.h"

namespace cim::run {

/// Does what the options ask for, except for the report. On failure returns
/// nothing and sets `error`; no output file is left behind then.
std::optional<Results> runNetwork(const Options &options, std::string &error);

} // namespace cim::run

#endif // CIM_TOOLS_RUN_RUN_H
