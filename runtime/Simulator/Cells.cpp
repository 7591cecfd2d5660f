// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// See Cells.h. Compiled without contraction; the order of operations is that
// of docs/Numerics.md, section 5.1.

#include "Simulator/Cells.h"
#include "Simulator/Functions.h"

#include <algorithm>

using namespace cim;
using namespace cim::sim;

static constexpr int16_t working = INT16_MAX;

Cells::Cells(const Config &config, PhiloxKey key, float age, Isa isa)
    : config(config), effects(config.effects.cells), key(key), isa(isa),
      physics(effects, age), offset(effects.offset ? config.cellLo : 0),
      strongest(float(effects.offset ? config.cellHi - config.cellLo
                                     : config.levels())),
      floor(effects.onOff ? strongest / effects.onOff : 0),
      span(effects.onOff ? 1.0f - 1.0f / effects.onOff : 1) {
  stuckOn = uint64_t(effects.stuckOn * 4294967296.0);
  stuckAny = stuckOn + uint64_t(effects.stuckOff * 4294967296.0);
  float sigma = config.effects.staticSigma;
  if (effects.distribution == Distribution::Lognormal && sigma != 0) {
    float v = log2Of(1.0f + sigma * sigma);
    lognormalB = v * 0.5f;
    lognormalA = std::sqrt(v * inverseLn2);
  }
  programs = physics.programs();
  flickers = physics.flickers();
  bool plain = !effects.offset && effects.onOff == 0;
  doVary = sigma != 0 || programs || physics.ages();
  isPlainNoise = plain && !flickers;
  isIdeal = !doVary && stuckAny == 0 && effects.faults.empty() && isPlainNoise;
  isFast = isPlainNoise && stuckAny == 0 && effects.faults.empty() &&
           !programs && !physics.ages() &&
           effects.distribution == Distribution::Normal &&
           effects.dependence == Dependence::Proportional;
  for (int32_t level = 0; level <= int32_t(strongest); ++level) {
    State state = {};
    state.nominal = effects.onOff ? floor + float(level) * span : float(level);
    state.x = state.nominal / strongest;
    state.settled = physics.settled(state.nominal, strongest);
    state.programming =
        strongest * physics.programming(state.settled / strongest);
    if (physics.ages())
      state.exponent = physics.exponent(state.x);
    state.silent = state.settled == 0 && stuckOn == 0 &&
                   state.programming == 0 && !physics.ages() &&
                   !(sigma != 0 && effects.dependence == Dependence::Additive);
    states.push_back(state);
  }
  for (const Fault &fault : effects.faults)
    faults[{fault.array, fault.row}].push_back({fault.column, fault.level});
}

float Cells::codesPerLevel(uint32_t repeat) const {
  if (!doVary)
    return 1;
  float levels = float(config.levels());
  float spread = config.effects.staticSigma + physics.programming(1);
  if (effects.offset)
    spread = spread * (strongest / levels);
  // At least 2, so that 1 keeps meaning "no variation".
  return std::max(2.0f, std::floor(127.0f / (levels * float(repeat) *
                                             (1.0f + 4.0f * spread))));
}

float Cells::codesPerVariance(uint32_t repeat) const {
  float most = 0;
  auto nominal = [&](int32_t level) {
    const State &state = states[level];
    float p = config.effects.readSigma * state.nominal;
    float f = flickers
                  ? physics.flicker(state.nominal, state.x, state.x, strongest)
                  : 0;
    return p * p + f * f;
  };
  for (int32_t level = config.cellLo; level <= config.cellHi; ++level) {
    float sum = nominal(effects.offset ? level - offset : std::abs(level));
    if (!effects.offset)
      sum = sum + nominal(0);
    most = std::max(most, sum);
  }
  return most > 0 ? 127.0f / (float(repeat) * most) : 0;
}

void Cells::draw(Draw what, const CellRow &row, uint32_t device,
                 std::vector<uint32_t> &to) const {
  to.resize(row.count);
  PhiloxBlock words = {};
  for (uint32_t n = 0; n < row.count; ++n) {
    // Four neighbouring columns share the counter.
    uint32_t column = row.column + n;
    if (n == 0 || column % 4 == 0)
      words = philox(key, counterOf(what, column, row.row, row.array, device));
    to[n] = words.word[column % 4];
  }
}

void Cells::drawBits(const CellRow &row) {
  for (uint32_t device = 0; device < (effects.offset ? 1 : 2); ++device) {
    if (device == 1 && states[0].silent)
      continue;
    auto &to = bits[device];
    if (stuckAny)
      draw(Draw::Fault, row, device, to[FaultBits]);
    if (programs)
      draw(Draw::Program, row, device, to[ProgramBits]);
    if (config.effects.staticSigma != 0)
      draw(Draw::Cell, row, device, to[CellBits]);
    if (physics.ages())
      draw(Draw::Drift, row, device, to[DriftBits]);
  }
}

