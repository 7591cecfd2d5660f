// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The int8 multiply-accumulate rate of one core when nothing else is in the
// way.
#ifndef CIM_BENCHMARK_PEAK_H
#define CIM_BENCHMARK_PEAK_H

#include "Simulator/Dispatch.h"

namespace cim::bench {

const char *isaName(sim::Isa isa);

/// Multiply-accumulates per second of thread CPU time: independent products
/// of registers, median of 7.
double int8Peak(sim::Isa isa);

// One per instruction set: runs `rounds` rounds and returns how many
// multiply-accumulates those were.
double peakAvx512(long rounds);
double peakAvxVnni(long rounds);
double peakAvx2(long rounds);
double peakPortable(long rounds);

} // namespace cim::bench

#endif // CIM_BENCHMARK_PEAK_H
