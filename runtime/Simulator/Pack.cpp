// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Packs plans. A window is read in place from the padded image: matrix row k is
// a byte offset from the window's corner, the same for every window.

#include "Simulator/Pack.h"

#include <algorithm>
#include <cmath>

using namespace cim;
using namespace cim::sim;

namespace {
/// A row of a block and where its input lies.
struct Row {
  uint32_t offset;
  uint32_t k; // within the block
};

/// One column of a planned block.
struct Cover {
  const PlannedBlock *block;
  uint32_t n; // column within the block
};

using Covers = std::vector<Cover>; // of one column, in list order

/// Neighbouring lanes of a tile that come from one block.
struct Run {
  const PlannedBlock *block;
  uint32_t n; // first column within the block
  uint32_t begin, end;
};

/// A tile's block in the making.
struct Rows {
  std::vector<int8_t> weights, squares;
  std::vector<int16_t> words;
  std::vector<uint32_t> offsets;
  std::vector<int32_t> sums;    // of every lane's weights
  std::vector<uint8_t> members; // of every lane's subsets of the group at hand
};

struct Packer {
  const Plan &plan;
  const Config &config;
  Packed &out;

  uint32_t rowOffset(uint32_t k) const;
  std::vector<Row> rowsOf(const PlannedBlock &block) const;
  std::vector<Covers> columns; // of the matrix
  Rows packed;

  void packSegment(uint32_t first, uint32_t end);
  void fillTile(Tile &tile);
  TileBlock packBlock(const Tile &tile, size_t position);
  TileBlock emptyBlock(const Tile &tile);
  std::vector<Run> runsOf(const Tile &tile, size_t position) const;
  bool packRow(const Tile &tile, const std::vector<Run> &runs, uint32_t k,
               size_t base, uint32_t byte);
  void packRows(const Tile &tile, size_t position, const std::vector<Row> &rows,
                TileBlock &block);
  const ColumnStage *packColumns(const Tile &tile, size_t position);
  template <typename Fn> float *columnTable(const Tile &tile, Fn &&value);
};
} // namespace

/// Unsigned kernels see q + offset.
static uint8_t offsetOf(const Plan &plan, const Config &config) {
  return plan.layer->in_type == CIM_I8 ? uint8_t(1 << (config.inputBits - 1))
                                       : 0;
}

bool cim::sim::canPack(const Plan &plan, const Config &config, Isa isa) {
  if (isa == Isa::Portable || plan.scalarOnly())
    return false;
  int32_t input = (1 << config.inputBits) - 1;
  if (2 * input * 127 <= kernelsOf(isa).pairLimit)
    return true;
  int32_t weight = 0, square = 0;
  for (const PlannedBlock &block : plan.blocks) {
    for (int8_t w : block.weights)
      weight = std::max<int32_t>(weight, w < 0 ? -w : w);
    for (uint8_t s : block.squares)
      square = std::max<int32_t>(square, s);
  }
  return 2 * input * std::max(weight, square) <= kernelsOf(isa).pairLimit;
}

uint32_t Packer::rowOffset(uint32_t k) const {
  const cim_layer &l = *plan.layer;
  uint32_t perGroup = l.in_c / l.groups;
  uint32_t c = k % perGroup;
  k /= perGroup;
  uint32_t kw = k % l.kernel_w;
  k /= l.kernel_w;
  uint32_t kh = k % l.kernel_h, g = k / l.kernel_h;
  return (kh * l.dilation_h * out.pieces.pad.width + kw * l.dilation_w) *
             l.in_c +
         g * perGroup + c;
}

std::vector<Row> Packer::rowsOf(const PlannedBlock &block) const {
  std::vector<Row> rows(block.kCount);
  for (uint32_t k = 0; k < block.kCount; ++k)
    rows[k] = {rowOffset(block.k + k), k};
  std::sort(rows.begin(), rows.end(),
            [](const Row &a, const Row &b) { return a.offset < b.offset; });
  return rows;
}

