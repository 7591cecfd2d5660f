// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// See Plan.h; docs/Numerics.md, sections 3 and 5.

#include "Simulator/Plan.h"
#include "Simulator/Cells.h"
#include "Support/Error.h"

#include <algorithm>
#include <cmath>

using namespace cim;
using namespace cim::sim;

namespace {
/// How a layer's cells become integers.
struct Scales {
  float z = 1;           // conductance codes per level; 1: levels as they are
  bool squares = false;  // read noise is on
  float perVariance = 0; // variance codes per level^2; 0: t^2
};

/// Reads a block's matrix row by row from its cells. Loops are plain, so that
/// compilers vectorise them.
class MatrixRow {
public:
  /// Without `cells` a weight is the sum of its levels.
  MatrixRow(const Chip &chip, const cim_block &block, const Scales &scales,
            Cells *cells)
      : chip(chip), block(block), scales(scales), cells(cells),
        levels(block.n_count), squares(scales.squares ? block.n_count : 0),
        conductances(cells ? block.n_count : 0),
        variances(scales.perVariance != 0 ? block.n_count : 0) {}

  void read(uint32_t k) {
    std::fill(levels.begin(), levels.end(), 0);
    std::fill(squares.begin(), squares.end(), 0);
    std::fill(conductances.begin(), conductances.end(), 0.0f);
    std::fill(variances.begin(), variances.end(), 0.0f);
    for (uint32_t r = 0; r < block.repeat; ++r)
      addCells(block.row + k * block.repeat + r);
    if (cells)
      toCodes(conductances, scales.z, -127, 127, levels);
    if (scales.perVariance != 0)
      toCodes(variances, scales.perVariance, 0, 127, squares);
  }

  /// A weight's cells together: levels, or conductance codes.
  const std::vector<int32_t> &weightsRead() const { return levels; }
  /// The variance of their reads, as U.
  const std::vector<int32_t> &squaresRead() const { return squares; }

private:
  /// clamp(rne(x * scale)); bounds are integers, so the order does not matter.
  static void toCodes(const std::vector<float> &x, float scale, float lo,
                      float hi, std::vector<int32_t> &codes) {
    // Adding 1.5 * 2^23 leaves no bits below 1.
    constexpr float integral = 12582912.0f;
    for (size_t n = 0; n < x.size(); ++n) {
      float value = x[n] * scale;
      value = value > lo ? value : lo;
      value = value < hi ? value : hi;
      codes[n] = int32_t((value + integral) - integral);
    }
  }

  /// Adds the cells of one row of the array.
  void addCells(uint32_t row) {
    const Array &array = chip.arrays[block.array];
    const int8_t *from =
        array.cells.data() + uint64_t(row) * array.columns + block.column;
    if (cells)
      cells->add({from, block.array, row, block.column, block.n_count},
                 conductances.data(),
                 scales.perVariance != 0 ? variances.data() : nullptr);
    else
      for (uint32_t n = 0; n < block.n_count; ++n)
        levels[n] += from[n];
    if (scales.perVariance == 0)
      for (size_t n = 0; n < squares.size(); ++n)
        squares[n] += from[n] * from[n];
  }

  const Chip &chip;
  const cim_block &block;
  const Scales &scales;
  Cells *cells;
  std::vector<int32_t> levels, squares;
  std::vector<float> conductances, variances;
};

template <typename T> void narrow(const std::vector<int32_t> &from, T *to) {
  for (size_t n = 0; n < from.size(); ++n)
    to[n] = T(from[n]);
}

/// Plans one layer.
struct Planner {
  const Chip &chip;
  const cim_layer &layer;
  Plan &plan;
  Scales scales;
  std::unique_ptr<Cells> cells, young; // null: cells conduct their levels
  std::unique_ptr<Columns> columns;    // analog only
  float gainFactor = 1;                // of every block: slices
  int32_t dropCodes = 1;               // Y of docs/Numerics.md, section 5.2

  void chooseReads();
  void chooseScales();
  std::string readCells(const cim_block &block, PlannedBlock &out);
  void weighDrops(PlannedBlock &out) const;
  float compensation(const cim_block &block, const PlannedBlock &planned);
  std::string planBlock(const cim_block &block, PlannedBlock &out);
  void joinNoise(PlannedBlock &out) const;
  void correct(const cim_block &block, PlannedBlock &out);
  bool nothingPerRead() const;
  const Effects &effects() const { return chip.config.effects; }
};
} // namespace

/// Rounding to tenths adds 1/12 of a tenth's square: 1 / sqrt(100 + 1 / 12).
static constexpr float jitterUnit = 0.0999583593664f;

