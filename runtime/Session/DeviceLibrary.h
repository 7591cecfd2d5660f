// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Finds the device that a session asks for: the simulator, or a driver in a
// shared object.
#ifndef CIM_RUNTIME_SESSION_DEVICELIBRARY_H
#define CIM_RUNTIME_SESSION_DEVICELIBRARY_H

#include "cim-c/hal.h"

namespace cim::rt {

/// The built-in simulator (Simulator/Simulator.cpp).
const cim_device_api *simulatorApi();

/// Where an api comes from; closes the driver when it goes.
class DeviceLibrary {
public:
  DeviceLibrary() = default;
  DeviceLibrary(const DeviceLibrary &) = delete;
  DeviceLibrary &operator=(const DeviceLibrary &) = delete;
  ~DeviceLibrary();

  /// `name` is "ideal", "exact", "analog", or the path of a driver: something
  /// with a '/' or ending in .so. On success api() is complete.
  cim_status open(const char *name);
  /// Uses an api of this process.
  cim_status use(const cim_device_api *given);

  const cim_device_api *api() const { return table; }

private:
  void *library = nullptr;
  const cim_device_api *table = nullptr;
};

} // namespace cim::rt

#endif // CIM_RUNTIME_SESSION_DEVICELIBRARY_H
