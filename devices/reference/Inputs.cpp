// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// See Inputs.h.

#include "Inputs.h"
#include "Functions.h"

#include <cmath>
#include <cstdlib>

using namespace cim::reference;

/// M of the page: bits of an input without its sign.
static uint32_t magnitudeBits(const Chip &chip, const cim_layer &layer) {
  return chip.config.inputBits - (layer.in_type == CIM_I8);
}

int32_t cim::reference::largestInput(const Chip &chip, const cim_layer &layer) {
  return (1 << magnitudeBits(chip, layer)) - 1;
}

Slices cim::reference::slicesOf(const Chip &chip, const cim_layer &layer) {
  Slices slices;
  const InputConfig &input = chip.config.input;
  uint32_t most = magnitudeBits(chip, layer);
  if (chip.mode == Mode::Ideal || input.sliceBits == 0 ||
      most <= input.sliceBits)
    return slices;
  slices.bits = input.sliceBits;
  slices.digits = (most + input.sliceBits - 1) / input.sliceBits;
  slices.asCurrents = input.accumulation == "analog";
  if (!slices.asCurrents)
    slices.gain = std::ldexp(1.0f, int(slices.bits * (slices.digits - 1))) *
                  input.sliceGain;
  return slices;
}

/// d_s of the page, with the sign of q.
static int32_t digit(const Slices &slices, int32_t q, uint32_t s) {
  int32_t value = std::abs(q) >> (slices.bits * s);
  if (s + 1 < slices.digits)
    value &= (1 << slices.bits) - 1;
  return q < 0 ? -value : value;
}

int32_t cim::reference::inputOf(const Slices &slices, int32_t q,
                                uint32_t read) {
  return slices.reads() == 1 ? q : digit(slices, q, read);
}

int32_t cim::reference::powerOf(const Slices &slices, int32_t q) {
  if (!slices.asCurrents)
    return q * q;
  int32_t sum = 0;
  for (uint32_t s = 0; s < slices.digits; ++s) {
    int32_t part = digit(slices, q, s) * (1 << (slices.bits * s));
    sum += part * part;
  }
  return sum;
}

int32_t cim::reference::jitterOf(const Chip &chip, const Conversion &at,
                                 uint32_t k, int32_t q) {
  if (chip.config.input.jitter == 0 || q == 0)
    return 0;
  float deviate = normal(randomBits(chip.key(), Draw::Jitter, k, at.window,
                                    at.image, at.layer->id << 16 | at.ordinal));
  return int32_t(std::nearbyint(10 * deviate));
}

float cim::reference::jitterUnit(const Chip &chip) {
  return chip.config.input.jitter * float(1 / std::sqrt(100 + 1.0 / 12));
}
