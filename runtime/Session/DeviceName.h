// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What the name of a device stands for. Without dependencies: cim-run, which
// has only the C interface, tells names apart in the same way.
#ifndef CIM_RUNTIME_SESSION_DEVICENAME_H
#define CIM_RUNTIME_SESSION_DEVICENAME_H

#include <algorithm>
#include <iterator>
#include <string_view>

namespace cim::rt {

/// How exactly the simulator computes; see docs/Runtime.md, Simulator.
inline constexpr std::string_view simulatorModes[] = {"ideal", "exact",
                                                      "analog"};

inline bool isSimulatorMode(std::string_view name) {
  return std::find(std::begin(simulatorModes), std::end(simulatorModes),
                   name) != std::end(simulatorModes);
}

/// Something with a '/' or ending in .so.
inline bool isDriverPath(std::string_view name) {
  return name.find('/') != name.npos ||
         (name.size() > 3 && name.substr(name.size() - 3) == ".so");
}

} // namespace cim::rt

#endif // CIM_RUNTIME_SESSION_DEVICENAME_H
