// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Which instruction set the kernels use. All give the same bits.
#ifndef CIM_RUNTIME_SIMULATOR_DISPATCH_H
#define CIM_RUNTIME_SIMULATOR_DISPATCH_H

#include "Simulator/Kernel.h"
#include "cim-c/status.h"

namespace cim::sim {

enum class Isa {
  Portable, // Scalar.h
  Avx2,
  AvxVnni, // 256 bits, in either encoding
  Avx512,  // with VNNI
};

/// Whether this processor has "portable", "avx2", "avxvnni" or "avx512".
bool isaSupported(const char *name);

/// The best that the processor has, or what CIM_ISA in the environment names.
cim_status chooseIsa(Isa &isa);

/// Kernels of an instruction set other than portable.
const KernelTable &kernelsOf(Isa isa);

} // namespace cim::sim

#endif // CIM_RUNTIME_SIMULATOR_DISPATCH_H
