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

/// Rows whose inputs lie within one group of bytes from `first` on.
struct Group {
  uint32_t first;
  size_t begin, end; // of the sorted rows
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

/// The matrices that kernels multiply inputs with.
enum Matrix { Weights, SquaresOfWeights, Loads, Drops, Matrices };

/// A tile's block in the making.
struct Rows {
  bool wanted[Matrices];
  std::vector<int8_t> cells[Matrices];
  std::vector<int32_t> sums[Matrices]; // of every lane, where wanted
  std::vector<int16_t> words;
  std::vector<uint32_t> offsets, pulses;
  std::vector<uint8_t> members; // of every lane's subsets of the group at hand
  std::vector<int8_t> magnitudes;
};

struct Packer {
  const Plan &plan;
  const Config &config;
  Packed &out;

  uint32_t rowOffset(uint32_t k) const;
  std::vector<Row> rowsOf(const PlannedBlock &block) const;
  uint32_t reach() const;
  std::vector<Group> groupsOf(const std::vector<Row> &rows) const;
  std::vector<Covers> columns; // of the matrix
  Rows packed;

  void packSegment(uint32_t first, uint32_t end);
  void fillTile(Tile &tile);
  TileBlock packBlock(const Tile &tile, size_t position);
  TileBlock emptyBlock(const Tile &tile);
  std::vector<Run> runsOf(const Tile &tile, size_t position) const;
  const PulseSource &pulsesOf(const PlannedBlock &block,
                              const std::vector<Row> &rows);
  bool packRow(const Tile &tile, const std::vector<Run> &runs, uint32_t k,
               size_t base, uint32_t byte);
  void addMembers(const Run &run, const uint8_t *squares, uint32_t byte);
  void packWords(const Tile &tile);
  void startRows(const Tile &tile);
  void packRows(const Tile &tile, size_t position, const std::vector<Row> &rows,
                TileBlock &block);
  void keepRows(uint32_t lanes, TileBlock &block);
  void addSlices(const Tile &tile, const TileBlock &block,
                 std::vector<TileBlock> &blocks);
  const ColumnStage *packColumns(const Tile &tile, size_t position);
  const ThresholdStage *packThresholds(const Tile &tile, size_t position);
  template <typename Fn> float *columnTable(const Tile &tile, Fn &&value);
};
} // namespace

/// Unsigned kernels see q + offset.
static uint8_t offsetOf(const Plan &plan, const Config &config) {
  return plan.layer->in_type == CIM_I8 ? uint8_t(1 << (config.inputBits - 1))
                                       : 0;
}

