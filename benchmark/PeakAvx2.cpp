// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// See Peak.h: vpmaddubsw, vpmaddwd, vpaddd on 8 accumulators.

#include "Peak.h"

#include <immintrin.h>

double cim::bench::peakAvx2(long rounds) {
  __m256i acc[8], x = _mm256_set1_epi32(0x01020304), w = x;
  const __m256i ones = _mm256_set1_epi16(1);
  for (__m256i &a : acc)
    a = _mm256_setzero_si256();
  for (long round = 0; round < rounds; ++round)
    for (__m256i &a : acc) {
      // Every product is its own.
      asm volatile("" : "+x"(x), "+x"(w));
      __m256i pairs = _mm256_maddubs_epi16(x, w);
      a = _mm256_add_epi32(a, _mm256_madd_epi16(pairs, ones));
    }
  for (__m256i &a : acc)
    asm volatile("" ::"x"(a));
  return double(rounds) * 8 * 32;
}
