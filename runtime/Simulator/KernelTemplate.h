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
  const uint32_t *offsets = block.offsets;
  for (uint32_t g = 0; g < block.groupCount; ++g) {
    uint32_t offset = offsets[g];
    I w[NV];
    for (int v = 0; v < NV; ++v)
      w[v] = Vec::load(weights + (g * NV + v) * width * 4);
    for (int m = 0; m < rows; ++m) {
      I x = Vec::broadcast4(from[m] + offset);
      for (int v = 0; v < NV; ++v)
        acc[m][v] = Vec::dot(acc[m][v], x, w[v]);
    }
  }
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

/// Counters of Vec::width / 2 calls: those of the first half belong to `a`, of
/// the second to `b`. With one vector per row a and b are neighbouring rows,
/// otherwise b is the second vector of the same row (and Vec::quads counts on).
struct Site {
  uint32_t quadA, quadB;
  uint32_t windowA, windowB;
  uint32_t imageA, imageB;
  uint32_t layerBlock;
};

/// Normals of two vectors of neighbouring columns.
[[gnu::always_inline]] inline void normals(const Keys &keys, Draw draw,
                                           const Site &site, F (&out)[2]) {
  using U = Vec::U;
  uint32_t kind = uint32_t(draw) << 28;
  U c0 = Vec::quads(kind | site.quadA, kind | site.quadB);
  U c1 = Vec::halves(site.windowA, site.windowB);
  U c2 = Vec::halves(site.imageA, site.imageB);
  U c3 = Vec::set64(site.layerBlock);
  const U m0 = Vec::set64(philoxM0), m1 = Vec::set64(philoxM1);
  // Upper halves of the lanes fill with garbage that no step reads.
  for (int round = 0; round < 7; ++round) {
    U p0 = Vec::mul(m0, c0), p1 = Vec::mul(m1, c2);
    c0 = Vec::xor3(Vec::high(p1), c1, keys.k0[round]);
    c1 = p1;
    c2 = Vec::xor3(Vec::high(p0), c3, keys.k1[round]);
    c3 = p0;
  }
  I bits[2];
  Vec::weave(c0, c1, c2, c3, bits);
  for (int v = 0; v < 2; ++v) {
    F x = Vec::toFloat(Vec::oddMagnitude(bits[v]));
    I image = Vec::bitsOf(x);
    F s = Vec::sub(Vec::mantissa(image), Vec::set(1.5f));
    Vec::Octave octave(image);
    F value = octave.lookup(normalTable[normalDegree]);
    for (int degree = normalDegree - 1; degree >= 0; --degree)
      value = Vec::add(Vec::mul(value, s), octave.lookup(normalTable[degree]));
    out[v] = Vec::withSign(value, bits[v]);
  }
}

