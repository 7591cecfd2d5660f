// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What a chip makes of a layer before it sees an image: everything that does
// not change between two reads.

#include "Cells.h"
#include "Layer.h"

#include <algorithm>
#include <cmath>

using namespace cim::reference;

/// R of the page: what all columns together give for inputs of 1.
static int64_t totalOf(const std::vector<int32_t> &weights, uint32_t columns) {
  std::vector<int64_t> sums(columns);
  for (size_t i = 0; i < weights.size(); ++i)
    sums[i % columns] += weights[i];
  int64_t total = 0;
  for (int64_t sum : sums)
    total += std::abs(sum);
  return total;
}

static std::vector<int32_t>
weightsOf(const Cells &cells, const cim_block &block, int32_t z, float age) {
  std::vector<int32_t> weights;
  for (uint32_t k = 0; k < block.k_count; ++k)
    for (uint32_t n = 0; n < block.n_count; ++n)
      weights.push_back(cells.conductance(block, k, n, z, age));
  return weights;
}

/// Global drift compensation: the share that the block lost since it was new.
static float compensationOf(const Chip &chip, const Cells &cells,
                            const Block &block, int32_t z) {
  if (!cells.isCompensated())
    return 1;
  const cim_block &b = *block.block;
  int64_t now = totalOf(block.weights, b.n_count);
  int64_t fresh = totalOf(weightsOf(cells, b, z, 0), b.n_count);
  return now == 0 ? 1 : float(fresh) / float(now);
}

/// What a code of each column counts for.
static std::vector<float> coefficientsOf(const Chip &chip, const Cells &cells,
                                         const cim_layer &layer,
                                         const Block &block, int32_t z) {
  const cim_block &b = *block.block;
  const float *significance =
      layer.significance + size_t(b.plane) * layer.out_c + b.n;
  std::vector<float> coefficients(significance, significance + b.n_count);
  if (chip.mode == Mode::Ideal)
    return coefficients;
  float alpha = compensationOf(chip, cells, block, z);
  for (float &coefficient : coefficients) {
    coefficient = coefficient / block.gain;
    coefficient = coefficient * alpha;
  }
  return coefficients;
}

/// Takes back what calibration finds the block's converters to do.
static void calibrate(const Chip &chip, Block &block, Layer &layer) {
  if (!chip.isAnalog() || chip.config.converter.calibrationReads == 0)
    return;
  const cim_layer &l = layer.layer;
  const cim_block &b = *block.block;
  float weight = 0;
  for (uint32_t read = 0; read < layer.slices.reads(); ++read)
    weight += std::ldexp(1.0f, int(layer.slices.bits * read));
  for (uint32_t n = 0; n < b.n_count; ++n) {
    Measured found =
        measureConverter(chip, l, b, b.column + n, block.thresholds[n]);
    float &coefficient = block.coefficients[n], &bias = layer.bias[b.n + n];
    coefficient = coefficient / found.gain;
    float share = found.offset * weight * coefficient * l.scale[b.n + n];
    bias = bias - share;
  }
}

/// Y of the page, of the wires: codes per level of conductance.
static int32_t dropCodesOf(const Chip &chip, const Cells &cells,
                           const cim_layer &layer) {
  if (cells.codesPerLevel(layer) != 1)
    return 1;
  int32_t most = std::max(-chip.config.cellLo, chip.config.cellHi);
  uint32_t repeat = 1;
  for (uint32_t i = 0; i < layer.block_count; ++i)
    repeat = std::max(repeat, layer.blocks[i].repeat);
  return std::max(1, chip.mostCodes / (most * int32_t(repeat)));
}

Layer cim::reference::prepareLayer(const Chip &chip, const cim_layer &layer) {
  Cells cells(chip);
  Layer result = {
      layer, cells.codesPerLevel(layer), dropCodesOf(chip, cells, layer),
      0,     slicesOf(chip, layer),      {layer.bias, layer.bias + layer.out_c},
      {}};
  float perUnit = 0;
  if (cells.hasReadNoise()) {
    perUnit = cells.variancesPerUnit(layer);
    result.readSigma = cells.readSigma(perUnit);
  }
  std::vector<uint32_t> covered(layer.out_c, 0);
  for (uint32_t i = 0; i < layer.block_count; ++i) {
    const cim_block &block = layer.blocks[i];
    Block &out = result.blocks.emplace_back();
    out.block = &block;
    out.gain = block.gain * result.slices.gain;
    out.weights = weightsOf(cells, block, result.z, chip.config.cells.age);
    out.coefficients = coefficientsOf(chip, cells, layer, out, result.z);
    for (uint32_t k = 0; k < block.k_count && cells.hasReadNoise(); ++k)
      for (uint32_t n = 0; n < block.n_count; ++n)
        out.powers.push_back(cells.variance(block, k, n, perUnit));
    for (uint32_t n = 0; n < block.n_count; ++n) {
      out.ordinal.push_back(covered[block.n + n]++);
      out.thresholds.push_back(
          thresholdsOf(chip, layer, block, block.column + n));
    }
    calibrate(chip, out, result);
  }
  return result;
}
