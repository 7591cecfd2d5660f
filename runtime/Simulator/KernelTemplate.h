// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The vector kernel, written once for every instruction set. A file that
// defines `struct Vec` (what a vector can do) includes this one; everything is
// in an anonymous namespace, see Kernel.h.
//
// One register tile is R windows by NV vectors of columns. Per block: integer
// product in registers, converter, sum over blocks; then the epilogue.
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

/// Where the windows of one register tile lie.
template <int R> struct Rows {
  uint64_t corner[R];
  uint64_t pulses[R];
  WindowWords noise;
};

/// What the analog path of one block and register tile needs beside its
/// products.
template <int R, int NV> struct Sums {
  I squares[R][NV], pulses[R][NV], loads[R][NV], drops[R][NV];
};

} // namespace

#include "Simulator/KernelColumns.h"
#include "Simulator/KernelNoise.h"
#include "Simulator/KernelPad.h"

namespace {

/// The product of a tile with `weights`, from start(m, v) on. Window m reads
/// its groups at `offsets` from from + corners[m].
template <int R, int NV, typename Start>
[[gnu::always_inline]] inline void
product(const TileBlock &block, const uint32_t *offsets, const int8_t *weights,
        const uint8_t *from, const uint64_t (&corners)[R], Start &&start,
        I (&acc)[R][NV]) {
  // Copies that nothing else can point to stay in registers.
  I sum[R][NV];
  const uint8_t *corner[R];
#pragma unroll
  for (int m = 0; m < R; ++m) {
    corner[m] = from + corners[m];
#pragma unroll
    for (int v = 0; v < NV; ++v)
      sum[m][v] = start(m, v);
  }
  const uint32_t *end = offsets + block.groupCount;
  for (; offsets != end; ++offsets, weights += NV * width * 4) {
    uint64_t offset = *offsets;
    I w[NV];
#pragma unroll
    for (int v = 0; v < NV; ++v)
      w[v] = Vec::load(weights + v * width * 4);
#pragma unroll
    for (int m = 0; m < R; ++m) {
      I x = Vec::broadcast4(corner[m] + offset);
#pragma unroll
      for (int v = 0; v < NV; ++v)
        sum[m][v] = Vec::dot(sum[m][v], x, w[v]);
    }
  }
#pragma unroll
  for (int m = 0; m < R; ++m)
#pragma unroll
    for (int v = 0; v < NV; ++v)
      acc[m][v] = sum[m][v];
}

/// sum t^2 q^2 of a register tile, from the two halves of q^2.
template <int R, int NV>
[[gnu::always_inline]] inline void
sumHalves(const LayerConstants &c, const WindowRun &run, const TileBlock &block,
          const Rows<R> &at, I (&sums)[R][NV]) {
  product<R, NV>(
      block, block.offsets, block.squares, run.high, at.corner,
      [](int, int) { return Vec::setInt(0); }, sums);
  product<R, NV>(
      block, block.offsets, block.squares, run.low, at.corner,
      [&](int m, int v) { return Vec::shiftLeft(sums[m][v], c.squareShift); },
      sums);
}

/// What the rows' wires carry and lose.
template <int R, int NV>
[[gnu::noinline]] void sumWires(const WindowRun &run, const TileBlock &block,
                                const Rows<R> &at, Sums<R, NV> &sums) {
  product<R, NV>(
      block, block.offsets, block.loads, run.magnitudes, at.corner,
      [](int, int) { return Vec::setInt(0); }, sums.loads);
  product<R, NV>(
      block, block.offsets, block.drops, run.input, at.corner,
      [&](int, int v) { return Vec::load(block.dropStart + v * width); },
      sums.drops);
}

/// What the deviations of pulses add.
template <int R, int NV>
[[gnu::noinline]] void sumPulses(const WindowRun &run, const TileBlock &block,
                                 const Rows<R> &at, Sums<R, NV> &sums) {
  product<R, NV>(
      block, block.pulses, block.weights, run.pulses, at.pulses,
      [&](int, int v) { return Vec::load(block.pulseStart + v * width); },
      sums.pulses);
}

/// Product and, from tables, sum t^2 q^2 at once: the lookups find room beside
/// the multiplications.
template <int R, int NV, typename V>
[[gnu::always_inline]] inline void
productAndSquares(const WindowRun &run, const TileBlock &block,
                  const Rows<R> &at, I (&acc)[R][NV], I (&squares)[R][NV]) {
  I sum[R][NV], square[R][NV];
#pragma unroll
  for (int m = 0; m < R; ++m)
#pragma unroll
    for (int v = 0; v < NV; ++v) {
      sum[m][v] = V::load(block.start + v * width);
      // Two words per table, each less 2^15.
      square[m][v] = V::setInt(int32_t(block.groupCount / 2 << 16));
    }
  const int8_t *weights = block.weights;
  const int16_t *subsets = block.subsets;
  const uint32_t *offsets = block.offsets, *end = offsets + block.groupCount;
  for (; offsets != end; offsets += 2, subsets += NV * width * 2) {
    const uint8_t *input = run.input + *offsets;
    auto *tables = reinterpret_cast<const char *>(run.tables) +
                   uint64_t(*offsets) * subsetBytes;
    I index[NV];
#pragma unroll
    for (int v = 0; v < NV; ++v)
      index[v] = V::load(subsets + v * width * 2);
    // Half of the lookups go with each quad, because lookups and products
    // that alternate share the processor best.
#pragma unroll
    for (int quad = 0; quad < 2; ++quad, weights += NV * width * 4) {
      I w[NV];
#pragma unroll
      for (int v = 0; v < NV; ++v)
        w[v] = V::load(weights + v * width * 4);
#pragma unroll
      for (int m = 0; m < R; ++m) {
        I x = V::broadcast4(input + at.corner[m] + 4 * quad);
#pragma unroll
        for (int v = 0; v < NV; ++v)
          sum[m][v] = V::dot(sum[m][v], x, w[v]);
        if (m % 2 != quad)
          continue;
        I table = V::load(reinterpret_cast<const int16_t *>(
            tables + at.corner[m] * subsetBytes));
#pragma unroll
        for (int v = 0; v < NV; ++v)
          square[m][v] = V::addPicked(square[m][v], table, index[v]);
      }
    }
  }
#pragma unroll
  for (int m = 0; m < R; ++m)
#pragma unroll
    for (int v = 0; v < NV; ++v) {
      acc[m][v] = sum[m][v];
      squares[m][v] = square[m][v];
    }
}

template <bool Floor>
[[gnu::always_inline]] inline F convert(const LayerConstants &c, F x) {
  x = Vec::round(x, Floor);
  x = Vec::min(Vec::max(x, Vec::set(c.adcLo)), Vec::set(c.adcHi));
  return Floor ? Vec::add(x, Vec::set(c.adcHalf)) : x;
}

/// Scale, bias, activation, and where the results of a register tile go. Copies
/// of what is constant: the compiler must assume that stores of bytes change
/// anything else.
template <int NV> struct Epilogue {
  F scale[NV], bias[NV], lo, hi;
  bool floats, floor;
  // Lanes of every vector that are columns of the tile.
  uint32_t begin[NV], end[NV];
  bool wholeLanes = true;
  // Of the register tile at hand.
  bool whole;     // every row and lane is somebody's
  uint32_t count; // windows; the other rows are nobody's
  char *to;

  Epilogue(const LayerConstants &c, const Tile &tile)
      : lo(Vec::set(c.outLo)), hi(Vec::set(c.outHi)),
        floats(c.outType == CIM_F32), floor(c.outFloor && !floats) {
    for (uint32_t v = 0; v < NV; ++v) {
      uint32_t at = v * width;
      scale[v] = Vec::load(tile.scale + at);
      bias[v] = Vec::load(tile.bias + at);
      begin[v] = tile.begin > at ? tile.begin - at : 0;
      end[v] = tile.end > at ? tile.end - at : 0;
      end[v] = end[v] < width ? end[v] : width;
      wholeLanes &= begin[v] == 0 && end[v] == width;
    }
  }

  void moveTo(const LayerConstants &c, const Tile &tile, const WindowRun &run,
              uint32_t window, uint32_t windows, uint32_t rows) {
    uint64_t at = uint64_t(window) * c.outC + tile.column;
    to = static_cast<char *>(run.output) + at * (floats ? 4 : 1);
    count = windows;
    whole = wholeLanes && count == rows;
  }
};

template <bool Whole, int NV>
[[gnu::always_inline]] inline void finish(const Epilogue<NV> &e, uint64_t outC,
                                          int m, int v, F sum) {
  if (!Whole && (uint32_t(m) >= e.count || e.begin[v] >= e.end[v]))
    return;
  F y = Vec::add(Vec::mul(sum, e.scale[v]), e.bias[v]);
  if (e.floor)
    y = Vec::round(y, true);
  y = Vec::min(Vec::max(y, e.lo), e.hi);
  uint32_t begin = Whole ? 0 : e.begin[v], end = Whole ? width : e.end[v];
  uint64_t to = m * outC + v * width;
  // Integer bounds: rounding to nearest may come after them.
  if (e.floats)
    Vec::store(reinterpret_cast<float *>(e.to) + to, y, begin, end);
  else
    Vec::storeBytes(reinterpret_cast<uint8_t *>(e.to) + to, y, begin, end);
}

/// The analog path of one block: from integer sums to codes, added to `sums`,
/// and out with the last block. Everything stays in registers; a batch of
/// vectors hides the latencies of Philox.
template <int R, int NV, bool Floor>
[[gnu::noinline]] void addAnalog(const LayerConstants &c, const Keys &keys,
                                 const WindowRun &run, const Tile &tile,
                                 uint32_t position, const Rows<R> &at,
                                 const Epilogue<NV> &out, const I (&acc)[R][NV],
                                 const Sums<R, NV> &more, F (&sums)[R][NV]) {
  const TileBlock &block = tile.blocks[position];
  bool joint = block.noise, read = c.squares != Squares::None && !joint;
  float adcVariance = c.adcNoise * c.adcNoise;
  uint64_t outC = c.outC;
  uint32_t quad = tile.column / 4, quadB = NV == 1 ? quad : quad + width / 4;
  uint32_t counter = c.layer << 16 | position;
  Columns readColumns(keys, Draw::Read, quad, quadB, counter);
  Columns convertColumns(keys, joint ? Draw::Read : Draw::Convert, quad, quadB,
                         counter);

  static_assert(R % batchRow<NV>(batch) == 0);
  for (int first = 0; first < R; first += batchRow<NV>(batch)) {
    F x[batch], normal[batch];
    auto each = [&](auto &&step) __attribute__((always_inline)) {
#pragma unroll
      for (int i = 0; i < batch; ++i)
        step(i, first + batchRow<NV>(i), batchVector<NV>(i));
    };
    auto multiply = [&](const float *factor) __attribute__((always_inline)) {
      each([&](int i, int, int v) {
        x[i] = Vec::mul(x[i], Vec::load(factor + v * width));
      });
    };
    each([&](int i, int m, int v) { x[i] = Vec::toFloat(acc[m][v]); });
    if (c.jitter != 0)
      each([&](int i, int m, int v) {
        F pulses = Vec::toFloat(more.pulses[m][v]);
        x[i] = Vec::add(x[i], Vec::mul(pulses, Vec::set(c.jitter)));
      });
    if (c.inverseZ != 1)
      each([&](int i, int, int) {
        x[i] = Vec::mul(x[i], Vec::set(c.inverseZ));
      });
    if (c.wires)
      each([&](int i, int m, int v) {
        F wire = Vec::load(block.wire + v * width);
        x[i] = loseToWires(c, wire, more.loads[m][v], more.drops[m][v], x[i]);
      });
    WindowWords windows = at.noise;
    for (const uint32_t *&words : windows.words)
      words += first;
    if (read) {
      batchNormals<NV>(keys, readColumns, windows, normal);
      each([&](int i, int m, int v) {
        F root = Vec::sqrt(Vec::toFloat(more.squares[m][v]));
        F sigma = Vec::mul(Vec::set(c.readSigma), root);
        x[i] = Vec::add(x[i], Vec::mul(sigma, normal[i]));
      });
    }
    multiply(block.gain);
    if (block.columns)
      each(
          [&](int i, int, int v) { x[i] = bendLine(*block.columns, v, x[i]); });
    if (block.adcGain)
      multiply(block.adcGain);
    if (block.adcOffset)
      each([&](int i, int, int v) {
        x[i] = Vec::add(x[i], Vec::load(block.adcOffset + v * width));
      });
    if (joint || c.adcNoise != 0) {
      batchNormals<NV>(keys, convertColumns, windows, normal);
      F sigma[batch];
      if (joint)
        each([&](int i, int m, int v) {
          F variance = Vec::mul(Vec::toFloat(more.squares[m][v]),
                                Vec::load(block.noise + v * width));
          sigma[i] = Vec::sqrt(Vec::add(variance, Vec::set(adcVariance)));
        });
      else
        each([&](int i, int, int) { sigma[i] = Vec::set(c.adcNoise); });
      each([&](int i, int, int) {
        x[i] = Vec::add(x[i], Vec::mul(sigma[i], normal[i]));
      });
    }
    if (block.thresholds)
      each([&](int i, int, int v) {
        x[i] = codesOf(*block.thresholds, v, x[i]);
      });
    each([&](int i, int, int) { x[i] = convert<Floor>(c, x[i]); });
    multiply(block.coefficient);
    if (position)
      each([&](int i, int m, int v) { x[i] = Vec::add(sums[m][v], x[i]); });
    else
      each([&](int i, int, int) { x[i] = Vec::add(Vec::set(0.0f), x[i]); });
    if (position + 1 != tile.blockCount)
      each([&](int i, int m, int v) { sums[m][v] = x[i]; });
    else if (out.whole)
      each([&](int i, int m, int v) { finish<true>(out, outC, m, v, x[i]); });
    else
      each([&](int i, int m, int v) { finish<false>(out, outC, m, v, x[i]); });
  }
}

enum class Path {
  Ideal,
  Exact,
  Analog,
  Subsets, // analog with Squares::Subsets
};

/// Windows of a register tile.
constexpr int rowsOf(Path path, int nv) {
  return Vec::accumulators / nv / (path == Path::Subsets ? 2 : 1);
}

/// Where a block stands among those of its tile.
enum class Place { Only, Inner, Last };

/// One block of one register tile: product, converter, sum; and out with the
/// last block. `sums` begins as 0; an only block leaves it alone.
template <int R, int NV, Path P, bool Floor, Place At>
[[gnu::always_inline]] inline void
addBlock(const LayerConstants &c, const Keys *keys, const WindowRun &run,
         const Tile &tile, uint32_t position, const Rows<R> &at,
         const Epilogue<NV> &out, F (&sums)[R][NV]) {
  const TileBlock &block = tile.blocks[position];
  I acc[R][NV];
  auto start = [&](int, int v) { return Vec::load(block.start + v * width); };
  if constexpr (P == Path::Analog || P == Path::Subsets) {
    Sums<R, NV> more;
    if constexpr (P == Path::Subsets)
      productAndSquares<R, NV, Vec>(run, block, at, acc, more.squares);
    else
      product<R, NV>(block, block.offsets, block.weights, run.input, at.corner,
                     start, acc);
    if (P == Path::Analog && c.squares == Squares::Halves)
      sumHalves<R, NV>(c, run, block, at, more.squares);
    if (c.wires)
      sumWires<R, NV>(run, block, at, more);
    if (c.jitter != 0)
      sumPulses<R, NV>(run, block, at, more);
    return addAnalog<R, NV, Floor>(c, *keys, run, tile, position, at, out, acc,
                                   more, sums);
  }
  product<R, NV>(block, block.offsets, block.weights, run.input, at.corner,
                 start, acc);
  F gain[NV], coefficient[NV];
  for (int v = 0; v < NV; ++v) {
    gain[v] = Vec::load(block.gain + v * width);
    coefficient[v] = Vec::load(block.coefficient + v * width);
  }
  uint64_t outC = c.outC;
  auto convertAll = [&](auto &&use) __attribute__((always_inline)) {
#pragma unroll
    for (int v = 0; v < NV; ++v)
#pragma unroll
      for (int m = 0; m < R; ++m) {
        F value = Vec::toFloat(acc[m][v]);
        if (P == Path::Exact)
          value = convert<Floor>(c, Vec::mul(value, gain[v]));
        F sum = At == Place::Only ? Vec::set(0.0f) : sums[m][v];
        use(m, v, Vec::add(sum, Vec::mul(value, coefficient[v])));
      }
  };
  if (At == Place::Inner)
    convertAll([&](int m, int v, F sum) { sums[m][v] = sum; });
  else if (out.whole)
    convertAll(
        [&](int m, int v, F sum) { finish<true>(out, outC, m, v, sum); });
  else
    convertAll(
        [&](int m, int v, F sum) { finish<false>(out, outC, m, v, sum); });
}

/// The register tile of `count` windows from `begin`; rows beyond count repeat
/// the last window.
template <int R>
[[gnu::always_inline]] inline void locate(const WindowRun &run, uint32_t begin,
                                          uint32_t count, Rows<R> &at) {
  for (int word = 0; word < 3; ++word)
    at.noise.words[word] =
        run.noise.words[word] ? run.noise.words[word] + begin : nullptr;
  for (uint32_t m = 0; m < uint32_t(R); ++m) {
    uint32_t window = begin + (m < count ? m : count - 1);
    at.corner[m] = run.corners[window];
    at.pulses[m] = uint64_t(window) * run.pulseBytes;
  }
}

template <int NV, Path P, bool Floor>
void runTile(const LayerConstants &c, const Tile &tile, const WindowRun &run) {
  constexpr int R = rowsOf(P, NV);
  Keys keys(c.key);
  Rows<R> at;
  Epilogue<NV> out(c, tile);
  uint32_t last = tile.blockCount - 1;
  for (uint32_t begin = 0; begin < run.windowCount; begin += R) {
    uint32_t left = run.windowCount - begin;
    uint32_t count = left < R ? left : R;
    locate(run, begin, count, at);
    out.moveTo(c, tile, run, begin, count, R);
    F sums[R][NV];
    if (last == 0) {
      addBlock<R, NV, P, Floor, Place::Only>(c, &keys, run, tile, 0, at, out,
                                             sums);
      continue;
    }
    for (auto &row : sums)
      for (F &sum : row)
        sum = Vec::set(0.0f);
    for (uint32_t block = 0; block < last; ++block)
      addBlock<R, NV, P, Floor, Place::Inner>(c, &keys, run, tile, block, at,
                                              out, sums);
    addBlock<R, NV, P, Floor, Place::Last>(c, &keys, run, tile, last, at, out,
                                           sums);
  }
}

template <int NV, Path P>
void runRounding(const LayerConstants &c, const Tile &tile,
                 const WindowRun &run) {
  return c.adcFloor ? runTile<NV, P, true>(c, tile, run)
                    : runTile<NV, P, false>(c, tile, run);
}

template <int NV, typename V = Vec>
void runPath(const LayerConstants &c, const Tile &tile, const WindowRun &run) {
  if (c.ideal)
    return runTile<NV, Path::Ideal, false>(c, tile, run);
  if (!c.analog)
    return runRounding<NV, Path::Exact>(c, tile, run);
  if constexpr (V::subsets)
    if (c.squares == Squares::Subsets)
      return runRounding<NV, Path::Subsets>(c, tile, run);
  return runRounding<NV, Path::Analog>(c, tile, run);
}

} // namespace
