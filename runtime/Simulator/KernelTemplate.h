// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The vector kernel, written once for every instruction set. A file that
// defines `struct Vec` (what a vector can do) includes this one; everything is
// in an anonymous namespace, see Kernel.h.
//
// One register tile is `tileRows` windows by NV vectors of columns. Per block:
// integer product in registers, converter, sum over blocks; then the epilogue.
// Order and kind of every float operation follow docs/Numerics.md, and equal
// Scalar.cpp.

#include "Simulator/Kernel.h"
#include "Simulator/Normal.h"

namespace {

using namespace cim;
using namespace cim::sim;

using F = Vec::F; // Vec::width floats
using I = Vec::I; // as many int32

constexpr int width = Vec::width;
constexpr int rows = Vec::rows; // windows of a register tile, even

/// Where the windows of one register tile lie.
struct Rows {
  const uint8_t *input[rows];
  const uint8_t *high[rows];
  const uint8_t *low[rows];
  uint32_t window[rows]; // within its image
  uint32_t image[rows];
};

/// Adds the product of a tile with the weights of a block to acc.
template <int NV>
[[gnu::always_inline]] inline void
product(const TileBlock &block, const int8_t *weights,
        const uint8_t *const (&from)[rows], I (&acc)[rows][NV]) {
  // Copies that nothing else can point to stay in registers.
  I sum[rows][NV];
  const uint8_t *corner[rows];
#pragma unroll
  for (int m = 0; m < rows; ++m) {
    corner[m] = from[m];
#pragma unroll
    for (int v = 0; v < NV; ++v)
      sum[m][v] = acc[m][v];
  }
  const uint32_t *offsets = block.offsets, *end = offsets + block.groupCount;
  for (; offsets != end; ++offsets, weights += NV * width * 4) {
    uint64_t offset = *offsets;
    I w[NV];
#pragma unroll
    for (int v = 0; v < NV; ++v)
      w[v] = Vec::load(weights + v * width * 4);
#pragma unroll
    for (int m = 0; m < rows; ++m) {
      I x = Vec::broadcast4(corner[m] + offset);
#pragma unroll
      for (int v = 0; v < NV; ++v)
        sum[m][v] = Vec::dot(sum[m][v], x, w[v]);
    }
  }
#pragma unroll
  for (int m = 0; m < rows; ++m)
#pragma unroll
    for (int v = 0; v < NV; ++v)
      acc[m][v] = sum[m][v];
}

template <bool Floor>
[[gnu::always_inline]] inline F convert(const LayerConstants &c, F x) {
  x = Vec::round(x, Floor);
  return Vec::min(Vec::max(x, Vec::set(c.adcLo)), Vec::set(c.adcHi));
}

/// One Philox round key per round; lanes are 64 bits.
struct Keys {
  Vec::U k0[7], k1[7];
  explicit Keys(PhiloxKey key) {
    for (int round = 0; round < 7; ++round) {
      k0[round] = Vec::set64(uint32_t(key.k0 + round * philoxW0));
      k1[round] = Vec::set64(uint32_t(key.k1 + round * philoxW1));
    }
  }
};

/// Counters of Vec::width / 2 calls: those of the first half belong to `A`, of
/// the second to `B`. With one vector per row A and B are neighbouring rows,
/// otherwise the two vectors of one row. Vec::quads counts on from each quad.
struct Site {
  uint32_t quadA, quadB;
  uint32_t windowA, windowB;
  uint32_t imageA, imageB;
  uint32_t layerBlock;
};

/// Philox of several sites at once: random bits of two vectors per site.
template <int Count>
[[gnu::always_inline]] inline void randomBits(const Keys &keys, Draw draw,
                                              const Site (&sites)[Count],
                                              I (&bits)[Count][2]) {
  using U = Vec::U;
  uint32_t kind = uint32_t(draw) << 28;
  U c0[Count], c1[Count], c2[Count], c3[Count];
#pragma unroll
  for (int i = 0; i < Count; ++i) {
    c0[i] = Vec::quads(kind | sites[i].quadA, kind | sites[i].quadB);
    c1[i] = Vec::halves(sites[i].windowA, sites[i].windowB);
    c2[i] = Vec::halves(sites[i].imageA, sites[i].imageB);
    c3[i] = Vec::set64(sites[i].layerBlock);
  }
  const U m0 = Vec::set64(philoxM0), m1 = Vec::set64(philoxM1);
  // Upper halves of the lanes fill with garbage that no step reads.
#pragma unroll
  for (int round = 0; round < 7; ++round)
#pragma unroll
    for (int i = 0; i < Count; ++i) {
      U p0 = Vec::mul(m0, c0[i]), p1 = Vec::mul(m1, c2[i]);
      c0[i] = Vec::xor3(Vec::high(p1), c1[i], keys.k0[round]);
      c1[i] = p1;
      c2[i] = Vec::xor3(Vec::high(p0), c3[i], keys.k1[round]);
      c3[i] = p0;
    }
#pragma unroll
  for (int i = 0; i < Count; ++i)
    Vec::weave(c0[i], c1[i], c2[i], c3[i], bits[i]);
}

/// What normalFromBits() does, on vectors.
template <int Count>
[[gnu::always_inline]] inline void normalsFromBits(const I (&bits)[Count],
                                                   F (&out)[Count]) {
  F s[Count];
  Vec::Octave octave[Count];
#pragma unroll
  for (int i = 0; i < Count; ++i) {
    I image = Vec::bitsOf(Vec::toFloat(Vec::oddMagnitude(bits[i])));
    s[i] = Vec::sub(Vec::mantissa(image), Vec::set(1.5f));
    octave[i] = Vec::Octave(image);
    out[i] = octave[i].lookup(normalTable[normalDegree]);
  }
#pragma unroll
  for (int degree = normalDegree - 1; degree >= 0; --degree)
#pragma unroll
    for (int i = 0; i < Count; ++i)
      out[i] = Vec::add(Vec::mul(out[i], s[i]),
                        octave[i].lookup(normalTable[degree]));
#pragma unroll
  for (int i = 0; i < Count; ++i)
    out[i] = Vec::withSign(out[i], bits[i]);
}

/// Normals of a whole register tile: use(m, v, normals) for every vector.
template <int NV, typename Use>
[[gnu::always_inline]] inline void tileNormals(const Keys &keys, Draw draw,
                                               const Rows &at, uint32_t column,
                                               uint32_t layerBlock, Use &&use) {
  constexpr int calls = Vec::calls;
  constexpr int step = 3 - NV; // rows per site
  uint32_t quad = column / 4;
  uint32_t quadB = NV == 1 ? quad : quad + width / 4;
  for (int m = 0; m < rows; m += step * calls) {
    Site sites[calls];
#pragma unroll
    for (int i = 0; i < calls; ++i) {
      int a = m + i * step, b = a + step - 1;
      sites[i] = {quad,        quadB,       at.window[a], at.window[b],
                  at.image[a], at.image[b], layerBlock};
    }
    I bits[calls][2];
    randomBits(keys, draw, sites, bits);
    I flat[2 * calls];
    F normal[2 * calls];
#pragma unroll
    for (int i = 0; i < 2 * calls; ++i)
      flat[i] = bits[i / 2][i % 2];
    normalsFromBits(flat, normal);
#pragma unroll
    for (int i = 0; i < calls; ++i) {
      int a = m + i * step, b = a + step - 1;
      use(a, 0, normal[2 * i]);
      use(b, NV - 1, normal[2 * i + 1]);
    }
  }
}

/// sum t^2 q^2 of a register tile, from the two halves of q^2.
template <int NV>
[[gnu::always_inline]] inline void
squareSums(const LayerConstants &c, const TileBlock &block, const Rows &at,
           I (&sums)[rows][NV]) {
  for (int m = 0; m < rows; ++m)
    for (int v = 0; v < NV; ++v)
      sums[m][v] = Vec::zero();
  product<NV>(block, block.squares, at.high, sums);
  for (int m = 0; m < rows; ++m)
    for (int v = 0; v < NV; ++v)
      sums[m][v] = Vec::shiftLeft(sums[m][v], c.squareShift);
  product<NV>(block, block.squares, at.low, sums);
}

/// The analog path of one block: from integer sums to what the ADC sees.
template <int NV>
[[gnu::noinline]] void distort(const LayerConstants &c, const Keys &keys,
                               const Tile &tile, uint32_t position,
                               const Rows &at, F (&x)[rows][NV]) {
  const TileBlock &block = tile.blocks[position];
  uint32_t counter = c.layer << 16 | position;
  if (c.inverseZ != 1)
    for (int m = 0; m < rows; ++m)
      for (int v = 0; v < NV; ++v)
        x[m][v] = Vec::mul(x[m][v], Vec::set(c.inverseZ));
  if (c.readSigma != 0) {
    I variance[rows][NV];
    squareSums<NV>(c, block, at, variance);
    F sigma = Vec::set(c.readSigma);
    tileNormals<NV>(keys, Draw::Read, at, tile.column, counter,
                    [&](int m, int v, F normal) {
                      F root = Vec::sqrt(Vec::toFloat(variance[m][v]));
                      F noise = Vec::mul(Vec::mul(sigma, root), normal);
                      x[m][v] = Vec::add(x[m][v], noise);
                    });
  }
  for (int v = 0; v < NV; ++v) {
    F gain = Vec::load(block.gain + v * width);
    for (int m = 0; m < rows; ++m)
      x[m][v] = Vec::mul(x[m][v], gain);
  }
  if (block.columns)
    bendLines(*block.columns, rows, NV * width, reinterpret_cast<float *>(x));
  for (int v = 0; v < NV; ++v) {
    if (block.adcGain)
      for (int m = 0; m < rows; ++m)
        x[m][v] = Vec::mul(x[m][v], Vec::load(block.adcGain + v * width));
    if (block.adcOffset)
      for (int m = 0; m < rows; ++m)
        x[m][v] = Vec::add(x[m][v], Vec::load(block.adcOffset + v * width));
  }
  if (c.adcNoise != 0) {
    F sigma = Vec::set(c.adcNoise);
    tileNormals<NV>(keys, Draw::Convert, at, tile.column, counter,
                    [&](int m, int v, F normal) {
                      x[m][v] = Vec::add(x[m][v], Vec::mul(sigma, normal));
                    });
  }
  if (block.columns)
    compareThresholds(*block.columns, rows, NV * width,
                      reinterpret_cast<float *>(x));
}

enum class Path { Ideal, Exact, Analog };

/// One block of one register tile: product, converter, sum.
template <int NV, Path P, bool Floor>
[[gnu::always_inline]] inline void
addBlock(const LayerConstants &c, const Keys *keys, const Tile &tile,
         uint32_t position, const Rows &at, F (&sums)[rows][NV]) {
  const TileBlock &block = tile.blocks[position];
  I acc[rows][NV];
  for (int v = 0; v < NV; ++v)
    for (int m = 0; m < rows; ++m)
      acc[m][v] = Vec::load(block.start + v * width);
  product<NV>(block, block.weights, at.input, acc);

  F x[rows][NV];
  if (P == Path::Analog) {
    for (int m = 0; m < rows; ++m)
      for (int v = 0; v < NV; ++v)
        x[m][v] = Vec::toFloat(acc[m][v]);
    distort<NV>(c, *keys, tile, position, at, x);
  }
  for (int v = 0; v < NV; ++v) {
    F gain = Vec::load(block.gain + v * width);
    F coefficient = Vec::load(block.coefficient + v * width);
    for (int m = 0; m < rows; ++m) {
      F value = P == Path::Analog ? x[m][v] : Vec::toFloat(acc[m][v]);
      if (P == Path::Exact)
        value = Vec::mul(value, gain);
      if (P != Path::Ideal)
        value = convert<Floor>(c, value);
      F sum = position ? sums[m][v] : Vec::set(0.0f);
      sums[m][v] = Vec::add(sum, Vec::mul(value, coefficient));
    }
  }
}

/// Scale, bias, activation, and out.
template <int NV>
[[gnu::always_inline]] inline void
finish(const LayerConstants &c, const Tile &tile, uint32_t count,
       uint64_t position, const F (&sums)[rows][NV], void *output) {
  for (int v = 0; v < NV; ++v) {
    // Lanes of this vector that are columns of the tile.
    uint32_t at = v * width;
    uint32_t begin = tile.begin > at ? tile.begin - at : 0;
    uint32_t end = tile.end > at ? tile.end - at : 0;
    if (end > width)
      end = width;
    if (begin >= end)
      continue;
    F scale = Vec::load(tile.scale + v * width);
    F bias = Vec::load(tile.bias + v * width);
    F lo = Vec::set(c.outLo), hi = Vec::set(c.outHi);
    for (uint32_t m = 0; m < rows; ++m) {
      if (m >= count)
        break;
      F y = Vec::add(Vec::mul(sums[m][v], scale), bias);
      uint64_t to = (position + m) * c.outC + tile.column + at;
      if (c.outType == CIM_F32) {
        y = Vec::min(Vec::max(y, lo), hi);
        Vec::store(static_cast<float *>(output) + to, y, begin, end);
        continue;
      }
      y = c.outFloor ? Vec::round(y, true) : Vec::round(y, false);
      y = Vec::min(Vec::max(y, lo), hi);
      Vec::storeBytes(static_cast<uint8_t *>(output) + to, y, begin, end);
    }
  }
}

/// A window as the noise counters name it.
struct Position {
  uint32_t window, image;
};

/// The register tile of `count` windows from `begin`, which is at `position`;
/// rows beyond count repeat the last window. Returns the next position.
inline Position locate(const WindowRun &run, uint32_t begin, uint32_t count,
                       Position position, Rows &at) {
  for (uint32_t m = 0; m < rows; ++m) {
    uint32_t corner = run.corners[begin + (m < count ? m : count - 1)];
    at.input[m] = run.input + corner;
    at.high[m] = run.high + corner;
    at.low[m] = run.low + corner;
    at.image[m] = position.image;
    at.window[m] = position.window;
    if (++position.window == run.windowsPerImage)
      position = {0, position.image + 1};
  }
  return position;
}

template <int NV, Path P, bool Floor>
void runTile(const LayerConstants &c, const Tile &tile, const WindowRun &run) {
  Keys keys(c.key);
  Position position = {0, run.firstImage};
  for (uint32_t begin = 0; begin < run.windowCount; begin += rows) {
    uint32_t left = run.windowCount - begin;
    uint32_t count = left < rows ? left : rows;
    Rows at;
    position = locate(run, begin, count, position, at);
    F sums[rows][NV];
    for (uint32_t block = 0; block < tile.blockCount; ++block)
      addBlock<NV, P, Floor>(c, &keys, tile, block, at, sums);
    if (tile.blockCount == 0)
      for (int m = 0; m < rows; ++m)
        for (int v = 0; v < NV; ++v)
          sums[m][v] = Vec::set(0.0f);
    finish<NV>(c, tile, count, begin, sums, run.output);
  }
}

template <int NV>
void runPath(const LayerConstants &c, const Tile &tile, const WindowRun &run) {
  if (c.ideal)
    return runTile<NV, Path::Ideal, false>(c, tile, run);
  if (c.analog)
    return c.adcFloor ? runTile<NV, Path::Analog, true>(c, tile, run)
                      : runTile<NV, Path::Analog, false>(c, tile, run);
  return c.adcFloor ? runTile<NV, Path::Exact, true>(c, tile, run)
                    : runTile<NV, Path::Exact, false>(c, tile, run);
}

/// Fills count bytes of the padded maps from q, or with padding.
inline uint8_t copyRow(const PadJob &job, const uint8_t *from, uint64_t to,
                       uint64_t count) {
  uint8_t *padded = job.padded + to;
  uint8_t seen = 0, offset = job.offset;
  for (uint64_t i = 0; i < count; ++i) {
    uint8_t value = uint8_t(from[i] + offset);
    padded[i] = value;
    seen |= value;
  }
  if (!job.high)
    return seen;
  uint8_t *high = job.high + to, *low = job.low + to;
  uint16_t mask = uint16_t((1 << job.squareShift) - 1);
  for (uint64_t i = 0; i < count; ++i) {
    // Of a signed q the offset was half of its range: undo it in 16 bits.
    int16_t q = int16_t(int16_t(padded[i]) - int16_t(job.offset));
    uint16_t square = uint16_t(q * q);
    high[i] = uint8_t(square >> job.squareShift);
    low[i] = uint8_t(square & mask);
  }
  return seen;
}

inline void fillRow(const PadJob &job, uint64_t to, uint64_t count) {
  for (uint64_t i = 0; i < count; ++i)
    job.padded[to + i] = job.offset;
  for (uint64_t i = 0; job.high && i < count; ++i)
    job.high[to + i] = job.low[to + i] = 0;
}

uint8_t padImage(const PadJob &job) {
  uint8_t seen = 0;
  uint64_t rowBytes = uint64_t(job.width) * job.inC;
  // Columns of the padded map that lie within the input.
  int64_t first = job.left < 0 ? -int64_t(job.left) : 0;
  int64_t end = int64_t(job.inW) - job.left;
  first = first < job.width ? first : job.width;
  end = end < job.width ? end : job.width;
  end = end > first ? end : first;
  for (uint32_t h = 0; h < job.height; ++h) {
    int64_t ih = int64_t(h) + job.top;
    uint64_t to = h * rowBytes;
    if (ih < 0 || ih >= job.inH) {
      fillRow(job, to, rowBytes);
      continue;
    }
    fillRow(job, to, first * job.inC);
    seen |=
        copyRow(job, job.input + (ih * job.inW + first + job.left) * job.inC,
                to + first * job.inC, (end - first) * job.inC);
    fillRow(job, to + end * job.inC, rowBytes - end * job.inC);
  }
  return seen;
}

} // namespace
