// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Without converters the planes of a matrix are one integer matrix again.
#ifndef CIM_RUNTIME_SIMULATOR_MERGEPLANES_H
#define CIM_RUNTIME_SIMULATOR_MERGEPLANES_H

#include "Simulator/Plan.h"

namespace cim::sim {

/// Merges blocks of an ideal plan that cover the same rectangle of the matrix
/// into one with weights of up to 8 bits. Does so only where every number that
/// docs/Numerics.md rounds to binary32 is an integer below 2^24 either way, so
/// that no bit of a result changes.
void mergePlanes(Plan &plan, const Config &config);

} // namespace cim::sim

#endif // CIM_RUNTIME_SIMULATOR_MERGEPLANES_H
