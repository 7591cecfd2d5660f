// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// See Plan.h; docs/Numerics.md, sections 3 and 5.

#include "Simulator/Plan.h"
#include "Simulator/Normal.h"
#include "Support/Error.h"

#include <algorithm>
#include <cmath>

using namespace cim;
using namespace cim::sim;

namespace {
/// One row of a block's matrix, read from its cells.
class MatrixRow {
public:
  MatrixRow(const Chip &chip, const cim_block &block, float z)
      : chip(chip), block(block), z(z), weights(block.n_count),
        squares(block.n_count), conductances(block.n_count) {}

  void read(uint32_t k) {
    std::fill(weights.begin(), weights.end(), 0);
    std::fill(squares.begin(), squares.end(), 0);
    std::fill(conductances.begin(), conductances.end(), 0.0f);
    for (uint32_t r = 0; r < block.repeat; ++r)
      addCells(block.row + k * block.repeat + r);
    if (z == 1)
      return;
    for (uint32_t n = 0; n < block.n_count; ++n) {
      float code = std::nearbyintf(conductances[n] * z);
      weights[n] = int32_t(std::min(std::max(code, -127.0f), 127.0f));
    }
  }

  /// A weight's cells together: levels, or conductance codes.
  int32_t weight(uint32_t n) const { return weights[n]; }
  /// The sum of their t^2.
  int32_t square(uint32_t n) const { return squares[n]; }

private:
  /// Adds the cells of one row of the array.
  void addCells(uint32_t row) {
    const Array &array = chip.arrays[block.array];
    const int8_t *cells =
        array.cells.data() + uint64_t(row) * array.columns + block.column;
    float sigma = chip.config.effects.staticSigma;
    PhiloxBlock bits = {};
    for (uint32_t n = 0; n < block.n_count; ++n) {
      int32_t t = cells[n];
      weights[n] += t;
      squares[n] += t * t;
      if (z == 1)
        continue;
      // Four neighbouring columns share the counter.
      uint32_t column = block.column + n;
      if (n == 0 || column % 4 == 0)
        bits = philox<>(chip.key,
                        counterOf(Draw::Cell, column, row, block.array, 0));
      if (!t)
        continue;
      float normal = normalFromBits(bits.word[column % 4]);
      float varied = float(t) * (1.0f + sigma * normal);
      conductances[n] = conductances[n] + varied;
    }
  }

  const Chip &chip;
  const cim_block &block;
  float z; // conductance codes per level; 1: no variation
  std::vector<int32_t> weights, squares;
  std::vector<float> conductances;
};
} // namespace

static std::vector<float> columnDraws(const Chip &chip, const cim_block &block,
                                      Draw draw, float mean, float sigma) {
  std::vector<float> values;
  if (sigma == 0)
    return values;
  values.resize(block.n_count);
  for (uint32_t n = 0; n < block.n_count; ++n)
    values[n] = mean + sigma * normalAt(chip.key, draw, block.column + n, 0,
                                        block.array, 0);
  return values;
}

static std::string planBlock(const Chip &chip, const cim_layer &layer,
                             const cim_block &block, float z, const Plan &plan,
                             PlannedBlock &out) {
  out.k = block.k;
  out.kCount = block.k_count;
  out.n = block.n;
  out.nCount = block.n_count;
  out.plane = block.plane;
  out.gain = block.gain;

  MatrixRow row(chip, block, z);
  bool noisy = plan.effects.readSigma != 0;
  size_t size = size_t(out.kCount) * out.nCount;
  out.weights.resize(size);
  out.squares.resize(noisy ? size : 0);
  for (uint32_t k = 0; k < out.kCount; ++k) {
    row.read(k);
    for (uint32_t n = 0; n < out.nCount; ++n) {
      int32_t weight = row.weight(n), square = noisy ? row.square(n) : 0;
      if (weight < -127 || weight > 127 || square > 127)
        return rt::format("the cells of one weight add up to %d (squares %d), "
                          "the simulator holds -127 .. 127",
                          weight, square);
      out.weights[size_t(k) * out.nCount + n] = int8_t(weight);
      if (noisy)
        out.squares[size_t(k) * out.nCount + n] = uint8_t(square);
    }
  }

  const float *significance =
      layer.significance + uint64_t(block.plane) * layer.out_c + block.n;
  out.coefficient.resize(out.nCount);
  for (uint32_t n = 0; n < out.nCount; ++n)
    out.coefficient[n] = plan.mode == Mode::Ideal
                             ? significance[n]
                             : significance[n] / block.gain;
  out.adcGain =
      columnDraws(chip, block, Draw::AdcGain, 1.0f, plan.effects.adcGain);
  out.adcOffset =
      columnDraws(chip, block, Draw::AdcOffset, 0.0f, plan.effects.adcOffset);
  return "";
}

/// Integer sums, and their squares, must stay within 32 bits. An input takes
/// at most `inputBits` bits of magnitude, also when an offset makes it
/// unsigned.
static std::string checkSums(const Config &config, const PlannedBlock &block) {
  uint64_t most = (1u << config.inputBits) - 1;
  uint64_t square = 0;
  for (uint8_t value : block.squares)
    square = std::max<uint64_t>(square, value);
  uint64_t sum = block.kCount * most * std::max<uint64_t>(127, most * square);
  if (sum <= INT32_MAX)
    return "";
  return rt::format("sums over %u rows may reach %llu, the simulator has 31 "
                    "bits",
                    block.kCount, (unsigned long long)sum);
}

/// Z, the conductance codes per level: 4 sigma of the strongest weight fit.
static float conductanceScale(const Config &config, const cim_layer &layer,
                              const Effects &effects) {
  if (effects.staticSigma == 0)
    return 1;
  uint32_t repeat = 1;
  for (uint32_t i = 0; i < layer.block_count; ++i)
    repeat = std::max(repeat, layer.blocks[i].repeat);
  float levels = float(config.levels()) * float(repeat);
  // At least 2, so that 1 keeps meaning "no variation".
  return std::max(
      2.0f,
      std::floor(127.0f / (levels * (1.0f + 4.0f * effects.staticSigma))));
}

std::string cim::sim::makePlan(const Chip &chip, const cim_layer &layer,
                               Plan &plan) {
  if (layer.id >= 1u << 16)
    return rt::format("layer id %u, the simulator takes at most 65535",
                      layer.id);
  plan.layer = &layer;
  plan.mode = chip.mode;
  if (chip.mode == Mode::Analog) {
    plan.effects = chip.config.effects;
    if (!plan.effects.any())
      plan.mode = Mode::Exact;
  }
  float z = conductanceScale(chip.config, layer, plan.effects);
  plan.inverseZ = 1.0f / z;

  std::vector<uint32_t> covered(layer.out_c, 0);
  for (uint32_t i = 0; i < layer.block_count; ++i) {
    const cim_block &block = layer.blocks[i];
    PlannedBlock &planned = plan.blocks.emplace_back();
    std::string problem = planBlock(chip, layer, block, z, plan, planned);
    if (problem.empty())
      problem = checkSums(chip.config, planned);
    if (!problem.empty())
      return rt::format("block %u: %s", i, problem.c_str());
    for (uint32_t n = block.n; n < block.n + block.n_count; ++n) {
      if (covered[n] > UINT16_MAX)
        return "a column has more than 65536 blocks";
      planned.ordinal.push_back(uint16_t(covered[n]++));
    }
  }
  return "";
}
