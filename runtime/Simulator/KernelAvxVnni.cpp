// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Kernels for AVX-VNNI: vpdpbusd on 256 bits, as processors without AVX-512
// have it.

#include "Simulator/Kernel256.h"

const KernelTable cim::sim::avxVnniKernels = kernels256;
