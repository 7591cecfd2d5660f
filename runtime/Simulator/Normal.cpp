// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The table of Normal.h.

#include "Simulator/Normal.h"

alignas(64) const float cim::sim::normalTable[normalDegree + 1][32] = {
#include "Simulator/NormalTable.inc"
};
