// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// See Cells.h.

#include "Cells.h"
#include "Functions.h"

#include <algorithm>
#include <cmath>

using namespace cim::reference;

/// One device after all that happened to it.
struct Cells::Device {
  float gn; // wanted
  float gp; // after programming
  float g;
  bool stuck;
};

Cells::Cells(const Chip &chip)
    : chip(chip), config(chip.config), model(makeModel(config.cells)) {}

//===----------------------------------------------------------------------===//
// Figures of the chip
//===----------------------------------------------------------------------===//

static int32_t levelsOf(const Config &config) {
  return std::max(-config.cellLo, config.cellHi);
}

float Cells::strongest() const {
  return config.cells.mapping == "offset" ? float(config.cellHi - config.cellLo)
                                          : float(levelsOf(config));
}

float Cells::leakage() const {
  return config.cells.onOff == 0 ? 0 : strongest() / config.cells.onOff;
}

float Cells::span() const { return 1 - 1 / config.cells.onOff; }

float Cells::wanted(float x) const {
  if (config.cells.onOff == 0)
    return x;
  float share = x * span();
  return leakage() + share;
}

bool Cells::ages(float age) const { return model->ages(age); }

bool Cells::hasReadNoise() const {
  return chip.isAnalog() &&
         (config.read != 0 || model->flickers(config.cells.age));
}

bool Cells::isCompensated() const {
  return chip.isAnalog() && config.cells.compensation == "global" &&
         config.cells.age > 0;
}

static uint32_t largestRepeat(const cim_layer &layer) {
  uint32_t repeat = 1;
  for (uint32_t i = 0; i < layer.block_count; ++i)
    repeat = std::max(repeat, layer.blocks[i].repeat);
  return repeat;
}

int32_t Cells::codesPerLevel(const cim_layer &layer) const {
  if (!chip.isAnalog() || (!model->programs() && config.staticVariation == 0 &&
                           !ages(config.cells.age)))
    return 1;
  float spread = config.staticVariation;
  if (model->programs())
    spread = spread + model->programSigma(1, config.cells.age);
  float levels = float(levelsOf(config));
  if (config.cells.mapping == "offset")
    spread = spread * (strongest() / levels);
  float most = levels * float(largestRepeat(layer)) * (1 + 4 * spread);
  return std::max(2, int32_t(std::floor(float(chip.mostCodes) / most)));
}

//===----------------------------------------------------------------------===//
// Devices
//===----------------------------------------------------------------------===//

static uint32_t bitsAt(const Chip &chip, Draw draw, const Place &p) {
  return randomBits(chip.key(), draw, p.column, p.row, p.array, p.device);
}

static float normalAt(const Chip &chip, Draw draw, const Place &p) {
  return normal(bitsAt(chip, draw, p));
}

bool Cells::isStuck(const Place &place, float &g) const {
  const CellConfig &c = config.cells;
  if (c.stuckOn == 0 && c.stuckOff == 0)
    return false;
  double bits = bitsAt(chip, Draw::Fault, place);
  double on = std::floor(c.stuckOn * 4294967296.0);
  double off = std::floor(c.stuckOff * 4294967296.0);
  if (bits >= on + off)
    return false;
  g = bits < on ? strongest() : leakage();
  return true;
}

float Cells::withProgrammingNoise(const Place &place, float gn,
                                  float age) const {
  if (!model->programs())
    return gn;
  float gd = model->settled(gn, strongest(), age);
  float sigma = strongest() * model->programSigma(gd / strongest(), age);
  float noise = sigma * normalAt(chip, Draw::Program, place);
  return positive(gd + noise);
}

float Cells::deviation(const Place &place) const {
  float s = config.staticVariation;
  if (config.cells.distribution == "uniform") {
    float width = s * float(std::sqrt(3.0));
    float share = float(int32_t(bitsAt(chip, Draw::Cell, place)));
    return width * (share * 0x1p-31f);
  }
  float n = normalAt(chip, Draw::Cell, place);
  if (config.cells.distribution == "normal")
    return s * n;
  float v = log2(1 + s * s);
  float b = v * 0.5f;
  float a = std::sqrt(v * float(1 / ln2));
  float exponent = a * n;
  return exp2(exponent - b) - 1;
}

float Cells::withStaticVariation(const Place &place, float g) const {
  if (config.staticVariation == 0)
    return g;
  float d = deviation(place), most = strongest();
  if (config.cells.dependence == "proportional")
    return positive(g * (1 + d));
  if (config.cells.dependence == "additive") {
    float shift = most * d;
    return positive(g + shift);
  }
  if (g > 0) {
    float shift = most * (most * d) / g;
    g = g + shift;
  }
  return positive(g);
}

float Cells::withAgeing(const Place &place, float gn, float g,
                        float age) const {
  if (!ages(age))
    return g;
  float deviate = normalAt(chip, Draw::Drift, place);
  return positive(model->aged(g, gn / strongest(), strongest(), age, deviate));
}