/// value(column) of every lane; lanes of no column repeat a neighbour.
template <typename Fn>
float *Packer::columnTable(const Tile &tile, Fn &&value) {
  Aligned<float> &table = out.columns.emplace_back(tile.lanes);
  for (uint32_t lane = 0; lane < tile.lanes; ++lane)
    table[lane] =
        value(tile.column + std::min(std::max(lane, tile.begin), tile.end - 1));
  return table.data();
}

/// Keeps a copy of `values` in `list`, aligned.
template <typename T>
static const T *keep(std::deque<Aligned<T>> &list,
                     const std::vector<T> &values) {
  Aligned<T> &kept = list.emplace_back(std::max<size_t>(1, values.size()));
  std::copy(values.begin(), values.end(), kept.data());
  return kept.data();
}

std::vector<Run> Packer::runsOf(const Tile &tile, size_t position) const {
  std::vector<Run> runs;
  for (uint32_t lane = tile.begin; lane < tile.end; ++lane) {
    const Cover &cover = columns[tile.column + lane][position];
    if (runs.empty() || runs.back().block != cover.block)
      runs.push_back({cover.block, cover.n, lane, lane});
    ++runs.back().end;
  }
  return runs;
}

/// Writes lanes of a row, every fourth byte; returns whether any is not 0.
template <typename T>
static bool scatter(const T *from, uint32_t count, int8_t *to) {
  T any = 0;
  for (uint32_t i = 0; i < count; ++i) {
    to[4 * i] = int8_t(from[i]);
    any |= from[i];
  }
  return any != 0;
}

/// Adds one row of the block to the group of bytes at `base`, as byte `byte`.
bool Packer::packRow(const Tile &tile, const std::vector<Run> &runs, uint32_t k,
                     size_t base, uint32_t byte) {
  bool used = false;
  for (const Run &run : runs) {
    size_t from = size_t(k) * run.block->nCount + run.n;
    uint32_t count = run.end - run.begin;
    size_t to = base + (byte / 4 * tile.lanes + run.begin) * 4 + byte % 4;
    const int8_t *weights = run.block->weights.data() + from;
    used |= scatter(weights, count, packed.weights.data() + to);
    for (uint32_t i = 0; out.pieces.pad.offset && i < count; ++i)
      packed.sums[run.begin + i] += weights[i];
    if (run.block->squares.empty())
      continue;
    const uint8_t *squares = run.block->squares.data() + from;
    if (out.constants.squares == Squares::Halves)
      used |= scatter(squares, count, packed.squares.data() + to);
    if (out.constants.squares == Squares::Subsets)
      for (uint32_t i = 0; i < count; ++i) // each 0 or 1
        packed.members[run.begin + i] |= uint8_t(squares[i] << byte);
  }
  return used;
}

void Packer::packRows(const Tile &tile, size_t position,
                      const std::vector<Row> &rows, TileBlock &block) {
  bool halves = out.constants.squares == Squares::Halves;
  bool subsets = out.constants.squares == Squares::Subsets;
  std::vector<Run> runs = runsOf(tile, position);
  // Bytes of input that stay together, and where they may begin.
  uint32_t reach = subsets ? 8 : 4, unit = subsets ? 8 : 1;
  size_t bytes = size_t(tile.lanes) * reach;
  packed = {};
  packed.weights.reserve(rows.size() * tile.lanes + bytes);
  packed.sums.resize(tile.lanes);
  for (size_t at = 0; at < rows.size();) {
    size_t base = packed.weights.size();
    uint32_t first = rows[at].offset / unit * unit;
    packed.weights.resize(base + bytes);
    packed.squares.resize(halves ? base + bytes : 0);
    packed.members.assign(tile.lanes, 0);
    bool used = false;
    for (; at < rows.size() && rows[at].offset < first + reach; ++at)
      used |= packRow(tile, runs, rows[at].k, base, rows[at].offset - first);
    for (uint8_t member : packed.members)
      used |= member != 0;
    // Block-diagonal matrices are mostly empty.
    if (!used) {
      packed.weights.resize(base);
      packed.squares.resize(halves ? base : 0);
      continue;
    }
    for (uint32_t byte = 0; byte < reach; byte += 4)
      packed.offsets.push_back(first + byte);
    size_t word = packed.words.size();
    packed.words.resize(subsets ? word + size_t(tile.lanes) * 2 : 0);
    for (uint32_t lane = 0; subsets && lane < tile.lanes; ++lane)
      for (uint32_t quad = 0; quad < 2; ++quad)
        packed.words[word++] =
            int16_t(subsetWord(quad, packed.members[lane] >> 4 * quad & 15));
  }
  block.groupCount = uint32_t(packed.offsets.size());
  block.offsets = keep(out.offsets, packed.offsets);
  block.weights = keep(out.cells, packed.weights);
  block.squares = halves ? keep(out.cells, packed.squares) : nullptr;
  block.subsets = subsets ? keep(out.subsets, packed.words) : nullptr;
  for (int32_t &sum : packed.sums)
    sum *= -int32_t(out.pieces.pad.offset);
  block.start = keep(out.starts, packed.sums);
}

