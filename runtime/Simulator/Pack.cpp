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

struct Packer {
  const Plan &plan;
  const Config &config;
  Packed &out;

  uint32_t rowOffset(uint32_t k) const;
  std::vector<Row> rowsOf(const PlannedBlock &block) const;
  std::vector<Covers> columns; // of the matrix

  void packSegment(uint32_t first, uint32_t end);
  void fillTile(Tile &tile);
  TileBlock packBlock(const Tile &tile, size_t position);
  const ColumnStage *packColumns(const Tile &tile, size_t position);
  void packRows(const Tile &tile, size_t position, TileBlock &block);
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
  int32_t weight = 0, square = 0;
  for (const PlannedBlock &block : plan.blocks) {
    for (int8_t w : block.weights)
      weight = std::max<int32_t>(weight, std::abs(int32_t(w)));
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
  return (kh * l.dilation_h * out.pad.width + kw * l.dilation_w) * l.in_c +
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

void Packer::packRows(const Tile &tile, size_t position, TileBlock &block) {
  const PlannedBlock &planned =
      *columns[tile.column + tile.begin][position].block;
  std::vector<Row> rows = rowsOf(planned);
  bool noisy = !planned.squares.empty();
  std::vector<int8_t> weights, squares;
  std::vector<uint32_t> offsets;
  weights.reserve(rows.size() * tile.lanes);
  for (size_t at = 0; at < rows.size();) {
    size_t base = weights.size();
    uint32_t offset = rows[at].offset;
    weights.resize(base + tile.lanes * 4);
    squares.resize(noisy ? base + tile.lanes * 4 : 0);
    bool used = false;
    for (; at < rows.size() && rows[at].offset < offset + 4; ++at)
      for (uint32_t lane = tile.begin; lane < tile.end; ++lane) {
        const Cover &cover = columns[tile.column + lane][position];
        size_t from = size_t(rows[at].k) * cover.block->nCount + cover.n;
        size_t to = base + lane * 4 + (rows[at].offset - offset);
        weights[to] = cover.block->weights[from];
        if (noisy)
          squares[to] = int8_t(cover.block->squares[from]);
        used |= weights[to] || (noisy && squares[to]);
      }
    // Block-diagonal matrices are mostly empty.
    if (used) {
      offsets.push_back(offset);
      continue;
    }
    weights.resize(base);
    squares.resize(noisy ? base : 0);
  }

  auto keep = [](auto &list, const auto &values) {
    auto &kept = list.emplace_back(std::max<size_t>(1, values.size()));
    std::copy(values.begin(), values.end(), kept.data());
    return kept.data();
  };
  block.groupCount = uint32_t(offsets.size());
  block.offsets = keep(out.offsets, offsets);
  block.weights = keep(out.cells, weights);
  block.squares = noisy ? keep(out.cells, squares) : nullptr;

  Aligned<int32_t> &start = out.starts.emplace_back(tile.lanes);
  for (size_t i = 0; i < weights.size(); ++i)
    start[i / 4 % tile.lanes] -= weights[i] * out.pad.offset;
  block.start = start.data();
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
  packRows(tile, position, block);
  auto cover = [&](uint32_t column) -> const Cover & {
    return columns[column][position];
  };
  const PlannedBlock &planned = *cover(tile.column + tile.begin).block;
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

void Packer::fillTile(Tile &tile) {
  size_t count = columns[tile.column + tile.begin].size();
  std::vector<TileBlock> &blocks = out.blockLists.emplace_back();
  for (size_t position = 0; position < count; ++position)
    blocks.push_back(packBlock(tile, position));
  tile.blockCount = uint32_t(count);
  tile.blocks = blocks.data();
  const cim_layer &l = *plan.layer;
  tile.scale = columnTable(tile, [&](uint32_t n) { return l.scale[n]; });
  tile.bias = columnTable(tile, [&](uint32_t n) { return l.bias[n]; });
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
  c.adcFloor = l.adc_rounding == CIM_FLOOR;
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

static void layOut(const Plan &plan, const Config &config, Packed &out) {
  const cim_layer &l = *plan.layer;
  PadJob &pad = out.pad;
  pad.inH = l.in_h;
  pad.inW = l.in_w;
  pad.inC = l.in_c;
  pad.top = -int32_t(l.pad_top);
  pad.left = -int32_t(l.pad_left);
  pad.height = (l.out_h - 1) * l.stride_h + (l.kernel_h - 1) * l.dilation_h + 1;
  pad.width = (l.out_w - 1) * l.stride_w + (l.kernel_w - 1) * l.dilation_w + 1;
  pad.offset = offsetOf(plan, config);
  pad.squareShift = out.constants.squareShift;
  out.imageBytes = uint64_t(pad.height) * pad.width * l.in_c;
  out.windowsPerImage = l.out_h * l.out_w;
  out.inputBytes = uint64_t(l.in_h) * l.in_w * l.in_c;
  out.outputBytes =
      uint64_t(out.windowsPerImage) * l.out_c * rt::byteSize(l.out_type);

  // Enough windows for a few full register tiles, little enough to stay in
  // the first-level cache.
  constexpr uint32_t fewTiles = 48;
  constexpr uint64_t reach = UINT32_MAX / 2; // of corners
  out.imagesAtOnce = uint32_t(std::max<uint64_t>(
      1, std::min<uint64_t>((fewTiles + out.windowsPerImage - 1) /
                                out.windowsPerImage,
                            reach / out.imageBytes)));
  for (uint32_t image = 0; image < out.imagesAtOnce; ++image)
    for (uint32_t oh = 0; oh < l.out_h; ++oh)
      for (uint32_t ow = 0; ow < l.out_w; ++ow)
        out.corners.push_back(
            uint32_t(image * out.imageBytes +
                     (uint64_t(oh) * l.stride_h * pad.width + ow * l.stride_w) *
                         l.in_c));
}

std::unique_ptr<Packed> cim::sim::pack(const Plan &plan, const Config &config,
                                       Isa isa, PhiloxKey key) {
  auto out = std::make_unique<Packed>();
  out->kernels = &kernelsOf(isa);
  out->constants = constantsOf(plan, config, key);
  out->squares = plan.readSigma != 0;
  layOut(plan, config, *out);

  Packer packer = {plan, config, *out, {}};
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

namespace {
/// A thread's padded images.
struct Scratch {
  Aligned<uint8_t> input, high, low;
};
} // namespace

uint8_t cim::sim::runPacked(const Packed &packed, uint32_t firstImage,
                            uint32_t imageCount, const void *input,
                            void *output) {
  static thread_local Scratch scratch;
  // Loads of four bytes may reach past the last row's last byte.
  uint64_t bytes = packed.imageBytes * packed.imagesAtOnce + 64;
  scratch.input.grow(bytes);
  if (packed.squares) {
    scratch.high.grow(bytes);
    scratch.low.grow(bytes);
  }
  uint8_t seen = 0;
  for (uint32_t done = 0; done < imageCount;) {
    uint32_t count = std::min(packed.imagesAtOnce, imageCount - done);
    for (uint32_t i = 0; i < count; ++i) {
      PadJob job = packed.pad;
      job.input =
          static_cast<const uint8_t *>(input) + (done + i) * packed.inputBytes;
      job.padded = scratch.input.data() + i * packed.imageBytes;
      if (packed.squares) {
        job.high = scratch.high.data() + i * packed.imageBytes;
        job.low = scratch.low.data() + i * packed.imageBytes;
      }
      seen |= packed.kernels->pad(job);
    }
    WindowRun run = {};
    run.input = run.high = run.low = scratch.input.data();
    if (packed.squares) {
      run.high = scratch.high.data();
      run.low = scratch.low.data();
    }
    run.corners = packed.corners.data();
    run.windowCount = count * packed.windowsPerImage;
    run.windowsPerImage = packed.windowsPerImage;
    run.firstImage = firstImage + done;
    run.output = static_cast<char *>(output) + done * packed.outputBytes;
    for (const Tile &tile : packed.tiles)
      packed.kernels->run(packed.constants, tile, run);
    done += count;
  }
  return seen;
}