/// A device that should conduct x.
Cells::Device Cells::device(const Place &place, float x, float age) const {
  Device d = {wanted(x), 0, 0, false};
  if (isStuck(place, d.g)) {
    d.stuck = true;
    return d;
  }
  d.gp = withProgrammingNoise(place, d.gn, age);
  d.g = withStaticVariation(place, d.gp);
  d.g = withAgeing(place, d.gn, d.g, age);
  return d;
}

//===----------------------------------------------------------------------===//
// Cells and weights
//===----------------------------------------------------------------------===//

const Fault *Cells::faultAt(const Place &p) const {
  const Fault *found = nullptr;
  for (const Fault &f : config.cells.faults)
    if (f.array == p.array && (f.row < 0 || f.row == p.row) &&
        (f.column < 0 || f.column == p.column) &&
        (!found || found->row < 0 || f.row >= 0))
      found = &f;
  return found;
}

/// What a cell is worth that was programmed to level t.
float Cells::cell(const Place &place, int32_t t, float age) const {
  if (const Fault *fault = faultAt(place))
    return float(fault->level);
  Place second = place;
  second.device = 1;
  bool leaks = config.cells.onOff != 0;
  if (config.cells.mapping == "offset") {
    float g = device(place, float(t - config.cellLo), age).g;
    if (leaks)
      g = (g - leakage()) / span();
    return g + float(config.cellLo);
  }
  float g0 = device(place, float(std::abs(t)), age).g;
  float g1 = device(second, 0, age).g;
  float c = g0 - g1;
  if (leaks)
    c = c / span();
  return t < 0 ? -c : c;
}

int32_t Cells::conductance(const cim_block &block, uint32_t k, uint32_t n,
                           int32_t z, float age) const {
  const Array &array = chip.arrays.at(block.array);
  int32_t levels = 0;
  float sum = 0;
  for (uint32_t r = 0; r < block.repeat; ++r) {
    Place place = {block.array, block.row + k * block.repeat + r,
                   block.column + n, 0};
    int32_t t = array.at(place.row, place.column);
    levels += t;
    if (chip.isAnalog())
      sum = sum + cell(place, t, age);
  }
  if (!chip.isAnalog())
    return levels;
  float code = std::nearbyint(sum * float(z));
  float bound = float(chip.mostCodes);
  return int32_t(clamp(code, -bound, bound));
}

//===----------------------------------------------------------------------===//
// Read noise
//===----------------------------------------------------------------------===//

/// u of the page.
float Cells::deviceVariance(const Device &d, float age) const {
  float p = config.read * d.gn;
  float f = 0;
  if (model->flickers(config.cells.age) && !d.stuck)
    f = model->flicker(d.g, d.gp, d.gn / strongest(), strongest(), age);
  return p * p + f * f;
}

/// The variance of a cell's devices, added to `sum` in their order.
float Cells::cellVariance(const Place &place, int32_t t, float age) const {
  if (faultAt(place))
    return 0;
  bool offset = config.cells.mapping == "offset";
  float x = float(offset ? t - config.cellLo : std::abs(t));
  float u = deviceVariance(device(place, x, age), age);
  if (offset)
    return u;
  Place second = place;
  second.device = 1;
  return u + deviceVariance(device(second, 0, age), age);
}

/// The same of a cell whose devices are what they should be.
float Cells::unvariedVariance(int32_t t) const {
  auto of = [&](float x) {
    float gn = wanted(x);
    return deviceVariance({gn, gn, gn, false}, config.cells.age);
  };
  if (config.cells.mapping == "offset")
    return of(float(t - config.cellLo));
  return of(float(std::abs(t))) + of(0);
}

float Cells::variancesPerUnit(const cim_layer &layer) const {
  const CellConfig &c = config.cells;
  if (c.mapping == "differential" && c.onOff == 0 &&
      !model->flickers(config.cells.age))
    return 0;
  float most = 0;
  for (int32_t t = config.cellLo; t <= config.cellHi; ++t)
    most = std::max(most, unvariedVariance(t));
  return float(chip.mostCodes) / (float(largestRepeat(layer)) * most);
}

float Cells::readSigma(float perUnit) const {
  return perUnit == 0 ? config.read : std::sqrt(1 / perUnit);
}

int32_t Cells::variance(const cim_block &block, uint32_t k, uint32_t n,
                        float perUnit) const {
  const Array &array = chip.arrays.at(block.array);
  int32_t squares = 0;
  float sum = 0;
  for (uint32_t r = 0; r < block.repeat; ++r) {
    Place place = {block.array, block.row + k * block.repeat + r,
                   block.column + n, 0};
    int32_t t = array.at(place.row, place.column);
    squares += t * t;
    if (perUnit != 0)
      sum = sum + cellVariance(place, t, config.cells.age);
  }
  if (perUnit == 0)
    return squares;
  float code = std::nearbyint(sum * perUnit);
  return int32_t(clamp(code, 0, float(chip.mostCodes)));
}
