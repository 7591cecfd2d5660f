// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Kernels for AVX-512 with VNNI: 16 columns per vector, 24 windows by one or 12
// by two vectors per register tile (24 accumulators, 2 weights, 1 input); half
// of that where sums of squares take their share.

#include <cstdint>
#include <cstring>
#include <immintrin.h>

namespace {
/// Whether the members of a quad belong to subset `i`, as factors: in words[0]
/// of members 0 and 1, in words[1] of 2 and 3.
struct SubsetMembers {
  alignas(64) int16_t words[2][32];
  constexpr SubsetMembers() : words() {
    for (int i = 0; i < 16; ++i)
      for (int member = 0; member < 4; ++member)
        words[member / 2][2 * i + member % 2] = i >> member & 1;
  }
};
constexpr SubsetMembers subsetMembers;

struct Vec {
  using F = __m512;
  using I = __m512i;
  using U = __m512i; // eight 64-bit lanes
  static constexpr int width = 16;
  static constexpr int accumulators = 24;
  static constexpr int calls = 3; // of Philox at once, to hide latencies
  static constexpr bool subsets = true;

  static F load(const float *from) { return _mm512_load_ps(from); }
  static I load(const int8_t *from) { return _mm512_load_si512(from); }
  static I load(const int16_t *from) { return _mm512_load_si512(from); }
  static I load(const int32_t *from) { return _mm512_load_si512(from); }
  static I broadcast4(const uint8_t *from) {
    int32_t four;
    memcpy(&four, from, 4);
    return _mm512_set1_epi32(four);
  }
  static I dot(I acc, I x, I w) { return _mm512_dpbusd_epi32(acc, x, w); }

  /// Adds both of the words that every lane of `index` picks from the table.
  /// The sum by hand, because LLVM would multiply and add in two instructions.
  static I addPicked(I acc, I table, I index) {
    I picked = _mm512_permutexvar_epi16(index, table);
    asm("vpdpwssd %2, %1, %0"
        : "+v"(acc)
        : "v"(picked), "v"(_mm512_set1_epi16(1)));
    return acc;
  }

  /// The tables of Squares::Subsets from 64 squares.
  static void subsetSums(const uint16_t *squares, int16_t *to) {
    // Sums of pairs, 16 of a quad at once. Packing interleaves the two quads
    // of a table in pieces of four words.
    auto pair = [&](int i) {
      int32_t two;
      memcpy(&two, squares + i, 4);
      return _mm512_set1_epi32(two);
    };
    const __m512i low = _mm512_load_si512(subsetMembers.words[0]);
    const __m512i high = _mm512_load_si512(subsetMembers.words[1]);
    for (int i = 0; i < 64; i += 8) {
      __m512i quads[2];
      for (int quad = 0; quad < 2; ++quad) {
        __m512i sum = _mm512_set1_epi32(INT16_MIN);
        sum = _mm512_dpwssd_epi32(sum, low, pair(i + 4 * quad));
        quads[quad] = _mm512_dpwssd_epi32(sum, high, pair(i + 4 * quad + 2));
      }
      _mm512_store_si512(to + i * 4, _mm512_packs_epi32(quads[0], quads[1]));
    }
  }

  static F set(float x) { return _mm512_set1_ps(x); }
  static I setInt(int32_t x) { return _mm512_set1_epi32(x); }
  static F toFloat(I x) { return _mm512_cvtepi32_ps(x); }
  static F add(F a, F b) { return _mm512_add_ps(a, b); }
  static F sub(F a, F b) { return _mm512_sub_ps(a, b); }
  static F mul(F a, F b) { return _mm512_mul_ps(a, b); }
  static F div(F a, F b) { return _mm512_div_ps(a, b); }
  static F abs(F x) { return _mm512_abs_ps(x); }
  /// x >= least ? then : otherwise
  static F whereReached(F x, F least, F then, F otherwise) {
    return _mm512_mask_blend_ps(_mm512_cmp_ps_mask(x, least, _CMP_GE_OQ),
                                otherwise, then);
  }
  static F powerOfTwo(I exponent) {
    return _mm512_castsi512_ps(_mm512_slli_epi32(
        _mm512_add_epi32(exponent, _mm512_set1_epi32(127)), 23));
  }
  static F min(F a, F b) { return _mm512_min_ps(a, b); }
  static F max(F a, F b) { return _mm512_max_ps(a, b); }
  static F sqrt(F x) { return _mm512_sqrt_ps(x); }
  static F round(F x, bool floor) {
    return floor ? _mm512_roundscale_ps(x, _MM_FROUND_FLOOR)
                 : _mm512_roundscale_ps(x, _MM_FROUND_NINT);
  }
  static I shiftLeft(I x, uint32_t bits) {
    return _mm512_sll_epi32(x, _mm_cvtsi32_si128(int(bits)));
  }

