// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// See Dispatch.h.

#include "Simulator/Dispatch.h"
#include "Support/Error.h"

#include <cstdlib>
#include <cstring>

using namespace cim;
using namespace cim::sim;

static constexpr Isa all[] = {Isa::Portable, Isa::Avx2, Isa::AvxVnni,
                              Isa::Avx512};
static const char *const names[] = {"portable", "avx2", "avxvnni", "avx512"};

#if defined(__x86_64__)
static bool hasAvx512Vnni() {
  return __builtin_cpu_supports("avx512f") &&
         __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512dq") &&
         __builtin_cpu_supports("avx512vl") &&
         __builtin_cpu_supports("avx512vnni");
}
#endif

static bool supported(Isa isa) {
#if defined(__x86_64__)
  switch (isa) {
  case Isa::Portable:
    return true;
  case Isa::Avx2:
    return __builtin_cpu_supports("avx2");
  case Isa::AvxVnni:
    return __builtin_cpu_supports("avx2") &&
           (__builtin_cpu_supports("avxvnni") || hasAvx512Vnni());
  case Isa::Avx512:
    return hasAvx512Vnni();
  }
#endif
  return isa == Isa::Portable;
}

bool cim::sim::isaSupported(const char *name) {
  for (Isa isa : all)
    if (strcmp(name, names[int(isa)]) == 0)
      return supported(isa);
  return false;
}

cim_status cim::sim::chooseIsa(Isa &isa) {
  const char *wanted = getenv("CIM_ISA");
  isa = Isa::Portable;
  for (Isa candidate : all) {
    if (!wanted && supported(candidate))
      isa = candidate;
    if (!wanted || strcmp(wanted, names[int(candidate)]) != 0)
      continue;
    if (!supported(candidate))
      return rt::fail(CIM_UNSUPPORTED,
                      "CIM_ISA is '%s', but this processor does not have it",
                      wanted);
    isa = candidate;
    return CIM_OK;
  }
  if (wanted)
    return rt::fail(
        CIM_INVALID_ARGUMENT,
        "CIM_ISA is '%s', expected portable, avx2, avxvnni or avx512", wanted);
  return CIM_OK;
}

const KernelTable &cim::sim::kernelsOf(Isa isa) {
#if defined(__x86_64__)
  if (isa == Isa::AvxVnni)
    return __builtin_cpu_supports("avxvnni") ? avxVnniKernels
                                             : avxVnniEvexKernels;
  return isa == Isa::Avx2 ? avx2Kernels : avx512Kernels;
#else
  static const KernelTable none = {};
  return none;
#endif
}