/// Normals of a whole register tile.
template <int NV>
[[gnu::always_inline]] inline void
tileNormals(const Keys &keys, Draw draw, const Rows &at, uint32_t column,
            uint32_t layerBlock, F (&out)[rows][NV]) {
  uint32_t quad = column / 4;
  for (int m = 0; m < rows; m += 3 - NV) {
    int other = NV == 1 ? m + 1 : m;
    uint32_t quadB = NV == 1 ? quad : quad + width / 4;
    F pair[2];
    normals(keys, draw,
            {quad, quadB, at.window[m], at.window[other], at.image[m],
             at.image[other], layerBlock},
            pair);
    out[m][0] = pair[0];
    out[other][NV - 1] = pair[1];
  }
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
  F normal[rows][NV];
  if (c.readSigma != 0) {
    I variance[rows][NV];
    for (int m = 0; m < rows; ++m)
      for (int v = 0; v < NV; ++v)
        variance[m][v] = Vec::zero();
    product<NV>(block, block.squares, at.high, variance);
    for (int m = 0; m < rows; ++m)
      for (int v = 0; v < NV; ++v)
        variance[m][v] = Vec::shiftLeft(variance[m][v], c.squareShift);
    product<NV>(block, block.squares, at.low, variance);
    tileNormals<NV>(keys, Draw::Read, at, tile.column, counter, normal);
    for (int m = 0; m < rows; ++m)
      for (int v = 0; v < NV; ++v) {
        F sigma = Vec::mul(Vec::set(c.readSigma),
                           Vec::sqrt(Vec::toFloat(variance[m][v])));
        x[m][v] = Vec::add(x[m][v], Vec::mul(sigma, normal[m][v]));
      }
  }
  for (int v = 0; v < NV; ++v) {
    F gain = Vec::load(block.gain + v * width);
    for (int m = 0; m < rows; ++m)
      x[m][v] = Vec::mul(x[m][v], gain);
    if (block.adcGain)
      for (int m = 0; m < rows; ++m)
        x[m][v] = Vec::mul(x[m][v], Vec::load(block.adcGain + v * width));
    if (block.adcOffset)
      for (int m = 0; m < rows; ++m)
        x[m][v] = Vec::add(x[m][v], Vec::load(block.adcOffset + v * width));
  }
  if (c.adcNoise == 0)
    return;
  tileNormals<NV>(keys, Draw::Convert, at, tile.column, counter, normal);
  for (int m = 0; m < rows; ++m)
    for (int v = 0; v < NV; ++v)
      x[m][v] = Vec::add(x[m][v], Vec::mul(Vec::set(c.adcNoise), normal[m][v]));
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

/// Windows begin .. begin + count of a tile; rows beyond count repeat the last.
inline void locate(const WindowRun &run, uint32_t begin, uint32_t count,
                   Rows &at) {
  for (uint32_t m = 0; m < rows; ++m) {
    uint32_t index = begin + (m < count ? m : count - 1);
    uint32_t corner = run.corners[index];
    at.input[m] = run.input + corner;
    at.high[m] = run.high + corner;
    at.low[m] = run.low + corner;
    at.image[m] = run.firstImage + index / run.windowsPerImage;
    at.window[m] = index % run.windowsPerImage;
  }
}

template <int NV, Path P, bool Floor>
void runTile(const LayerConstants &c, const Tile &tile, const WindowRun &run) {
  Keys keys(c.key);
  for (uint32_t begin = 0; begin < run.windowCount; begin += rows) {
    uint32_t left = run.windowCount - begin;
    uint32_t count = left < rows ? left : rows;
    Rows at;
    locate(run, begin, count, at);
    F sums[rows][NV];
    for (uint32_t position = 0; position < tile.blockCount; ++position)
      addBlock<NV, P, Floor>(c, &keys, tile, position, at, sums);
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
inline void copyRow(const PadJob &job, const uint8_t *from, uint64_t to,
                    uint64_t count) {
  uint8_t *padded = job.padded + to;
  for (uint64_t i = 0; i < count; ++i)
    padded[i] = uint8_t(from[i] + job.offset);
  if (!job.high)
    return;
  uint8_t *high = job.high + to, *low = job.low + to;
  uint16_t mask = uint16_t((1 << job.squareShift) - 1);
  for (uint64_t i = 0; i < count; ++i) {
    // Of a signed q the offset was half of its range: undo it in 16 bits.
    int16_t q = int16_t(int16_t(padded[i]) - int16_t(job.offset));
    uint16_t square = uint16_t(q * q);
    high[i] = uint8_t(square >> job.squareShift);
    low[i] = uint8_t(square & mask);
  }
}

inline void fillRow(const PadJob &job, uint64_t to, uint64_t count) {
  for (uint64_t i = 0; i < count; ++i)
    job.padded[to + i] = job.offset;
  for (uint64_t i = 0; job.high && i < count; ++i)
    job.high[to + i] = job.low[to + i] = 0;
}

void padImage(const PadJob &job) {
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
    copyRow(job, job.input + (ih * job.inW + first + job.left) * job.inC,
            to + first * job.inC, (end - first) * job.inC);
    fillRow(job, to + end * job.inC, rowBytes - end * job.inC);
  }
}

} // namespace