  static I toInt(F x) { return _mm512_cvtps_epi32(x); }
  static I addInt(I a, I b) { return _mm512_add_epi32(a, b); }
  static I subInt(I a, I b) { return _mm512_sub_epi32(a, b); }
  static F gather(const float *from, I at) {
    return _mm512_i32gather_ps(at, from, 4);
  }
  static I addWhereReached(I at, F x, F threshold, int32_t step) {
    return _mm512_mask_add_epi32(at,
                                 _mm512_cmp_ps_mask(x, threshold, _CMP_GE_OQ),
                                 at, _mm512_set1_epi32(step));
  }

  static __mmask16 lanes(uint32_t begin, uint32_t end) {
    return __mmask16((1u << end) - (1u << begin));
  }
  static void store(float *to, F y, uint32_t begin, uint32_t end) {
    if (end - begin == width)
      return _mm512_storeu_ps(to, y);
    _mm512_mask_storeu_ps(to, lanes(begin, end), y);
  }
  static void storeBytes(uint8_t *to, F y, uint32_t begin, uint32_t end) {
    __m128i bytes = _mm512_cvtepi32_epi8(_mm512_cvtps_epi32(y));
    if (end - begin == width)
      return _mm_storeu_si128(reinterpret_cast<__m128i *>(to), bytes);
    _mm_mask_storeu_epi8(to, lanes(begin, end), bytes);
  }

  // Random numbers: one 32-bit word per 64-bit lane.
  static U set64(uint32_t x) { return _mm512_set1_epi64(x); }
  static U quads(uint32_t a, uint32_t b) {
    return _mm512_add_epi32(halves(a, b),
                            _mm512_set_epi64(3, 2, 1, 0, 3, 2, 1, 0));
  }
  static U halves(uint32_t a, uint32_t b) {
    return _mm512_mask_set1_epi32(_mm512_set1_epi32(a), 0xff00, b);
  }
  /// from[0] in one half, from[1] in the other.
  static U halves(const uint32_t *from) {
    return _mm512_permutexvar_epi32(_mm512_set_epi64(1, 1, 1, 1, 0, 0, 0, 0),
                                    _mm512_loadu_si512(from));
  }
  static U mul(U a, U b) { return _mm512_mul_epu32(a, b); }
  static U high(U a) { return _mm512_srli_epi64(a, 32); }
  static U xor2(U a, U b) { return _mm512_xor_si512(a, b); }
  static U xor3(U a, U b, U c) {
    return _mm512_ternarylogic_epi64(a, b, c, 0x96);
  }
  /// Words 0 .. 3 of the calls in column order.
  static void weave(U c0, U c1, U c2, U c3, I (&out)[2]) {
    U r01 = _mm512_mask_shuffle_epi32(c0, 0xaaaa, c1, _MM_PERM_CCAA);
    U r23 = _mm512_mask_shuffle_epi32(c2, 0xaaaa, c3, _MM_PERM_CCAA);
    const U first = _mm512_set_epi64(11, 3, 10, 2, 9, 1, 8, 0);
    const U second = _mm512_set_epi64(15, 7, 14, 6, 13, 5, 12, 4);
    out[0] = _mm512_permutex2var_epi64(r01, first, r23);
    out[1] = _mm512_permutex2var_epi64(r01, second, r23);
  }
  static I oddMagnitude(I bits) { // (bits & 0x7fffffff) | 1
    return _mm512_ternarylogic_epi32(bits, _mm512_set1_epi32(0x7fffffff),
                                     _mm512_set1_epi32(1), 0xea);
  }
  static I bitsOf(F x) { return _mm512_castps_si512(x); }
  static F mantissa(I image) { // (image & 0x7fffff) | 0x3f800000
    return _mm512_castsi512_ps(
        _mm512_ternarylogic_epi32(image, _mm512_set1_epi32(0x007fffff),
                                  _mm512_set1_epi32(0x3f800000), 0xea));
  }
  static F withSign(F value, I bits) { // value ^ (bits & 0x80000000)
    return _mm512_castsi512_ps(
        _mm512_ternarylogic_epi32(_mm512_castps_si512(value), bits,
                                  _mm512_set1_epi32(int(0x80000000u)), 0x78));
  }
  struct Octave {
    I index; // of which the permutation reads the low five bits
    Octave() = default;
    explicit Octave(I image) : index(_mm512_srli_epi32(image, 23)) {}
    F lookup(const float *table) const {
      return _mm512_permutex2var_ps(_mm512_load_ps(table), index,
                                    _mm512_load_ps(table + 16));
    }
  };
};
} // namespace

#include "Simulator/KernelTemplate.h"

static void runAvx512(const LayerConstants &layer, const Tile &tile,
                      const WindowRun &run) {
  if (tile.lanes == 2 * width)
    return runPath<2>(layer, tile, run);
  return runPath<1>(layer, tile, run);
}

const KernelTable cim::sim::avx512Kernels = {
    2 * width,  width,        rowsOf(Path::Exact, 1),
    INT32_MAX,  Vec::subsets, runAvx512,
    padImage,   drawPulses,   drawNormals,
    nameWindows};