/// The stage of a tile's columns, or null when it does nothing.
const ColumnStage *Packer::packColumns(const Tile &tile, size_t position) {
  auto tables = [&](uint32_t column) -> const ColumnTables & {
    return columns[column][position].block->columns;
  };
  if (tables(tile.column + tile.begin).empty())
    return nullptr;
  auto at = [&](uint32_t column) -> ColumnStage {
    return tables(column).from(columns[column][position].n);
  };
  ColumnStage first = at(tile.column + tile.begin);
  auto table = [&](const float *ColumnStage::*which) -> const float * {
    if (!(first.*which))
      return nullptr;
    return columnTable(tile, [&](uint32_t n) { return *(at(n).*which); });
  };
  ColumnStage stage = first; // thresholdCount, exponential
  stage.attenuation = table(&ColumnStage::attenuation);
  stage.compression = table(&ColumnStage::compression);
  stage.fullScale = table(&ColumnStage::fullScale);
  stage.limit = table(&ColumnStage::limit);
  if (first.thresholds) {
    std::vector<const float *> &lists = out.lists.emplace_back(tile.lanes);
    for (uint32_t lane = 0; lane < tile.lanes; ++lane) {
      uint32_t column =
          tile.column + std::min(std::max(lane, tile.begin), tile.end - 1);
      const Cover &cover = columns[column][position];
      out.thresholds.push_back(cover.block->columns.thresholds[cover.n]);
      lists[lane] = out.thresholds.back()->data();
    }
    stage.thresholds = lists.data();
  }
  return &out.stages.emplace_back(stage);
}

TileBlock Packer::packBlock(const Tile &tile, size_t position) {
  TileBlock block = {};
  const PlannedBlock &planned =
      *columns[tile.column + tile.begin][position].block;
  std::vector<Row> rows = rowsOf(planned);
  packRows(tile, position, rows, block);
  auto cover = [&](uint32_t column) -> const Cover & {
    return columns[column][position];
  };
  block.gain =
      columnTable(tile, [&](uint32_t n) { return cover(n).block->gain; });
  block.coefficient = columnTable(tile, [&](uint32_t n) {
    return cover(n).block->coefficient[cover(n).n];
  });
  if (!planned.adcGain.empty())
    block.adcGain = columnTable(
        tile, [&](uint32_t n) { return cover(n).block->adcGain[cover(n).n]; });
  if (!planned.adcOffset.empty())
    block.adcOffset = columnTable(tile, [&](uint32_t n) {
      return cover(n).block->adcOffset[cover(n).n];
    });
  block.columns = packColumns(tile, position);
  return block;
}

TileBlock Packer::emptyBlock(const Tile &tile) {
  TileBlock block = {};
  block.start = out.starts.emplace_back(tile.lanes).data();
  block.gain = block.coefficient = out.columns.emplace_back(tile.lanes).data();
  return block;
}

