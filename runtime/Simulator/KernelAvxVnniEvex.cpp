// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The kernels for AVX-VNNI in AVX-512's encoding of the same instructions, for
// processors that have that one alone.

#include "Simulator/Kernel256.h"

const KernelTable cim::sim::avxVnniEvexKernels = kernels256;