/// How inputs and row wires behave.
void Planner::chooseReads() {
  const InputEffects &input = effects().input;
  uint32_t slices = chip.config.slices(layer.in_type);
  if (plan.mode != Mode::Ideal && slices > 1) {
    plan.sliceBits = input.sliceBits;
    plan.digits = slices;
    plan.slices = input.analogSum ? 1 : slices;
    if (!input.analogSum)
      gainFactor = float(1u << plan.sliceBits * (slices - 1)) * input.sliceGain;
  }
  const LineEffects &lines = effects().lines;
  if (plan.mode != Mode::Analog)
    return;
  plan.jitter = input.jitter * jitterUnit;
  float heat = 1.0f + 0.00451f * (lines.temperature - 300.0f);
  plan.wire =
      lines.wireResistance * (heat > 0 ? heat : 0) * lines.cellConductance;
}

void Planner::chooseScales() {
  if (plan.mode != Mode::Analog)
    return;
  float age = effects().cells.age;
  auto made = std::make_unique<Cells>(chip.config, chip.key, age, chip.isa);
  uint32_t repeat = 1;
  for (uint32_t i = 0; i < layer.block_count; ++i)
    repeat = std::max(repeat, layer.blocks[i].repeat);
  scales.z = made->codesPerLevel(repeat);
  plan.inverseZ = 1.0f / scales.z;
  plan.loadUnit = plan.inverseZ / (float(chip.config.levels()) *
                                   float(chip.config.inputHi(layer.in_type)));
  if (!made->vary())
    dropCodes = std::max(1, 127 / (chip.config.levels() * int32_t(repeat)));
  plan.dropUnit = 1.0f / (float(dropCodes) * scales.z);
  plan.readSigma = effects().readSigma;
  if (!made->plainNoise()) {
    scales.perVariance = made->codesPerVariance(repeat);
    plan.readSigma =
        scales.perVariance != 0 ? std::sqrt(1.0f / scales.perVariance) : 0;
  }
  scales.squares = plan.readSigma != 0;
  plan.adcNoise = effects().adcNoise;
  if (effects().cells.compensate && age > 0)
    young = std::make_unique<Cells>(chip.config, chip.key, 0.0f, chip.isa);
  if (!made->ideal())
    cells = std::move(made);
  columns = std::make_unique<Columns>(chip.config, chip.key, layer);
}

/// What eight bits do not hold of a row, or an empty string.
static std::string checkRow(const MatrixRow &row) {
  for (size_t n = 0; n < row.weightsRead().size(); ++n) {
    int32_t weight = row.weightsRead()[n];
    int32_t square = row.squaresRead().empty() ? 0 : row.squaresRead()[n];
    if (weight < -127 || weight > 127 || square > 127)
      return rt::format("the cells of one weight add up to %d (squares %d), "
                        "the simulator holds -127 .. 127",
                        weight, square);
  }
  return "";
}

std::string Planner::readCells(const cim_block &block, PlannedBlock &out) {
  MatrixRow row(chip, block, scales, cells.get());
  size_t size = size_t(out.kCount) * out.nCount;
  out.weights.resize(size);
  out.squares.resize(scales.squares ? size : 0);
  uint64_t levels = chip.config.levels();
  bool fits = levels * levels * block.repeat <= 127;
  for (uint32_t k = 0; k < out.kCount; ++k) {
    row.read(k);
    if (!fits)
      if (std::string problem = checkRow(row); !problem.empty())
        return problem;
    narrow(row.weightsRead(), out.weights.data() + size_t(k) * out.nCount);
    if (scales.squares)
      narrow(row.squaresRead(), out.squares.data() + size_t(k) * out.nCount);
  }
  return "";
}

/// D of every weight: what a row far from the sense amplifier loses.
void Planner::weighDrops(PlannedBlock &out) const {
  int64_t count = out.kCount, whole = count * count;
  out.drops.resize(out.weights.size());
  for (int64_t k = 0; k < count; ++k) {
    int64_t share = (whole - (count - k) * (count - k)) * dropCodes;
    for (uint32_t n = 0; n < out.nCount; ++n) {
      int32_t weight = out.weights[size_t(k) * out.nCount + n];
      int64_t code = (2 * std::abs(weight) * share + whole) / (2 * whole);
      code = std::min<int64_t>(code, 127);
      out.drops[size_t(k) * out.nCount + n] = int8_t(weight < 0 ? -code : code);
    }
  }
}

/// What global drift compensation multiplies the block's codes by.
float Planner::compensation(const cim_block &block,
                            const PlannedBlock &planned) {
  std::vector<int64_t> now(block.n_count), then(block.n_count);
  Scales quiet = {scales.z, false, 0};
  MatrixRow row(chip, block, quiet, young.get());
  for (uint32_t k = 0; k < block.k_count; ++k) {
    row.read(k);
    for (uint32_t n = 0; n < block.n_count; ++n) {
      then[n] += row.weightsRead()[n];
      now[n] += planned.weights[size_t(k) * block.n_count + n];
    }
  }
  int64_t sumNow = 0, sumThen = 0;
  for (uint32_t n = 0; n < block.n_count; ++n) {
    sumNow += std::abs(now[n]);
    sumThen += std::abs(then[n]);
  }
  return sumNow ? float(sumThen) / float(sumNow) : 1.0f;
}

