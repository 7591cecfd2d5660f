// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Takes back digitally what one chip does differently from its description:
// samples run through the network, layer by layer (docs/Runtime.md,
// "Calibrating a chip").
#ifndef CIM_RUNTIME_SESSION_CHIPCALIBRATION_H
#define CIM_RUNTIME_SESSION_CHIPCALIBRATION_H

#include "Model/Manifest.h"

#include <functional>

namespace cim::rt {

/// Runs call number `index` of the network on `device` in place of the chip.
using NetworkCall = std::function<cim_status(
    uint64_t index, const cim_device_api &api, cim_device *device)>;

/// Scale and bias of a layer on one chip; empty before the layer was seen.
struct LayerCorrection {
  std::vector<float> scale, bias;
};

/// One number per layer, by id. A chip keeps pointers into them.
using ChipCorrections = std::vector<LayerCorrection>;

/// A device whose arrays are programmed.
struct Chip {
  const cim_device_api &api;
  cim_device *device;
};

/// Corrects the layers of `chip` by what the first `samples` samples show on it
/// and on `described`, a chip without non-idealities; `call` runs a batch of
/// them. The layers of `chip` are prepared with `corrections` afterwards.
cim_status calibrateChip(const Manifest &manifest, const Chip &described,
                         const Chip &chip, uint64_t samples,
                         const NetworkCall &call, ChipCorrections &corrections);

} // namespace cim::rt

#endif // CIM_RUNTIME_SESSION_CHIPCALIBRATION_H
