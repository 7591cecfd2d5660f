// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// See Peak.h: vpdpbusd of 256 bits on 12 accumulators, in the encoding that the
// processor has.

#include "Peak.h"

#include <immintrin.h>

double cim::bench::peakAvxVnni(long rounds) {
  constexpr int count = 12;
  __m256i acc[count], x = _mm256_set1_epi32(0x01020304), w = x;
  for (__m256i &a : acc)
    a = _mm256_setzero_si256();
  bool vex = __builtin_cpu_supports("avxvnni");
  for (long round = 0; vex && round < rounds; ++round)
    for (__m256i &a : acc)
      asm volatile("%{vex%} vpdpbusd %2, %1, %0" : "+x"(a) : "x"(x), "x"(w));
  for (long round = 0; !vex && round < rounds; ++round)
    for (__m256i &a : acc)
      asm volatile("%{evex%} vpdpbusd %2, %1, %0" : "+x"(a) : "x"(x), "x"(w));
  for (__m256i &a : acc)
    asm volatile("" ::"x"(a));
  return double(rounds) * count * 32;
}
