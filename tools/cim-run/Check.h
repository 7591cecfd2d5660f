// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What can be wrong with a command line although every option is well formed.
#ifndef CIM_TOOLS_RUN_CHECK_H
#define CIM_TOOLS_RUN_CHECK_H

#include "Options.h"

namespace cim::run {

/// Fails, with text in `error`, if `device` is neither a mode of the simulator
/// nor the path of a driver; suggests the mode that may have been meant.
bool checkDevice(const std::string &device, std::string &error);

/// Fails, with text in `error`, if an output would go to standard output, where
/// the report goes, or to a file that this command reads or writes otherwise.
bool checkOutputs(const Options &options, std::string &error);

} // namespace cim::run

#endif // CIM_TOOLS_RUN_CHECK_H
