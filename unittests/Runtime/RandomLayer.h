// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Runs test layers on the simulator.
#ifndef CIM_UNITTESTS_RUNTIME_RANDOMLAYER_H
#define CIM_UNITTESTS_RUNTIME_RANDOMLAYER_H

#include "TestLayer.h"

namespace cim::test {

/// A device that is destroyed at the end of its scope.
struct Device {
  cim_device *device = nullptr;
  Device() = default;
  Device(const Device &) = delete;
  Device &operator=(const Device &) = delete;
  ~Device();
};

struct DeviceOptions {
  std::string mode = "exact";
  std::string target = "{}";
  uint64_t seed = 0;
  uint32_t trial = 0;
  double age = 0;
  std::string isa; // value of CIM_ISA, empty: not set
};

/// Makes a device and prepares the layer on it; empty, or an error text.
std::string prepareOn(Device &device, const TestLayer &test,
                      const DeviceOptions &options);

/// Prepares and streams all images; the text is empty unless a call failed.
std::vector<uint8_t> runOn(const TestLayer &test, const DeviceOptions &options,
                           std::string &error);

} // namespace cim::test

#endif // CIM_UNITTESTS_RUNTIME_RANDOMLAYER_H
