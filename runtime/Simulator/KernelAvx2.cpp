// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Kernels for AVX2.

#include "Simulator/Kernel256.h"

const KernelTable cim::sim::avx2Kernels = kernels256;
