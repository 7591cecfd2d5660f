// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Part of KernelTemplate.h: normal deviates of a register tile, the same bits
// as normalAt() of Normal.h.
//
// The counter of a call is (column and kind, window, image, layer and block).
// Until round 3, Philox keeps what depends on the column apart from what
// depends on the window: the first two rounds are made once per window, and
// once per column, and meet in two exclusive ors.

namespace {

/// Keys of all rounds; lanes are 64 bits.
struct Keys {
  Vec::U k0[10], k1[10];
  bool ten; // rounds, not seven

  explicit Keys(PhiloxKey key) : ten(key.rounds == 10) {
    for (uint32_t round = 0; round < 10; ++round) {
      k0[round] = Vec::set64(uint32_t(key.k0 + round * philoxW0));
      k1[round] = Vec::set64(uint32_t(key.k1 + round * philoxW1));
    }
  }
};

/// The columns' part of Philox after two rounds, for one quad of columns per
/// 64-bit lane: those of the first half count on from quadA, of the second from
/// quadB.
struct Columns {
  Vec::U c0, c1, c2;

  Columns(const Keys &keys, Draw draw, uint32_t quadA, uint32_t quadB,
          uint32_t layerBlock) {
    uint32_t kind = uint32_t(draw) << 28;
    Vec::U p0 =
        Vec::mul(Vec::set64(philoxM0), Vec::quads(kind | quadA, kind | quadB));
    Vec::U p1 =
        Vec::mul(Vec::set64(philoxM1),
                 Vec::xor3(Vec::high(p0), Vec::set64(layerBlock), keys.k1[0]));
    c0 = Vec::xor2(Vec::high(p1), keys.k0[1]);
    c1 = p1;
    c2 = Vec::xor2(p0, keys.k1[1]);
  }
};

// Vectors that go through the analog path together, two per site: with one
// vector per row the halves of a site are neighbouring rows, otherwise the two
// vectors of one row.
constexpr int batch = 2 * Vec::calls;
template <int NV> constexpr int batchRow(int i) { return NV == 1 ? i : i / 2; }
template <int NV> constexpr int batchVector(int i) {
  return NV == 1 ? 0 : i % 2;
}

template <int Begin, int End, int Count>
[[gnu::always_inline]] inline void
philoxRounds(const Keys &keys, Vec::U (&c0)[Count], Vec::U (&c1)[Count],
             Vec::U (&c2)[Count], Vec::U (&c3)[Count]) {
  using U = Vec::U;
  const U m0 = Vec::set64(philoxM0), m1 = Vec::set64(philoxM1);
#pragma unroll
  for (int round = Begin; round < End; ++round)
#pragma unroll
    for (int i = 0; i < Count; ++i) {
      U p0 = Vec::mul(m0, c0[i]), p1 = Vec::mul(m1, c2[i]);
      c0[i] = Vec::xor3(Vec::high(p1), c1[i], keys.k0[round]);
      c1[i] = p1;
      c2[i] = Vec::xor3(Vec::high(p0), c3[i], keys.k1[round]);
      c3[i] = p0;
    }
}

/// Random bits of two vectors per site. Upper halves of the 64-bit lanes fill
/// with garbage that no step reads.
template <int NV, int Count>
[[gnu::always_inline]] inline void
randomBits(const Keys &keys, const Columns &columns, const WindowWords &windows,
           I (&bits)[Count][2]) {
  using U = Vec::U;
  U c0[Count], c1[Count], c2[Count], c3[Count];
#pragma unroll
  for (int i = 0; i < Count; ++i) {
    auto words = [&](int word) {
      return NV == 1 ? Vec::halves(windows.words[word] + 2 * i)
                     : Vec::set64(windows.words[word][i]);
    };
    c0[i] = Vec::xor2(columns.c0, words(0));
    c1[i] = columns.c1;
    c2[i] = Vec::xor2(columns.c2, words(1));
    c3[i] = words(2);
  }
  philoxRounds<2, 7>(keys, c0, c1, c2, c3);
  if (keys.ten)
    philoxRounds<7, 10>(keys, c0, c1, c2, c3);
#pragma unroll
  for (int i = 0; i < Count; ++i)
    Vec::weave(c0[i], c1[i], c2[i], c3[i], bits[i]);
}

/// What normalFromBits() does, on vectors.
template <int Count>
[[gnu::always_inline]] inline void normalsFromBits(const I (&bits)[Count],
                                                   F (&out)[Count]) {
  // Hidden, so that the compiler does not keep a copy of the table on the
  // stack.
  const float (*table)[32] = normalTable;
  asm("" : "+r"(table));
  F s[Count];
  Vec::Octave octave[Count];
#pragma unroll
  for (int i = 0; i < Count; ++i) {
    I image = Vec::bitsOf(Vec::toFloat(Vec::oddMagnitude(bits[i])));
    s[i] = Vec::sub(Vec::mantissa(image), Vec::set(1.5f));
    octave[i] = Vec::Octave(image);
    out[i] = octave[i].lookup(table[normalDegree]);
  }
#pragma unroll
  for (int degree = normalDegree - 1; degree >= 0; --degree)
#pragma unroll
    for (int i = 0; i < Count; ++i)
      out[i] =
          Vec::add(Vec::mul(out[i], s[i]), octave[i].lookup(table[degree]));
#pragma unroll
  for (int i = 0; i < Count; ++i)
    out[i] = Vec::withSign(out[i], bits[i]);
}

/// Normals of a batch whose first row is window 0 of `windows`.
template <int NV>
[[gnu::always_inline]] inline void
batchNormals(const Keys &keys, const Columns &columns,
             const WindowWords &windows, F (&out)[batch]) {
  I bits[Vec::calls][2];
  randomBits<NV>(keys, columns, windows, bits);
  I flat[batch];
#pragma unroll
  for (int i = 0; i < batch; ++i)
    flat[i] = bits[i / 2][i % 2];
  normalsFromBits(flat, out);
}

void drawNormals(PhiloxKey key, PhiloxBlock first, uint32_t quads,
                 float *normals) {
  using U = Vec::U;
  constexpr uint32_t perVector = width / 2;              // quads of a site
  constexpr int count = Vec::calls > 2 ? Vec::calls : 2; // sites at once
  Keys keys(key);
  for (uint32_t quad = 0; quad < quads; quad += count * perVector) {
    U c0[count], c1[count], c2[count], c3[count];
#pragma unroll
    for (int i = 0; i < count; ++i) {
      uint32_t at = first.word[0] + quad + i * perVector;
      c0[i] = Vec::quads(at, at + perVector / 2);
      c1[i] = Vec::set64(first.word[1]);
      c2[i] = Vec::set64(first.word[2]);
      c3[i] = Vec::set64(first.word[3]);
    }
    philoxRounds<0, 7>(keys, c0, c1, c2, c3);
    if (keys.ten)
      philoxRounds<7, 10>(keys, c0, c1, c2, c3);
    I bits[2 * count];
    F out[2 * count];
#pragma unroll
    for (int i = 0; i < count; ++i) {
      I two[2];
      Vec::weave(c0[i], c1[i], c2[i], c3[i], two);
      bits[2 * i] = two[0];
      bits[2 * i + 1] = two[1];
    }
    normalsFromBits(bits, out);
#pragma unroll
    for (int i = 0; i < 2 * count; ++i)
      Vec::store(normals + quad * 4 + i * width, out[i], 0, width);
  }
}

/// Makes the words of `count` windows of one image from `firstWindow`.
void nameWindows(PhiloxKey key, uint32_t image, uint32_t firstWindow,
                 uint32_t count, uint32_t *__restrict word0,
                 uint32_t *__restrict word1, uint32_t *__restrict word2) {
  for (uint32_t i = 0; i < count; ++i) {
    PhiloxWindow words = philoxWindow(key, firstWindow + i, image);
    word0[i] = words.word1;
    word1[i] = words.high0;
    word2[i] = words.low0;
  }
}

} // namespace
