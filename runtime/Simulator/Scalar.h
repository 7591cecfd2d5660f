// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The plain way to run a layer: one window after the other, one function per
// effect. It is what processors without vector kernels use, and what the vector
// kernels are compared with.
#ifndef CIM_RUNTIME_SIMULATOR_SCALAR_H
#define CIM_RUNTIME_SIMULATOR_SCALAR_H

#include "Simulator/Plan.h"

namespace cim::sim {

/// Runs one image; layouts as in cim_stream. `image` is its index in the run.
void runScalar(const Plan &plan, PhiloxKey key, uint32_t image,
               const void *input, void *output);

} // namespace cim::sim

#endif // CIM_RUNTIME_SIMULATOR_SCALAR_H
