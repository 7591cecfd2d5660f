// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What one running thread offers to the compiled host function (model.h).
#ifndef CIM_RUNTIME_SESSION_HOST_H
#define CIM_RUNTIME_SESSION_HOST_H

#include "Model/Manifest.h"
#include "cim-c/model.h"
#include "cim-c/runtime.h"

#include <string>

namespace cim::rt {

/// A cim_host with the state of the batch that it is running.
struct Host : cim_host {
  const Manifest *manifest = nullptr;
  const cim_device_api *api = nullptr; // null: no crossbar layers
  cim_device *device = nullptr;
  const cim_session_options *options = nullptr;

  uint64_t firstSample = 0; // of the batch, among all of the experiment
  uint64_t samples = 0;     // of the batch that are not padding

  // The first failure; once set, the hooks do nothing.
  cim_status status = CIM_OK;
  std::string error;

  Host();
};

} // namespace cim::rt

#endif // CIM_RUNTIME_SESSION_HOST_H
