// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Vectors of 256 bits: 8 columns each, register tiles of two vectors by 4
// windows, or 6 where the processor multiplies and adds bytes in one
// instruction. KernelAvx2.cpp, KernelAvxVnni.cpp and KernelAvxVnniEvex.cpp
// include this file, each with instructions of its own.

#include <cstdint>
#include <cstring>
#include <immintrin.h>

namespace {
struct Vec {
  using F = __m256;
  using I = __m256i;
  using U = __m256i; // four 64-bit lanes
  static constexpr int width = 8;
#if defined(__AVXVNNI__) || defined(__AVX512VNNI__)
  static constexpr int accumulators = 12;
  static constexpr int32_t pairLimit = INT32_MAX;
#else
  static constexpr int accumulators = 8;
  static constexpr int32_t pairLimit = INT16_MAX;
#endif
  static constexpr int calls = 1; // of Philox at once
  static constexpr bool subsets = false;

  static F load(const float *from) { return _mm256_load_ps(from); }
  static I load(const int8_t *from) {
    return _mm256_load_si256(reinterpret_cast<const I *>(from));
  }
  static I load(const int32_t *from) {
    return _mm256_load_si256(reinterpret_cast<const I *>(from));
  }
  static I broadcast4(const uint8_t *from) {
    int32_t four;
    memcpy(&four, from, 4);
    return _mm256_set1_epi32(four);
  }
#if defined(__AVXVNNI__)
  static I dot(I acc, I x, I w) { return _mm256_dpbusd_avx_epi32(acc, x, w); }
#elif defined(__AVX512VNNI__)
  static I dot(I acc, I x, I w) { return _mm256_dpbusd_epi32(acc, x, w); }
#else
  /// Sums of pairs must stay within 16 bits (KernelTable::pairLimit).
  static I dot(I acc, I x, I w) {
    I pairs = _mm256_maddubs_epi16(x, w);
    return _mm256_add_epi32(acc,
                            _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
  }
#endif

  static F set(float x) { return _mm256_set1_ps(x); }
  static I setInt(int32_t x) { return _mm256_set1_epi32(x); }
  static F toFloat(I x) { return _mm256_cvtepi32_ps(x); }
  static F add(F a, F b) { return _mm256_add_ps(a, b); }
  static F sub(F a, F b) { return _mm256_sub_ps(a, b); }
  static F mul(F a, F b) { return _mm256_mul_ps(a, b); }
  static F div(F a, F b) { return _mm256_div_ps(a, b); }
  static F abs(F x) { return _mm256_andnot_ps(_mm256_set1_ps(-0.0f), x); }
  /// x >= least ? then : otherwise
  static F whereReached(F x, F least, F then, F otherwise) {
    return _mm256_blendv_ps(otherwise, then,
                            _mm256_cmp_ps(x, least, _CMP_GE_OQ));
  }
  static F powerOfTwo(I exponent) {
    return _mm256_castsi256_ps(_mm256_slli_epi32(
        _mm256_add_epi32(exponent, _mm256_set1_epi32(127)), 23));
  }
  static F min(F a, F b) { return _mm256_min_ps(a, b); }
  static F max(F a, F b) { return _mm256_max_ps(a, b); }
  static F sqrt(F x) { return _mm256_sqrt_ps(x); }
  static F round(F x, bool floor) {
    return floor ? _mm256_round_ps(x, _MM_FROUND_FLOOR)
                 : _mm256_round_ps(x, _MM_FROUND_NINT);
  }
  static I shiftLeft(I x, uint32_t bits) {
    return _mm256_sll_epi32(x, _mm_cvtsi32_si128(int(bits)));
  }

  static I toInt(F x) { return _mm256_cvtps_epi32(x); }
  static I addInt(I a, I b) { return _mm256_add_epi32(a, b); }
  static I subInt(I a, I b) { return _mm256_sub_epi32(a, b); }
  static F gather(const float *from, I at) {
    return _mm256_i32gather_ps(from, at, 4);
  }
  static I addWhereReached(I at, F x, F threshold, int32_t step) {
    I reached = _mm256_castps_si256(_mm256_cmp_ps(x, threshold, _CMP_GE_OQ));
    return _mm256_add_epi32(at,
                            _mm256_and_si256(reached, _mm256_set1_epi32(step)));
  }

  static void store(float *to, F y, uint32_t begin, uint32_t end) {
    if (end - begin == width)
      return _mm256_storeu_ps(to, y);
    alignas(32) float lanes[width];
    _mm256_store_ps(lanes, y);
    for (uint32_t i = begin; i < end; ++i)
      to[i] = lanes[i];
  }
  static void storeBytes(uint8_t *to, F y, uint32_t begin, uint32_t end) {
    alignas(32) int32_t lanes[width];
    _mm256_store_si256(reinterpret_cast<I *>(lanes), _mm256_cvtps_epi32(y));
    for (uint32_t i = begin; i < end; ++i)
      to[i] = uint8_t(lanes[i]);
  }

  // Random numbers: one 32-bit word per 64-bit lane.
  static U set64(uint32_t x) { return _mm256_set1_epi64x(x); }
  static U quads(uint32_t a, uint32_t b) {
    return _mm256_set_epi64x(b + 1, b, a + 1, a);
  }
  static U halves(uint32_t a, uint32_t b) {
    return _mm256_set_epi64x(b, b, a, a);
  }
  static U halves(const uint32_t *from) { return halves(from[0], from[1]); }
  static U mul(U a, U b) { return _mm256_mul_epu32(a, b); }
  static U high(U a) { return _mm256_srli_epi64(a, 32); }
  static U xor2(U a, U b) { return _mm256_xor_si256(a, b); }
  static U xor3(U a, U b, U c) {
    return _mm256_xor_si256(_mm256_xor_si256(a, b), c);
  }
  static void weave(U c0, U c1, U c2, U c3, I (&out)[2]) {
    U r01 = _mm256_blend_epi32(c0, _mm256_slli_epi64(c1, 32), 0xaa);
    U r23 = _mm256_blend_epi32(c2, _mm256_slli_epi64(c3, 32), 0xaa);
    U even = _mm256_unpacklo_epi64(r01, r23); // calls 0 and 2
    U odd = _mm256_unpackhi_epi64(r01, r23);  // calls 1 and 3
    out[0] = _mm256_permute2x128_si256(even, odd, 0x20);
    out[1] = _mm256_permute2x128_si256(even, odd, 0x31);
  }
  static I oddMagnitude(I bits) {
    return _mm256_or_si256(
        _mm256_and_si256(bits, _mm256_set1_epi32(0x7fffffff)),
        _mm256_set1_epi32(1));
  }
  static I bitsOf(F x) { return _mm256_castps_si256(x); }
  static F mantissa(I image) {
    return _mm256_castsi256_ps(
        _mm256_or_si256(_mm256_and_si256(image, _mm256_set1_epi32(0x007fffff)),
                        _mm256_set1_epi32(0x3f800000)));
  }
  static F withSign(F value, I bits) {
    return _mm256_xor_ps(value,
                         _mm256_castsi256_ps(_mm256_and_si256(
                             bits, _mm256_set1_epi32(int(0x80000000u)))));
  }
  struct Octave {
    I index;
    Octave() = default;
    explicit Octave(I image)
        : index(_mm256_and_si256(_mm256_srli_epi32(image, 23),
                                 _mm256_set1_epi32(31))) {}
    F lookup(const float *table) const { return gather(table, index); }
  };
};
} // namespace

#include "Simulator/KernelTemplate.h"

static void run256(const LayerConstants &layer, const Tile &tile,
                   const WindowRun &run) {
  runPath<2>(layer, tile, run);
}

static constexpr KernelTable kernels256 = {
    2 * width,      2 * width,    rowsOf(Path::Exact, 2),
    Vec::pairLimit, Vec::subsets, run256,
    padImage,       drawPulses,   drawNormals,
    nameWindows};