/// Static variation of one device.
float Cells::vary(float g, uint32_t word) const {
  float sigma = config.effects.staticSigma, d = 0;
  switch (effects.distribution) {
  case Distribution::Normal:
    d = sigma * normalFromBits(word);
    break;
  case Distribution::Uniform:
    d = sigma * 1.73205080756887729f * (float(int32_t(word)) * 0x1p-31f);
    break;
  case Distribution::Lognormal:
    d = exp2Of(lognormalA * normalFromBits(word) - lognormalB) - 1.0f;
    break;
  }
  switch (effects.dependence) {
  case Dependence::Proportional:
    g = g * (1.0f + d);
    break;
  case Dependence::Additive:
    g = g + strongest * d;
    break;
  case Dependence::Inverse:
    if (g > 0)
      g = g + strongest * (strongest * d) / g;
    break;
  }
  return g > 0 ? g : 0;
}

/// Device `number` of the cell in column `n` of the row at hand.
Cells::Device Cells::device(const State &state, uint32_t number,
                            uint32_t n) const {
  if (state.silent)
    return {0, 0};
  const auto &words = bits[number];
  float g = state.settled;
  float read = config.effects.readSigma * state.nominal;
  if (stuckAny && words[FaultBits][n] < stuckAny) {
    g = words[FaultBits][n] < stuckOn ? strongest : floor;
    return {g, read * read};
  }
  if (programs) {
    g = g + state.programming * normalFromBits(words[ProgramBits][n]);
    g = g > 0 ? g : 0;
  }
  float programmed = g / strongest;
  if (config.effects.staticSigma != 0)
    g = vary(g, words[CellBits][n]);
  if (physics.ages())
    g = physics.aged(g, state.exponent, normalFromBits(words[DriftBits][n]),
                     strongest);
  if (!flickers)
    return {g, read * read};
  float f = physics.flicker(g, programmed, state.x, strongest);
  return {g, read * read + f * f};
}

Cells::Device Cells::cell(int32_t level, uint32_t n) const {
  if (effects.offset) {
    Device d = device(states[level - offset], 0, n);
    if (effects.onOff)
      d.conductance = (d.conductance - floor) / span;
    d.conductance = d.conductance + float(offset);
    return d;
  }
  Device d = device(states[std::abs(level)], 0, n);
  Device other = device(states[0], 1, n);
  d.conductance = d.conductance - other.conductance;
  if (effects.onOff)
    d.conductance = d.conductance / span;
  if (level < 0)
    d.conductance = -d.conductance;
  d.variance = d.variance + other.variance;
  return d;
}

void Cells::markFaults(const CellRow &row) {
  broken.assign(faults.empty() ? 0 : row.count, working);
  // What names the row comes after, and so wins over, what names all rows.
  for (int32_t which : {-1, int32_t(row.row)}) {
    auto found = faults.find({row.array, which});
    if (found == faults.end())
      continue;
    for (auto [column, level] : found->second) {
      if (column < 0)
        std::fill(broken.begin(), broken.end(), int16_t(level));
      else if (uint32_t(column) - row.column < row.count)
        broken[uint32_t(column) - row.column] = int16_t(level);
    }
  }
}

/// The deviates of `quads` calls of Philox from a counter on.
static void normalsFrom(Isa isa, PhiloxKey key, PhiloxBlock counter,
                        uint32_t quads, float *normals) {
  if (isa != Isa::Portable)
    return kernelsOf(isa).drawNormals(key, counter, quads, normals);
  for (uint32_t quad = 0; quad < quads; ++quad, ++counter.word[0])
    for (uint32_t word : philox(key, counter).word)
      *normals++ = normalFromBits(word);
}

/// The common case: one device per cell, normal, proportional.
void Cells::addVaried(const CellRow &row, float *conductances) {
  // From the first column of a quad on.
  uint32_t before = row.column % 4, quads = (before + row.count + 3) / 4;
  normals.resize(quads * 4 + drawSlack);
  normalsFrom(isa, key,
              counterOf(Draw::Cell, row.column, row.row, row.array, 0), quads,
              normals.data());
  float sigma = config.effects.staticSigma;
  for (uint32_t n = 0; n < row.count; ++n) {
    float g = 1.0f + sigma * normals[before + n];
    conductances[n] = conductances[n] + float(row.levels[n]) * (g > 0 ? g : 0);
  }
}

void Cells::add(const CellRow &row, float *conductances, float *variances) {
  if (isFast && !variances)
    return addVaried(row, conductances);
  drawBits(row);
  markFaults(row);
  for (uint32_t n = 0; n < row.count; ++n) {
    if (!broken.empty() && broken[n] != working) {
      conductances[n] = conductances[n] + float(broken[n]);
      continue;
    }
    Device d = cell(row.levels[n], n);
    conductances[n] = conductances[n] + d.conductance;
    if (variances)
      variances[n] = variances[n] + d.variance;
  }
}
