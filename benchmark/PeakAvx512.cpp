// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// See Peak.h: vpdpbusd on 24 accumulators.

#include "Peak.h"

#include <immintrin.h>

double cim::bench::peakAvx512(long rounds) {
  __m512i acc[24], x = _mm512_set1_epi32(0x01020304), w = x;
  for (__m512i &a : acc)
    a = _mm512_setzero_si512();
  for (long round = 0; round < rounds; ++round) {
    for (__m512i &a : acc)
      a = _mm512_dpbusd_epi32(a, x, w);
    // The products must not be computed once and reused.
    asm volatile("" : "+v"(x), "+v"(w));
  }
  for (__m512i &a : acc)
    asm volatile("" ::"v"(a));
  return double(rounds) * 24 * 64;
}
