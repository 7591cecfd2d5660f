// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// See Peak.h.

#include "Peak.h"

#include <algorithm>
#include <cstdint>
#include <ctime>

using namespace cim::bench;
using cim::sim::Isa;

const char *cim::bench::isaName(Isa isa) {
  switch (isa) {
  case Isa::Portable:
    return "portable";
  case Isa::Avx2:
    return "avx2";
  case Isa::AvxVnni:
    return "avxvnni";
  case Isa::Avx512:
    return "avx512";
  }
  return "unknown";
}

static double threadSeconds() {
  timespec now;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return double(now.tv_sec) + 1e-9 * double(now.tv_nsec);
}

/// A plain dot product, as good as the compiler makes it.
double cim::bench::peakPortable(long rounds) {
  static int8_t a[4096], b[4096];
  int32_t sum = 0;
  for (long round = 0; round < rounds / 64; ++round) {
    // Neither array is known.
    asm volatile("" ::"r"(a), "r"(b) : "memory");
    for (int i = 0; i < 4096; ++i)
      sum += a[i] * b[i];
  }
  asm volatile("" ::"r"(sum));
  return double(rounds / 64) * 4096;
}

double cim::bench::int8Peak(Isa isa) {
  double (*kernel)(long) = peakPortable;
#if defined(__x86_64__)
  if (isa != Isa::Portable)
    kernel = isa == Isa::Avx512    ? peakAvx512
             : isa == Isa::AvxVnni ? peakAvxVnni
                                   : peakAvx2;
#endif
  double rates[7];
  kernel(2000000); // the clock settles
  for (double &rate : rates) {
    double start = threadSeconds();
    double macs = kernel(2000000);
    rate = macs / (threadSeconds() - start);
  }
  std::sort(rates, rates + 7);
  return rates[3];
}