std::string Planner::planBlock(const cim_block &block, PlannedBlock &out) {
  out.k = block.k;
  out.kCount = block.k_count;
  out.n = block.n;
  out.nCount = block.n_count;
  out.plane = block.plane;
  out.gain = block.gain * gainFactor;
  std::string problem = readCells(block, out);
  if (!problem.empty())
    return problem;
  if (plan.wire != 0) {
    weighDrops(out);
    out.wire = float(block.k_count * block.repeat) * plan.wire;
  }

  const float *significance =
      layer.significance + uint64_t(block.plane) * layer.out_c + block.n;
  out.coefficient.resize(out.nCount);
  float alpha = young ? compensation(block, out) : 1.0f;
  for (uint32_t n = 0; n < out.nCount; ++n)
    out.coefficient[n] = plan.mode == Mode::Ideal
                             ? significance[n]
                             : significance[n] / out.gain * alpha;
  if (plan.mode != Mode::Analog)
    return "";
  out.adcGain = converterDraws(chip.config, chip.key, block, Draw::AdcGain,
                               1.0f, effects().adcGain);
  out.adcOffset = converterDraws(chip.config, chip.key, block, Draw::AdcOffset,
                                 0.0f, effects().adcOffset);
  out.columns = columns->tablesOf(block, out.gain);
  joinNoise(out);
  if (effects().converter.calibrationReads)
    correct(block, out);
  return "";
}

/// Read noise and that of the converter are one normal, unless a line that is
/// not linear lies between.
void Planner::joinNoise(PlannedBlock &out) const {
  const LineEffects &lines = effects().lines;
  if (plan.readSigma == 0 || lines.attenuation != 0 || lines.compression != 0 ||
      lines.headroom != 0)
    return;
  out.noise.resize(out.nCount);
  for (uint32_t n = 0; n < out.nCount; ++n) {
    float sigma = plan.readSigma * out.gain;
    if (!out.adcGain.empty())
      sigma = sigma * out.adcGain[n];
    out.noise[n] = sigma * sigma;
  }
}

/// Takes the measured gain and offset of every converter back, digitally.
void Planner::correct(const cim_block &block, PlannedBlock &out) {
  // A sliced input is converted that often, with these weights.
  float weight = 0;
  for (uint32_t read = 0; read < plan.slices; ++read)
    weight += float(1u << plan.sliceBits * read);
  for (uint32_t n = 0; n < out.nCount; ++n) {
    Measured measured = columns->measure(block, n);
    out.coefficient[n] = out.coefficient[n] / measured.gain;
    float shift = measured.offset * weight * out.coefficient[n];
    float &bias = plan.bias[block.n + n];
    bias = bias - shift * layer.scale[block.n + n];
  }
}

/// Whether `exact` on these weights gives the same bits.
bool Planner::nothingPerRead() const {
  if (plan.jitter != 0 || plan.wire != 0 || plan.inverseZ != 1 ||
      plan.readSigma != 0 || plan.adcNoise != 0)
    return false;
  for (const PlannedBlock &block : plan.blocks)
    if (!block.adcGain.empty() || !block.adcOffset.empty() ||
        !block.columns.empty())
      return false;
  return true;
}

/// Integer sums, and their squares, must stay within 32 bits. An input takes
/// at most `inputBits` bits of magnitude, also when an offset makes it
/// unsigned.
static std::string checkSums(const Plan &plan, const Config &config,
                             const PlannedBlock &block) {
  uint64_t most = (1u << config.inputBits) - 1;
  if (plan.jitter != 0)
    most = std::max<uint64_t>(most, 127);
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

std::string cim::sim::makePlan(const Chip &chip, const cim_layer &layer,
                               Plan &plan) {
  if (layer.id >= 1u << 16)
    return rt::format("layer id %u, the simulator takes at most 65535",
                      layer.id);
  plan.layer = &layer;
  plan.mode = chip.mode;
  plan.bias.assign(layer.bias, layer.bias + layer.out_c);
  Planner planner = {chip, layer, plan, {}, {}, {}, {}, 1};
  planner.chooseReads();
  planner.chooseScales();
  if (planner.columns)
    if (std::string problem = planner.columns->problem(); !problem.empty())
      return problem;

  std::vector<uint32_t> covered(layer.out_c, 0);
  for (uint32_t i = 0; i < layer.block_count; ++i) {
    const cim_block &block = layer.blocks[i];
    PlannedBlock &planned = plan.blocks.emplace_back();
    std::string problem = planner.planBlock(block, planned);
    if (problem.empty())
      problem = checkSums(plan, chip.config, planned);
    if (!problem.empty())
      return rt::format("block %u: %s", i, problem.c_str());
    for (uint32_t n = block.n; n < block.n + block.n_count; ++n) {
      // Every slice of a block is a read of its own.
      if (covered[n] + plan.slices > UINT16_MAX + 1u)
        return "a column has more than 65536 reads";
      planned.ordinal.push_back(uint16_t(covered[n]));
      covered[n] += plan.slices;
    }
  }
  if (plan.mode == Mode::Analog && planner.nothingPerRead())
    plan.mode = Mode::Exact;
  return "";
}