void Packer::fillTile(Tile &tile) {
  size_t count = columns[tile.column + tile.begin].size();
  std::vector<TileBlock> &blocks = out.blockLists.emplace_back();
  for (size_t position = 0; position < count; ++position)
    blocks.push_back(packBlock(tile, position));
  if (count == 0) // a sum of nothing
    blocks.push_back(emptyBlock(tile));
  tile.blockCount = uint32_t(blocks.size());
  tile.blocks = blocks.data();
  const cim_layer &l = *plan.layer;
  tile.scale = columnTable(tile, [&](uint32_t n) { return l.scale[n]; });
  tile.bias = columnTable(tile, [&](uint32_t n) { return plan.bias[n]; });
}

void Packer::packSegment(uint32_t first, uint32_t end) {
  for (uint32_t at = first; at < end;) {
    Tile tile = {};
    tile.column = at / 4 * 4;
    tile.begin = at - tile.column;
    uint32_t left = end - tile.column;
    tile.lanes =
        left > out.kernels->narrow ? out.kernels->wide : out.kernels->narrow;
    tile.end = std::min(left, tile.lanes);
    fillTile(tile);
    out.tiles.push_back(tile);
    at = tile.column + tile.end;
  }
}

/// Columns that see the same rows in the same order can share a tile; where
/// placement cut them does not matter.
static bool sameBlocks(const Covers &a, const Covers &b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const Cover &x, const Cover &y) {
                      return x.block->k == y.block->k &&
                             x.block->kCount == y.block->kCount;
                    });
}

static LayerConstants constantsOf(const Plan &plan, const Config &config,
                                  PhiloxKey key) {
  const cim_layer &l = *plan.layer;
  LayerConstants c = {};
  c.ideal = plan.mode == Mode::Ideal;
  c.analog = plan.mode == Mode::Analog;
  c.adcFloor = l.adc_rounding != CIM_NEAREST_EVEN;
  c.adcHalf = l.adc_rounding == CIM_MID_RISE ? 0.5f : 0.0f;
  c.outFloor = l.out_rounding == CIM_FLOOR;
  c.adcLo = float(l.adc_lo);
  c.adcHi = float(l.adc_hi);
  c.outLo = l.lo;
  c.outHi = l.hi;
  c.outType = l.out_type;
  c.outC = l.out_c;
  c.inverseZ = plan.inverseZ;
  c.readSigma = plan.readSigma;
  c.adcNoise = plan.adcNoise;
  c.squareShift = config.inputBits > 7 ? 8 : 7;
  c.key = key;
  c.layer = l.id;
  return c;
}

/// Tables need whole groups of eight inputs and sums that fit 16 bits.
static Squares squaresOf(const Plan &plan, const Config &config,
                         const KernelTable &kernels) {
  if (plan.readSigma == 0)
    return Squares::None;
  if (!kernels.subsets || config.inputBits > 7 || plan.layer->in_c % 8 != 0)
    return Squares::Halves;
  for (const PlannedBlock &block : plan.blocks)
    for (uint8_t square : block.squares)
      if (square > 1)
        return Squares::Halves;
  return Squares::Subsets;
}

std::unique_ptr<Packed> cim::sim::pack(const Plan &plan, const Config &config,
                                       Isa isa, PhiloxKey key) {
  auto out = std::make_unique<Packed>();
  out->kernels = &kernelsOf(isa);
  out->constants = constantsOf(plan, config, key);
  out->constants.squares = squaresOf(plan, config, *out->kernels);
  makePieces(*plan.layer, offsetOf(plan, config), *out);

  Packer packer = {plan, config, *out, {}, {}};
  std::vector<Covers> &columns = packer.columns;
  columns.resize(plan.layer->out_c);
  for (const PlannedBlock &block : plan.blocks)
    for (uint32_t n = 0; n < block.nCount; ++n)
      columns[block.n + n].push_back({&block, n});
  for (uint32_t first = 0; first < columns.size();) {
    uint32_t end = first + 1;
    while (end < columns.size() && sameBlocks(columns[first], columns[end]))
      ++end;
    packer.packSegment(first, end);
    first = end;
  }
  return out;
}