bool cim::sim::canPack(const Plan &plan, const Config &config, Isa isa) {
  if (isa == Isa::Portable)
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

/// Bytes of input that stay together.
uint32_t Packer::reach() const {
  return out.constants.squares == Squares::Subsets ? 8 : 4;
}

std::vector<Group> Packer::groupsOf(const std::vector<Row> &rows) const {
  // Where a group may begin.
  uint32_t unit = out.constants.squares == Squares::Subsets ? 8 : 1;
  std::vector<Group> groups;
  for (size_t at = 0; at < rows.size();) {
    Group group = {rows[at].offset / unit * unit, at, at};
    while (at < rows.size() && rows[at].offset < group.first + reach())
      ++at;
    group.end = at;
    groups.push_back(group);
  }
  return groups;
}

/// The pulses that drive a block, the same for all tiles.
const PulseSource &Packer::pulsesOf(const PlannedBlock &block,
                                    const std::vector<Row> &rows) {
  uint32_t ordinal = block.ordinal[0];
  for (const PulseSource &known : out.pulses)
    if (known.ordinal == ordinal && known.k == block.k &&
        known.kCount == block.kCount)
      return known;
  PulseSource &made = out.pulses.emplace_back();
  made.ordinal = ordinal;
  made.k = block.k;
  made.kCount = block.kCount;
  made.at = out.pulseBytes;
  bool inOrder = true;
  for (const Group &group : groupsOf(rows)) {
    size_t base = made.rows.size();
    made.rows.resize(base + reach());
    for (uint32_t byte = 0; byte < reach(); byte += 4)
      made.offsets.push_back(group.first + byte);
    for (size_t i = group.begin; i < group.end; ++i)
      made.rows[base + rows[i].offset - group.first] = block.k % 4 + rows[i].k;
  }
  for (size_t i = 0; i < made.rows.size(); ++i)
    inOrder &= made.rows[i] == i;
  out.pulseBytes += uint32_t(made.rows.size());
  if (inOrder)
    made.rows.clear();
  return made;
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

/// Notes the columns of a row whose t^2 is 1.
void Packer::addMembers(const Run &run, const uint8_t *squares, uint32_t byte) {
  for (uint32_t i = 0; i < run.end - run.begin; ++i) // each 0 or 1
    packed.members[run.begin + i] |= uint8_t(squares[i] << byte);
}

/// Adds one row of the block to the group of bytes at `base`, as byte `byte`.
bool Packer::packRow(const Tile &tile, const std::vector<Run> &runs, uint32_t k,
                     size_t base, uint32_t byte) {
  bool used = false;
  for (const Run &run : runs) {
    size_t from = size_t(k) * run.block->nCount + run.n;
    uint32_t count = run.end - run.begin;
    size_t to = base + (byte / 4 * tile.lanes + run.begin) * 4 + byte % 4;
    auto add = [&](Matrix matrix, const auto *row) {
      used |= scatter(row, count, packed.cells[matrix].data() + to);
      std::vector<int32_t> &sums = packed.sums[matrix];
      for (uint32_t i = 0; !sums.empty() && i < count; ++i)
        sums[run.begin + i] += row[i];
    };
    const int8_t *weights = run.block->weights.data() + from;
    add(Weights, weights);
    if (packed.wanted[Drops])
      add(Drops, run.block->drops.data() + from);
    if (packed.wanted[Loads]) {
      packed.magnitudes.assign(weights, weights + count);
      for (int8_t &weight : packed.magnitudes)
        weight = weight < 0 ? int8_t(-weight) : weight;
      add(Loads, packed.magnitudes.data());
    }
    if (run.block->squares.empty())
      continue;
    const uint8_t *squares = run.block->squares.data() + from;
    if (packed.wanted[SquaresOfWeights])
      add(SquaresOfWeights, squares);
    else
      addMembers(run, squares, byte);
  }
  return used;
}

void Packer::startRows(const Tile &tile) {
  packed = {};
  packed.wanted[Weights] = true;
  packed.wanted[SquaresOfWeights] = out.constants.squares == Squares::Halves;
  packed.wanted[Loads] = packed.wanted[Drops] = plan.wire != 0;
  if (out.pieces.pad.offset || plan.jitter != 0)
    packed.sums[Weights].resize(tile.lanes);
  if (plan.wire != 0)
    packed.sums[Drops].resize(tile.lanes);
}

/// The table's words of the two quads at hand.
void Packer::packWords(const Tile &tile) {
  for (uint32_t lane = 0; lane < tile.lanes; ++lane)
    for (uint32_t quad = 0; quad < 2; ++quad)
      packed.words.push_back(
          int16_t(subsetWord(quad, packed.members[lane] >> 4 * quad & 15)));
}

void Packer::packRows(const Tile &tile, size_t position,
                      const std::vector<Row> &rows, TileBlock &block) {
  const PlannedBlock &planned =
      *columns[tile.column + tile.begin][position].block;
  std::vector<Run> runs = runsOf(tile, position);
  uint32_t pulse = plan.jitter != 0 ? pulsesOf(planned, rows).at : 0;
  size_t bytes = size_t(tile.lanes) * reach();
  startRows(tile);
  packed.cells[Weights].reserve(rows.size() * tile.lanes + bytes);
  for (const Group &group : groupsOf(rows)) {
    size_t base = packed.cells[Weights].size();
    auto resize = [&](size_t size) {
      for (int matrix = 0; matrix < Matrices; ++matrix)
        packed.cells[matrix].resize(packed.wanted[matrix] ? size : 0);
    };
    resize(base + bytes);
    packed.members.assign(tile.lanes, 0);
    bool used = false;
    for (size_t i = group.begin; i < group.end; ++i)
      used |=
          packRow(tile, runs, rows[i].k, base, rows[i].offset - group.first);
    for (uint8_t member : packed.members)
      used |= member != 0;
    for (uint32_t byte = 0; used && byte < reach(); byte += 4) {
      packed.offsets.push_back(group.first + byte);
      packed.pulses.push_back(pulse + byte);
    }
    pulse += reach();
    if (!used) // block-diagonal matrices are mostly empty
      resize(base);
    else if (out.constants.squares == Squares::Subsets)
      packWords(tile);
  }
  keepRows(tile.lanes, block);
}

/// Hands the rows over to the block.
void Packer::keepRows(uint32_t lanes, TileBlock &block) {
  block.groupCount = uint32_t(packed.offsets.size());
  block.offsets = keep(out.offsets, packed.offsets);
  auto cells = [&](Matrix matrix) {
    return packed.wanted[matrix] ? keep(out.cells, packed.cells[matrix])
                                 : nullptr;
  };
  block.weights = cells(Weights);
  block.squares = cells(SquaresOfWeights);
  block.loads = cells(Loads);
  block.drops = cells(Drops);
  if (out.constants.squares == Squares::Subsets)
    block.subsets = keep(out.subsets, packed.words);
  // Minus what an offset of the inputs adds.
  auto start = [&](Matrix matrix, int32_t offset) {
    std::vector<int32_t> sums = packed.sums[matrix];
    sums.resize(lanes);
    for (int32_t &sum : sums)
      sum *= -offset;
    return keep(out.starts, sums);
  };
  block.start = start(Weights, out.pieces.pad.offset);
  if (plan.wire != 0)
    block.dropStart = start(Drops, out.pieces.pad.offset);
  if (plan.jitter == 0)
    return;
  block.pulseStart = start(Weights, pulseOffset);
  block.pulses = keep(out.offsets, packed.pulses);
}

/// The stage of a tile's columns, or null when it does nothing.
const ColumnStage *Packer::packColumns(const Tile &tile, size_t position) {
  auto tables = [&](uint32_t column) -> const ColumnTables & {
    return columns[column][position].block->columns;
  };
  if (!tables(tile.column + tile.begin).bends())
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
  ColumnStage stage = first; // exponential
  stage.attenuation = table(&ColumnStage::attenuation);
  stage.compression = table(&ColumnStage::compression);
  stage.fullScale = table(&ColumnStage::fullScale);
  stage.limit = table(&ColumnStage::limit);
  return &out.stages.emplace_back(stage);
}

/// The converters of a tile's columns: every table once.
const ThresholdStage *Packer::packThresholds(const Tile &tile,
                                             size_t position) {
  std::vector<Thresholds> distinct;
  std::vector<int32_t> first;
  ThresholdStage stage = {};
  for (uint32_t lane = 0; lane < tile.lanes; ++lane) {
    uint32_t column =
        tile.column + std::min(std::max(lane, tile.begin), tile.end - 1);
    const Cover &cover = columns[column][position];
    const Thresholds &table = cover.block->columns.thresholds[cover.n];
    auto known = std::find(distinct.begin(), distinct.end(), table);
    first.push_back(int32_t((known - distinct.begin()) * table->size()));
    if (known == distinct.end())
      distinct.push_back(table);
  }
  stage.count = uint32_t(distinct[0]->size());
  stage.start = float(stage.count + 1) * 0.5f;
  if (plan.layer->adc_rounding != CIM_NEAREST_EVEN)
    stage.start = stage.start - 0.5f;
  Guess guess = {stage.start};
  std::vector<float> values;
  for (const Thresholds &table : distinct) {
    guess.include(*table);
    values.insert(values.end(), table->begin(), table->end());
  }
  stage.below = guess.below;
  while ((1u << stage.steps) - 1 <
         std::min(guess.below + guess.above, stage.count))
    ++stage.steps;
  stage.tables = keep(out.columns, values);
  stage.first = keep(out.starts, first);
  return &out.converters.emplace_back(stage);
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
  if (!planned.noise.empty())
    block.noise = columnTable(
        tile, [&](uint32_t n) { return cover(n).block->noise[cover(n).n]; });
  if (plan.wire != 0)
    block.wire =
        columnTable(tile, [&](uint32_t n) { return cover(n).block->wire; });
  block.columns = packColumns(tile, position);
  if (!planned.columns.thresholds.empty())
    block.thresholds = packThresholds(tile, position);
  return block;
}

/// Slices that are converted one by one are blocks of their own, which read
/// their copies of the input with the same weights.
void Packer::addSlices(const Tile &tile, const TileBlock &block,
                       std::vector<TileBlock> &blocks) {
  blocks.push_back(block);
  for (uint32_t slice = 1; slice < plan.slices; ++slice) {
    TileBlock &copy = blocks.emplace_back(block);
    auto &offsets = out.offsets.emplace_back(block.groupCount + 1);
    for (uint32_t i = 0; i < block.groupCount; ++i)
      offsets[i] =
          uint32_t(block.offsets[i] + slice * out.pieces.pad.digits.stride);
    copy.offsets = offsets.data();
    auto &coefficients = out.columns.emplace_back(tile.lanes);
    for (uint32_t lane = 0; lane < tile.lanes; ++lane)
      coefficients[lane] =
          block.coefficient[lane] * float(1u << plan.sliceBits * slice);
    copy.coefficient = coefficients.data();
  }
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
    addSlices(tile, packBlock(tile, position), blocks);
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
                      // The first ordinal names the pulses of a block.
                      return x.block->k == y.block->k &&
                             x.block->kCount == y.block->kCount &&
                             x.block->ordinal[0] == y.block->ordinal[0];
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
  c.jitter = plan.jitter;
  c.wires = plan.wire != 0;
  c.loadUnit = plan.loadUnit;
  c.dropUnit = plan.dropUnit;
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

/// As many windows as have their pulses in the first-level cache, or as fill a
/// register tile.
static void choosePulses(Packed &packed) {
  uint32_t &count = packed.pieces.windowsAtOnce;
  count = uint32_t(packed.pieces.corners.size());
  if (!packed.pulseBytes)
    return;
  uint32_t tile = packed.kernels->windows;
  count = std::max(1u, (32u << 10) / packed.pulseBytes / tile) * tile;
}

std::unique_ptr<Packed> cim::sim::pack(const Plan &plan, const Config &config,
                                       Isa isa, PhiloxKey key) {
  auto out = std::make_unique<Packed>();
  out->kernels = &kernelsOf(isa);
  out->constants = constantsOf(plan, config, key);
  out->constants.squares = squaresOf(plan, config, *out->kernels);
  makePieces(plan, offsetOf(plan, config), *out);

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
  choosePulses(*out);
  return out;
}
